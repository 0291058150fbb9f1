-- Applications that act for people who let them. public: it keeps no secret.
ALTER TABLE app ADD COLUMN public INTEGER NOT NULL DEFAULT 0;
ALTER TABLE app ADD COLUMN redirects TEXT NOT NULL DEFAULT '[]';
ALTER TABLE app ADD COLUMN delegated TEXT NOT NULL DEFAULT '[]';
ALTER TABLE app ADD COLUMN device_code INTEGER NOT NULL DEFAULT 0;

-- What a person let an application do. family, refresh and code are SHA-256
-- digests: of the part of its refresh tokens that stays, of the part that
-- changes, and of the code that it was got with.
CREATE TABLE app_grant (
  id      TEXT PRIMARY KEY,
  app     TEXT NOT NULL REFERENCES app (client) ON DELETE CASCADE,
  account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  scopes  TEXT NOT NULL,
  method  TEXT NOT NULL, -- how the person had signed in
  way     TEXT NOT NULL, -- code, device
  remote  TEXT NOT NULL,
  created INTEGER NOT NULL,
  used    INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  family  BLOB UNIQUE,
  refresh BLOB,
  code    BLOB UNIQUE
) STRICT;

CREATE INDEX app_grant_account ON app_grant (account, used);
CREATE INDEX app_grant_app ON app_grant (app, used);

-- Authorization codes that nobody has shown yet, by digest.
CREATE TABLE auth_code (
  hash      BLOB PRIMARY KEY,
  app       TEXT NOT NULL REFERENCES app (client) ON DELETE CASCADE,
  account   INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  scopes    TEXT NOT NULL,
  offline   INTEGER NOT NULL,
  method    TEXT NOT NULL,
  redirect  TEXT NOT NULL,
  challenge TEXT NOT NULL,
  expires   INTEGER NOT NULL
) STRICT;

CREATE INDEX auth_code_account ON auth_code (account, expires);

-- Devices that wait for a person: both codes by digest. account NULL: nobody has decided.
CREATE TABLE device_code (
  hash      BLOB PRIMARY KEY,
  user_hash BLOB NOT NULL UNIQUE,
  app       TEXT NOT NULL REFERENCES app (client) ON DELETE CASCADE,
  account   INTEGER REFERENCES account (id) ON DELETE CASCADE,
  scopes    TEXT NOT NULL,
  offline   INTEGER NOT NULL,
  method    TEXT NOT NULL,
  remote    TEXT NOT NULL,
  state     TEXT NOT NULL, -- waiting, allowed, denied
  created   INTEGER NOT NULL,
  expires   INTEGER NOT NULL
) STRICT;
