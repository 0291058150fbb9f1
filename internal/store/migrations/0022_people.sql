-- Roles hold permissions and are given to user groups; people are members of
-- user groups; device groups say which user groups see them.
CREATE TABLE role (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  name        TEXT NOT NULL UNIQUE COLLATE NOCASE,
  description TEXT NOT NULL,
  permissions TEXT NOT NULL, -- JSON array; '[]' where built_in says what it holds
  built_in    TEXT NOT NULL  -- '': made by people
) STRICT;

CREATE TABLE user_group (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  name        TEXT NOT NULL UNIQUE COLLATE NOCASE,
  description TEXT NOT NULL,
  source      TEXT NOT NULL, -- 'local', or who else made it: 'oidc', 'scim'
  external    TEXT NOT NULL, -- how the source names it, '' when it does not
  built_in    TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX user_group_external ON user_group (source, external) WHERE external <> '';

CREATE TABLE user_group_role (
  user_group INTEGER NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
  role       INTEGER NOT NULL REFERENCES role (id) ON DELETE CASCADE,
  PRIMARY KEY (user_group, role)
) STRICT, WITHOUT ROWID;

-- A person may be a member by several sources; each takes only its own back.
CREATE TABLE user_group_member (
  account    INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  user_group INTEGER NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
  source     TEXT NOT NULL,
  PRIMARY KEY (account, user_group, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_group_member_of ON user_group_member (user_group);

-- A device group (0: the devices in none) without a row is seen by everybody.
CREATE TABLE device_group_access (
  device_group INTEGER NOT NULL,
  user_group   INTEGER NOT NULL REFERENCES user_group (id) ON DELETE RESTRICT,
  PRIMARY KEY (device_group, user_group)
) STRICT, WITHOUT ROWID;

INSERT INTO role (name, description, permissions, built_in) VALUES
  ('Administrator', 'Everything, on all devices.', '[]', 'administrator'),
  ('Security operator', 'Sees everything, and works with exceptions, remediation, devices and onboarding.', '[]', 'operator'),
  ('Security reader', 'Sees everything and changes nothing.', '[]', 'reader');
INSERT INTO user_group (name, description, source, external, built_in) VALUES
  ('Administrators', 'Has the role Administrator.', 'local', '', 'administrators');
INSERT INTO user_group_role (user_group, role) SELECT user_group.id, role.id FROM user_group, role WHERE role.built_in = 'administrator';
INSERT INTO user_group_member (account, user_group, source)
  SELECT account.id, user_group.id, 'local' FROM account, user_group WHERE account.role = 'Administrator';

ALTER TABLE account DROP COLUMN role;
ALTER TABLE account ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0; -- Unix milliseconds; 0: it is not

-- A link without an account signs the first administrator in.
ALTER TABLE signin_link ADD COLUMN account INTEGER REFERENCES account (id) ON DELETE CASCADE;
