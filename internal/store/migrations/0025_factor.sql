-- Where a session came from and how its person signed in.
ALTER TABLE session ADD COLUMN agent TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN method TEXT NOT NULL DEFAULT '';

-- Second factors. The secret of one-time codes is sealed with the key beside the
-- database; step is the last 30-second step whose code was accepted, 0 before
-- the first: then the secret is not confirmed and asks nobody for anything.
CREATE TABLE totp (
  account INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
  secret  BLOB NOT NULL,
  step    INTEGER NOT NULL,
  created INTEGER NOT NULL
) STRICT;

-- Recovery codes, as SHA-256 digests; a code that was used is deleted.
CREATE TABLE recovery_code (
  account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  hash    BLOB NOT NULL,
  PRIMARY KEY (account, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE passkey (
  id         BLOB PRIMARY KEY, -- of the credential
  account    INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  name       TEXT NOT NULL,
  credential BLOB NOT NULL,    -- public key and counters, JSON
  doubt      INTEGER NOT NULL, -- 1: its counter went backwards once, so there may be a copy
  created    INTEGER NOT NULL,
  used       INTEGER NOT NULL  -- 0: never
) STRICT;

CREATE INDEX passkey_account ON passkey (account, created);

-- Failed attempts that make the next ones wait, so that a restart forgives nothing.
CREATE TABLE attempt (
  kind TEXT NOT NULL, -- account, address, factor
  key  TEXT NOT NULL,
  n    INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
