-- Flags that people set on events of a device's timeline.
CREATE TABLE timeline_flag (
  device TEXT NOT NULL,
  event  TEXT NOT NULL,
  by     TEXT NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (device, event)
) STRICT, WITHOUT ROWID;
