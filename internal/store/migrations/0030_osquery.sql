-- Nodes of osquery: a device each. The key is kept as a SHA-256 digest and is
-- all that a node is known by; host is what it calls itself.
CREATE TABLE osquery_node (
  device   TEXT PRIMARY KEY REFERENCES device (id) ON DELETE CASCADE,
  key      BLOB NOT NULL UNIQUE,
  host     TEXT NOT NULL,
  token    TEXT NOT NULL,
  enrolled INTEGER NOT NULL
) STRICT;
