-- What was asked to be done on a device once, and what became of it. device is
-- the id, name what it was called then. user is 0 and app is empty for whoever
-- asked on the server itself. Times are Unix milliseconds, 0: none.
CREATE TABLE machine_action (
  n            INTEGER PRIMARY KEY AUTOINCREMENT,   -- order of creation
  id           TEXT NOT NULL UNIQUE,
  kind         TEXT NOT NULL,                       -- of a task of the protocol
  scope        TEXT NOT NULL,
  device       TEXT NOT NULL,
  name         TEXT NOT NULL,
  requester    TEXT NOT NULL,
  user         INTEGER NOT NULL,
  app          TEXT NOT NULL,
  comment      TEXT NOT NULL,
  external     TEXT NOT NULL,                       -- free id that a program gave
  status       TEXT NOT NULL,
  approval     INTEGER NOT NULL,                    -- request for it; 0: none was needed
  waits        INTEGER NOT NULL,                    -- 1: that is not approved yet
  until        INTEGER NOT NULL,                    -- when what it does ends by itself
  created      INTEGER NOT NULL,
  updated      INTEGER NOT NULL,
  expires      INTEGER NOT NULL,                    -- not begun by then, it is not begun any more
  sent         INTEGER NOT NULL DEFAULT 0,          -- first handed to the agent
  started      INTEGER NOT NULL DEFAULT 0,
  ended        INTEGER NOT NULL DEFAULT 0,
  error        TEXT NOT NULL DEFAULT '',            -- in a sentence
  result       BLOB NOT NULL DEFAULT x'6e756c6c',   -- JSON
  canceller    TEXT NOT NULL DEFAULT '',
  cancel_note  TEXT NOT NULL DEFAULT '',
  cancelled    INTEGER NOT NULL DEFAULT 0,          -- when somebody asked for that
  package      INTEGER NOT NULL DEFAULT 0,          -- bytes of its package on disk
  package_hash TEXT NOT NULL DEFAULT '',
  package_gone TEXT NOT NULL DEFAULT ''             -- why it is not there any more
) STRICT;

CREATE UNIQUE INDEX machine_action_active ON machine_action (device, kind) WHERE status IN ('Pending', 'InProgress');
CREATE INDEX machine_action_device ON machine_action (device, n);
CREATE INDEX machine_action_approval ON machine_action (approval) WHERE approval <> 0;
CREATE INDEX machine_action_package ON machine_action (n) WHERE package > 0;

-- What the agent's host says that it can do, and whether it is isolated: JSON of the protocol.
ALTER TABLE device ADD COLUMN response BLOB NOT NULL DEFAULT x'';
