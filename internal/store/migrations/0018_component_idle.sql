-- Components that no device has, and since when. One whose row was removed
-- stays here until its number may be given to another. Times are Unix milliseconds.
CREATE TABLE component_idle (
  id    INTEGER PRIMARY KEY,
  since INTEGER NOT NULL,
  swept INTEGER NOT NULL DEFAULT 0 -- when its row was removed, 0: it is there
) STRICT;
