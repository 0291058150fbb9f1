-- Accounts that a directory provisions (SCIM), under the names it gives them.
CREATE TABLE scim_user (
  account    INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
  id         TEXT NOT NULL UNIQUE,
  user_name  TEXT NOT NULL UNIQUE COLLATE NOCASE,
  external   TEXT NOT NULL, -- '': the directory gave none
  attributes TEXT NOT NULL, -- JSON: what else is kept of the user
  created    INTEGER NOT NULL,
  changed    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX scim_user_external ON scim_user (external) WHERE external <> '';
