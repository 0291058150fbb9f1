-- Where news goes as it happens. cursor is the last entry of the outbox that
-- the receiver has, or that was left out and counted in dropped.
CREATE TABLE forward (
  id        TEXT PRIMARY KEY,
  kind      TEXT NOT NULL,
  name      TEXT NOT NULL,
  enabled   INTEGER NOT NULL,
  classes   TEXT NOT NULL,
  config    BLOB NOT NULL,
  secret    BLOB NOT NULL,
  updated   INTEGER NOT NULL,
  by        TEXT NOT NULL,
  cursor    INTEGER NOT NULL,
  sent      INTEGER NOT NULL DEFAULT 0,
  dropped   INTEGER NOT NULL DEFAULT 0,
  last_sent INTEGER NOT NULL DEFAULT 0,
  attempts  INTEGER NOT NULL DEFAULT 0,
  next      INTEGER NOT NULL DEFAULT 0,
  error     TEXT NOT NULL DEFAULT '',
  mend      TEXT NOT NULL DEFAULT ''
) STRICT;

-- Written with what it points at, in one transaction. Numbers only rise.
CREATE TABLE forward_outbox (
  seq   INTEGER PRIMARY KEY AUTOINCREMENT,
  class TEXT NOT NULL,
  ref   INTEGER NOT NULL
) STRICT;
