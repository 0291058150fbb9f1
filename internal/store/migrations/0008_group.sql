-- Device groups. A device is in the first group by rank whose rules hold.
CREATE TABLE device_group (
  id          INTEGER PRIMARY KEY AUTOINCREMENT, -- small, rising, never used twice
  name        TEXT NOT NULL UNIQUE COLLATE NOCASE,
  description TEXT NOT NULL,
  rank        INTEGER NOT NULL, -- lowest first
  rules       BLOB NOT NULL     -- JSON of group.Rule
) STRICT;

-- Rules that give a tag.
CREATE TABLE tag_rule (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  tag         TEXT NOT NULL UNIQUE COLLATE NOCASE,
  description TEXT NOT NULL,
  rules       BLOB NOT NULL
) STRICT;

-- Tags that people and programs gave to devices.
CREATE TABLE device_tag (
  device INTEGER NOT NULL,
  tag    TEXT NOT NULL,
  PRIMARY KEY (device, tag)
) STRICT, WITHOUT ROWID;
