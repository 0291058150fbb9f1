-- The device group of each device as it was last noted, and the moves from one
-- to another, by a stamp of the record of changes.
CREATE TABLE device_group_of (
  device INTEGER PRIMARY KEY,
  grp    INTEGER NOT NULL
) STRICT;

CREATE TABLE device_move (
  at     INTEGER PRIMARY KEY,
  device INTEGER NOT NULL,
  was    INTEGER NOT NULL,
  grp    INTEGER NOT NULL
) STRICT;
