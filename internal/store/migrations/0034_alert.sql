-- Alerts on devices. Times are Unix nanoseconds, 0: none.
CREATE TABLE alert (
  seq            INTEGER PRIMARY KEY AUTOINCREMENT, -- order of creation
  id             TEXT NOT NULL UNIQUE,
  device         INTEGER NOT NULL,                  -- number
  title          TEXT NOT NULL,
  description    TEXT NOT NULL,
  recommended    TEXT NOT NULL,                     -- what to do about it
  category       TEXT NOT NULL,
  severity       TEXT NOT NULL,
  status         TEXT NOT NULL,
  classification TEXT NOT NULL DEFAULT '',
  determination  TEXT NOT NULL DEFAULT '',
  assigned       TEXT NOT NULL DEFAULT '',
  techniques     TEXT NOT NULL,                     -- ids parted by blanks
  source         TEXT NOT NULL,                     -- detection source
  maker          TEXT NOT NULL,                     -- who raised it
  user_name      TEXT NOT NULL,
  user_domain    TEXT NOT NULL,
  created        INTEGER NOT NULL,
  first_event    INTEGER NOT NULL,
  last_event     INTEGER NOT NULL,
  updated        INTEGER NOT NULL,
  resolved       INTEGER NOT NULL DEFAULT 0,
  dropped        INTEGER NOT NULL DEFAULT 0         -- events beyond what an alert keeps
) STRICT;
CREATE UNIQUE INDEX alert_open ON alert (device, title) WHERE status <> 'Resolved';

-- The events that an alert refers to, by their place in the device's timeline.
CREATE TABLE alert_event (
  alert INTEGER NOT NULL REFERENCES alert (seq) ON DELETE CASCADE,
  event TEXT NOT NULL,
  PRIMARY KEY (alert, event)
) STRICT, WITHOUT ROWID;

-- What those events tell of: JSON of the server. key tells the same thing in two events apart from another.
CREATE TABLE alert_evidence (
  n     INTEGER PRIMARY KEY AUTOINCREMENT,
  alert INTEGER NOT NULL REFERENCES alert (seq) ON DELETE CASCADE,
  key   TEXT NOT NULL,
  body  BLOB NOT NULL,
  UNIQUE (alert, key)
) STRICT;

-- Which alerts name a file, an address, a domain or a user, in lower case.
CREATE TABLE alert_entity (
  kind  TEXT NOT NULL,
  value TEXT NOT NULL,
  alert INTEGER NOT NULL REFERENCES alert (seq) ON DELETE CASCADE,
  PRIMARY KEY (kind, value, alert)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_entity_of ON alert_entity (alert);

-- What people wrote about an alert, and what was changed of it.
CREATE TABLE alert_note (
  n     INTEGER PRIMARY KEY AUTOINCREMENT,
  alert INTEGER NOT NULL REFERENCES alert (seq) ON DELETE CASCADE,
  at    INTEGER NOT NULL,
  by    TEXT NOT NULL,
  kind  TEXT NOT NULL, -- comment, change
  text  TEXT NOT NULL
) STRICT;
CREATE INDEX alert_note_of ON alert_note (alert, n);
