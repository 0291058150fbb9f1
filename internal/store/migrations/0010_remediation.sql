-- Remediation activities. They are never deleted. Times are Unix milliseconds, 0: none.
CREATE TABLE remediation (
  seq             INTEGER PRIMARY KEY AUTOINCREMENT, -- order of creation
  id              TEXT NOT NULL UNIQUE,              -- UUID
  recommendation  TEXT NOT NULL,
  type            TEXT NOT NULL,                     -- what is done: Update, AttentionRequired …
  title           TEXT NOT NULL,
  spec            BLOB NOT NULL,                     -- JSON: what was asked for, as it was then
  priority        TEXT NOT NULL,
  due             INTEGER NOT NULL,
  notes           TEXT NOT NULL,
  targets         BLOB NOT NULL,                     -- device numbers, a roaring bitmap
  created         INTEGER NOT NULL,
  created_by      TEXT NOT NULL,
  created_by_id   TEXT NOT NULL,
  status          TEXT NOT NULL,                     -- Active, Completed
  status_at       INTEGER NOT NULL,
  method          TEXT NOT NULL DEFAULT '',          -- of completion: Automatic, Manual
  completed_by    TEXT NOT NULL DEFAULT '',
  completed_by_id TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE remediation_history (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  remediation TEXT NOT NULL REFERENCES remediation (id),
  at          INTEGER NOT NULL,
  who         TEXT NOT NULL,
  what        TEXT NOT NULL,
  detail      TEXT NOT NULL
) STRICT;
CREATE INDEX remediation_history_of ON remediation_history (remediation, id);

-- Where tickets go. The secret is sealed with the key of the data directory.
CREATE TABLE ticket_destination (
  id      TEXT PRIMARY KEY,
  kind    TEXT NOT NULL,
  name    TEXT NOT NULL,
  config  BLOB NOT NULL, -- JSON, nothing secret
  secret  BLOB NOT NULL,
  enabled INTEGER NOT NULL,
  removed INTEGER NOT NULL DEFAULT 0,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  by      TEXT NOT NULL
) STRICT;

-- What goes out: written with the change that it tells of, kept afterwards.
-- begun is written before each attempt: one that ended with the process may
-- have got through, and the next one looks first.
CREATE TABLE ticket_delivery (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  key         TEXT NOT NULL UNIQUE, -- names it at the receiver
  remediation TEXT NOT NULL REFERENCES remediation (id),
  destination TEXT NOT NULL REFERENCES ticket_destination (id),
  event       TEXT NOT NULL,        -- created, completed, reopened
  body        BLOB NOT NULL,        -- JSON of the message
  state       TEXT NOT NULL,        -- pending, sent, dead
  created     INTEGER NOT NULL,
  attempts    INTEGER NOT NULL DEFAULT 0,
  begun       INTEGER NOT NULL DEFAULT 0, -- first attempt
  next        INTEGER NOT NULL,           -- earliest time of the next attempt
  until       INTEGER NOT NULL,           -- given up after this
  sent        INTEGER NOT NULL DEFAULT 0,
  error       TEXT NOT NULL DEFAULT '',
  mend        TEXT NOT NULL DEFAULT '',
  ref         TEXT NOT NULL DEFAULT '',   -- the ticket at the receiver
  url         TEXT NOT NULL DEFAULT '',
  phase       TEXT NOT NULL DEFAULT '',   -- open, in progress, closed; '' not known
  word        TEXT NOT NULL DEFAULT '',   -- the receiver's own word for it
  etag        TEXT NOT NULL DEFAULT '',
  polled      INTEGER NOT NULL DEFAULT 0,
  poll_next   INTEGER NOT NULL DEFAULT 0, -- 0: not asked again
  poll_error  TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX ticket_delivery_due ON ticket_delivery (next) WHERE state = 'pending';
CREATE INDEX ticket_delivery_poll ON ticket_delivery (poll_next) WHERE poll_next > 0;
CREATE INDEX ticket_delivery_of ON ticket_delivery (remediation, id);
