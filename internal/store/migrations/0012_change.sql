-- What the fleet was before each change, newest window only: the state at an
-- earlier time is worked out by undoing. device -1: a change of the
-- intelligence. at is Unix microseconds and rises strictly from row to row.
CREATE TABLE change (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  device INTEGER NOT NULL,
  at     INTEGER NOT NULL,
  body   BLOB    NOT NULL -- zstd of JSON, see change.go
) STRICT;
CREATE INDEX change_device ON change (device, at);
CREATE INDEX change_at ON change (at);
