-- Patch plans that were saved. body is what was predicted, as the server wrote it.
CREATE TABLE plan (
  id         INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL,
  created    INTEGER NOT NULL, -- Unix milliseconds
  created_by TEXT    NOT NULL,
  grps       TEXT,             -- device groups that it is for, as a JSON array; absent: all
  body       BLOB    NOT NULL
) STRICT;
