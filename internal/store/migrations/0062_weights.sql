-- The weights of devices that a score was made with; '' for those that hold
-- unless somebody sets others. A change of them is drawn on the trend, as a change of the formula is.
ALTER TABLE score_history ADD COLUMN weights TEXT NOT NULL DEFAULT '';
ALTER TABLE group_score_history ADD COLUMN weights TEXT NOT NULL DEFAULT '';
