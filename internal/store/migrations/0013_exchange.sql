-- Where a device's inventory comes from: '' its agent, 'sbom' a bill of materials.
ALTER TABLE device ADD COLUMN source TEXT NOT NULL DEFAULT '';

-- The bill of materials that a device without an agent was made from last.
CREATE TABLE sbom (
  device   INTEGER PRIMARY KEY, -- device.num
  subject  TEXT    NOT NULL,    -- what the device's id is derived from
  format   TEXT    NOT NULL,
  spec     TEXT    NOT NULL,
  serial   TEXT    NOT NULL,
  tools    TEXT    NOT NULL,    -- JSON array
  digest   TEXT    NOT NULL,    -- SHA-256 of the document
  made     INTEGER NOT NULL,    -- as the document says, else when it came; Unix milliseconds
  loaded   INTEGER NOT NULL,
  loaded_by TEXT   NOT NULL,
  packages INTEGER NOT NULL,
  unread   INTEGER NOT NULL     -- components that were not taken
) STRICT;

-- Documents that say what products are, or are not, affected by.
CREATE TABLE vex (
  id        TEXT PRIMARY KEY,  -- from author and document id
  format    TEXT    NOT NULL,
  author    TEXT    NOT NULL,
  document  TEXT    NOT NULL,
  version   TEXT    NOT NULL,
  title     TEXT    NOT NULL,
  digest    TEXT    NOT NULL,  -- SHA-256 of the document
  made      INTEGER NOT NULL,  -- last change as the document says; Unix milliseconds
  loaded    INTEGER NOT NULL,
  loaded_by TEXT    NOT NULL,
  body      BLOB    NOT NULL   -- the document as it came, zstd
) STRICT;
