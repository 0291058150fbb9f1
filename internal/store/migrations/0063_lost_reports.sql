-- When an agent last told that it had to drop reports, or reports of it were last
-- refused, in Unix milliseconds; 0: never.
ALTER TABLE device ADD COLUMN lost_at INTEGER NOT NULL DEFAULT 0;
