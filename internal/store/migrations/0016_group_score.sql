-- The exposure score of each device group over time: a row when it changed.
-- num and den are exact and add up over groups; at rises from change to change.
CREATE TABLE group_score_history (
  grp     INTEGER NOT NULL,
  at      INTEGER NOT NULL, -- Unix milliseconds
  version INTEGER NOT NULL, -- of the formula
  num     TEXT    NOT NULL,
  den     INTEGER NOT NULL,
  devices INTEGER NOT NULL
) STRICT;
CREATE INDEX group_score_history_grp ON group_score_history (grp, at);
CREATE INDEX group_score_history_at ON group_score_history (at);
