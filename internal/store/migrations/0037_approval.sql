-- What somebody asked to be done on devices, or to the rules of approval, and
-- what became of it. user is 0 and app is empty for whoever asked on the
-- server itself. devices and results are JSON.
CREATE TABLE approval (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  kind      TEXT NOT NULL,
  args      BLOB NOT NULL,
  devices   BLOB NOT NULL,
  comment   TEXT NOT NULL,
  state     TEXT NOT NULL,
  requester TEXT NOT NULL,
  user      INTEGER NOT NULL,
  app       TEXT NOT NULL,
  created   INTEGER NOT NULL,
  expires   INTEGER NOT NULL,
  decider   TEXT NOT NULL DEFAULT '',
  decided   INTEGER NOT NULL DEFAULT 0,
  note      TEXT NOT NULL DEFAULT '',
  ended     INTEGER NOT NULL DEFAULT 0,
  result    TEXT NOT NULL DEFAULT '',
  results   BLOB NOT NULL DEFAULT x'7b7d'
) STRICT;

CREATE INDEX approval_state ON approval (state);
