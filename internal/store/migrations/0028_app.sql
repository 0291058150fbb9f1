-- Applications: switched off or on, several secrets, use, limits. An application
-- with an owner is a person's own token.
ALTER TABLE app ADD COLUMN owner INTEGER REFERENCES account (id) ON DELETE CASCADE;
ALTER TABLE app ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE app ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
ALTER TABLE app ADD COLUMN last_used INTEGER NOT NULL DEFAULT 0;
ALTER TABLE app ADD COLUMN last_remote TEXT NOT NULL DEFAULT '';
ALTER TABLE app ADD COLUMN calls INTEGER NOT NULL DEFAULT 0;
ALTER TABLE app ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE app ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';

CREATE INDEX app_owner ON app (owner);

-- expires 0: never.
CREATE TABLE app_secret (
  id        TEXT PRIMARY KEY,
  app       TEXT NOT NULL REFERENCES app (client) ON DELETE CASCADE,
  hash      BLOB NOT NULL,
  hint      TEXT NOT NULL,
  note      TEXT NOT NULL,
  created   INTEGER NOT NULL,
  expires   INTEGER NOT NULL,
  last_used INTEGER NOT NULL
) STRICT;

CREATE INDEX app_secret_app ON app_secret (app, created);

INSERT INTO app_secret (id, app, hash, hint, note, created, expires, last_used)
  SELECT lower(hex(randomblob(8))), client, secret, '', '', created, 0, 0 FROM app;

ALTER TABLE app DROP COLUMN secret;

-- Public parts of keys that tokens were signed with, until the last of those ends.
CREATE TABLE retired_key (
  kid    TEXT PRIMARY KEY,
  public BLOB NOT NULL,
  until  INTEGER NOT NULL
) STRICT;
