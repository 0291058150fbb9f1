-- What the audit log is found by: the address that a request came from, as the
-- record has it, and columns that the console filters by.
ALTER TABLE audit ADD COLUMN remote TEXT GENERATED ALWAYS AS (coalesce(json_extract(CAST(record AS TEXT), '$.remote'), '')) VIRTUAL;
CREATE INDEX audit_action ON audit (action, seq);
CREATE INDEX audit_remote ON audit (remote, seq);
CREATE INDEX audit_at ON audit (at, seq);
