-- When a device without an agent was removed, and by whom; 0: it is there. Its
-- number and id stay its own: the same document makes it a device again.
ALTER TABLE device ADD COLUMN removed INTEGER NOT NULL DEFAULT 0; -- Unix milliseconds
ALTER TABLE device ADD COLUMN removed_by TEXT NOT NULL DEFAULT '';
