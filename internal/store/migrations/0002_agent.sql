CREATE TABLE device (
  num           INTEGER PRIMARY KEY AUTOINCREMENT, -- dense, rising, never used twice
  id            TEXT NOT NULL UNIQUE,              -- 40 hexadecimal digits, from the key
  key_hash      TEXT NOT NULL,                     -- SHA-256 of the public key
  first_seen    INTEGER NOT NULL,                  -- Unix milliseconds, as all times here
  last_seen     INTEGER NOT NULL,
  agent_version TEXT NOT NULL DEFAULT '',
  agent_os      TEXT NOT NULL DEFAULT '',
  agent_arch    TEXT NOT NULL DEFAULT '',
  clone_of      TEXT NOT NULL DEFAULT '',          -- device whose key was found alive twice
  nonce         TEXT NOT NULL DEFAULT '',          -- last one that the agent has on its disk
  nonce_offered TEXT NOT NULL DEFAULT '',          -- offered in the running session, not confirmed yet
  nonce_branch  TEXT NOT NULL DEFAULT '',          -- current when a stale one was last accepted
  restores      INTEGER NOT NULL DEFAULT 0,        -- how often a stale nonce was accepted
  machine_id    TEXT NOT NULL DEFAULT '',          -- evidence of the last accepted session
  boot_id       TEXT NOT NULL DEFAULT '',
  macs          TEXT NOT NULL DEFAULT '',          -- joined by blanks
  last_seq      INTEGER NOT NULL DEFAULT 0,        -- highest delivery that is durable
  dropped       INTEGER NOT NULL DEFAULT 0,        -- records that the agent's spool lost, as it says
  queued        INTEGER NOT NULL DEFAULT 0,        -- records that wait in the agent's spool, as it says
  rejected      INTEGER NOT NULL DEFAULT 0         -- deltas that were never taken
) STRICT;
CREATE INDEX device_clone ON device (clone_of) WHERE clone_of <> '';

CREATE TABLE enroll_token (
  id         TEXT PRIMARY KEY,
  hash       TEXT NOT NULL UNIQUE, -- SHA-256 of the secret
  note       TEXT NOT NULL,
  uses       INTEGER NOT NULL DEFAULT 0,
  max_uses   INTEGER NOT NULL,     -- 0: no limit
  created    INTEGER NOT NULL,
  expires    INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  revoked    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE agent_cert (
  serial  TEXT PRIMARY KEY,
  device  TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  token   TEXT NOT NULL DEFAULT '', -- id of the enrolment token, when one was used
  issued  INTEGER NOT NULL,
  expires INTEGER NOT NULL
) STRICT;
CREATE INDEX agent_cert_device ON agent_cert (device);
CREATE INDEX agent_cert_expires ON agent_cert (expires);
