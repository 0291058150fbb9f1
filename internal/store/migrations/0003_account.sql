-- What this installation is: tenant id, signing keys.
CREATE TABLE identity (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

CREATE TABLE account (
  id       INTEGER PRIMARY KEY,
  name     TEXT NOT NULL UNIQUE,
  display  TEXT NOT NULL,
  role     TEXT NOT NULL,
  password TEXT NOT NULL,
  prefs    BLOB NOT NULL,
  created  INTEGER NOT NULL
) STRICT;

-- Secrets of sessions, links and applications are kept as SHA-256 digests.
CREATE TABLE session (
  hash    BLOB PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  created INTEGER NOT NULL,
  used    INTEGER NOT NULL,
  remote  TEXT NOT NULL
) STRICT;

CREATE INDEX session_account ON session (account, used);

CREATE TABLE signin_link (
  hash    BLOB PRIMARY KEY,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL
) STRICT;

CREATE TABLE app (
  client      TEXT PRIMARY KEY,
  name        TEXT NOT NULL,
  secret      BLOB NOT NULL,
  permissions TEXT NOT NULL,
  created     INTEGER NOT NULL
) STRICT;
