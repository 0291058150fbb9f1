-- Queries of hunting that people saved. owner is the account that made it, author
-- its name then; shared ones everybody who may hunt can read. What a person shared
-- stays when the account goes.
CREATE TABLE hunt_query (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  owner       INTEGER REFERENCES account (id) ON DELETE SET NULL,
  author      TEXT NOT NULL,
  name        TEXT NOT NULL,
  description TEXT NOT NULL,
  query       TEXT NOT NULL,
  shared      INTEGER NOT NULL,
  created     INTEGER NOT NULL,
  updated     INTEGER NOT NULL,
  UNIQUE (owner, name)
) STRICT;
