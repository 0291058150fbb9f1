-- Investigations of devices. What the agent is asked to do is the machine action of
-- the kind investigate; this is what is known besides. device is the id. Times are
-- Unix milliseconds, 0: none. state is empty until it has ended.
CREATE TABLE investigation (
  n         INTEGER PRIMARY KEY AUTOINCREMENT,     -- its id
  action    TEXT NOT NULL UNIQUE,                  -- id of the machine action
  device    TEXT NOT NULL,
  name      TEXT NOT NULL,                         -- of the device then
  requester TEXT NOT NULL,
  comment   TEXT NOT NULL,
  trigger   TEXT NOT NULL,                         -- id of the alert that began it, or empty
  started   INTEGER NOT NULL,
  ended     INTEGER NOT NULL DEFAULT 0,
  state     TEXT NOT NULL DEFAULT '',
  details   TEXT NOT NULL DEFAULT '',              -- of the state, in a sentence
  canceller TEXT NOT NULL DEFAULT '',
  asked     BLOB NOT NULL DEFAULT x'6e756c6c',     -- JSON: the things that the agent was asked for
  evidence  BLOB NOT NULL DEFAULT x'6e756c6c'      -- JSON: what came of each, with its verdict
) STRICT;

CREATE INDEX investigation_device ON investigation (device, n);
CREATE INDEX investigation_open ON investigation (n) WHERE ended = 0;

-- Its alerts, by their ids.
CREATE TABLE investigation_alert (
  investigation INTEGER NOT NULL REFERENCES investigation (n) ON DELETE CASCADE,
  alert         TEXT NOT NULL,
  PRIMARY KEY (investigation, alert)
) STRICT, WITHOUT ROWID;

-- What happened, in order.
CREATE TABLE investigation_log (
  n             INTEGER PRIMARY KEY AUTOINCREMENT,
  investigation INTEGER NOT NULL REFERENCES investigation (n) ON DELETE CASCADE,
  at            INTEGER NOT NULL,
  text          TEXT NOT NULL
) STRICT;

CREATE INDEX investigation_log_of ON investigation_log (investigation, n);
