-- What devices report. device is device.num of 0002; times are Unix milliseconds.
CREATE TABLE section (
  device  INTEGER NOT NULL,
  name    TEXT    NOT NULL,
  status  TEXT    NOT NULL,
  reason  TEXT    NOT NULL,
  hash    TEXT    NOT NULL,
  seen    INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  items   INTEGER NOT NULL,
  body    BLOB    NOT NULL, -- zstd of the JSON array of items
  PRIMARY KEY (device, name)
) STRICT, WITHOUT ROWID;

-- One row per distinct component of the fleet; id is its dense number.
CREATE TABLE component (
  id      INTEGER PRIMARY KEY,
  spec    BLOB NOT NULL, -- JSON of exposure.Component
  known   BLOB NOT NULL  -- weaknesses known of it, and since when (see pack.go)
) STRICT;

-- What a device is, as lists show it, and which components it has since when.
CREATE TABLE device_state (
  device     INTEGER PRIMARY KEY,
  summary    BLOB NOT NULL, -- JSON
  components BLOB NOT NULL  -- which components since when, and what they replaced (see pack.go)
) STRICT;

-- Findings that are no longer there. component 0: of the whole device.
CREATE TABLE closed (
  id        INTEGER PRIMARY KEY,
  device    INTEGER NOT NULL, -- -1: every device that had the component
  component INTEGER NOT NULL,
  weakness  TEXT    NOT NULL,
  reason    TEXT    NOT NULL,
  detail    TEXT    NOT NULL,
  first     INTEGER NOT NULL,
  at        INTEGER NOT NULL
) STRICT;
CREATE INDEX closed_device ON closed (device, at);
CREATE INDEX closed_component ON closed (component, at);
