-- What changes of the intelligence taught of components since their rows were
-- written: one short row a change, in place of thousands of long ones. A row of
-- component holds all entries up to its log.
CREATE TABLE known_log (
  id   INTEGER PRIMARY KEY AUTOINCREMENT, -- rising, never used twice
  body BLOB NOT NULL                      -- see pack.go
) STRICT;
ALTER TABLE component ADD COLUMN log INTEGER NOT NULL DEFAULT 0;
