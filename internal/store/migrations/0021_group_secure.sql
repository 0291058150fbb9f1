-- What the secure score of each device group was made from over time: a row
-- when it changed. The score of several groups follows from their counts
-- together, not from their scores. at rises from change to change.
CREATE TABLE group_secure_history (
  grp     INTEGER NOT NULL,
  at      INTEGER NOT NULL, -- Unix milliseconds
  devices INTEGER NOT NULL,
  counts  BLOB    NOT NULL  -- devices with each result, by check; the server's
) STRICT;
CREATE INDEX group_secure_history_grp ON group_secure_history (grp, at);
CREATE INDEX group_secure_history_at ON group_secure_history (at);
