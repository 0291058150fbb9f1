-- Tags that the agent gives its device, as a JSON array of texts.
ALTER TABLE device ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
