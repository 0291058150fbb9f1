-- What a device is worth to the organisation; absent: normal.
CREATE TABLE device_value (
  device INTEGER PRIMARY KEY,
  value  TEXT NOT NULL
) STRICT;

-- The exposure score over time. num and den are exact (see docs/scoring.md);
-- at never falls, whatever the clock does.
CREATE TABLE score_history (
  id      INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL, -- Unix milliseconds
  version INTEGER NOT NULL, -- of the formula
  num     TEXT    NOT NULL,
  den     INTEGER NOT NULL,
  score   REAL    NOT NULL, -- num / den in points
  devices INTEGER NOT NULL,
  none    INTEGER NOT NULL, -- devices by level
  low     INTEGER NOT NULL,
  medium  INTEGER NOT NULL,
  high    INTEGER NOT NULL
) STRICT;
CREATE INDEX score_history_at ON score_history (at);
