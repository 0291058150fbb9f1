-- Devices that people took out of scores and lists, with why. at is in Unix milliseconds.
CREATE TABLE device_exclusion (
  device  INTEGER PRIMARY KEY,
  reason  TEXT NOT NULL,
  comment TEXT NOT NULL,
  who     TEXT NOT NULL,
  at      INTEGER NOT NULL
) STRICT;
