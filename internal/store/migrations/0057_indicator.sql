-- Indicators: values that people and programs want to be told of. Times are Unix nanoseconds, 0: none.
CREATE TABLE indicator (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  type         TEXT NOT NULL,
  value        TEXT NOT NULL,              -- as it was written
  key          TEXT NOT NULL,              -- as it is compared
  action       TEXT NOT NULL,
  application  TEXT NOT NULL,
  external     TEXT NOT NULL,              -- id of whoever sent it
  source_type  TEXT NOT NULL,              -- User, AadApp
  owner        TEXT NOT NULL,              -- app:CLIENT, person:ACCOUNT
  created_by   TEXT NOT NULL,
  source_name  TEXT NOT NULL,              -- name of created_by
  updated_by   TEXT NOT NULL,
  created      INTEGER NOT NULL,
  updated      INTEGER NOT NULL,
  expires      INTEGER NOT NULL DEFAULT 0,
  severity     TEXT NOT NULL,
  title        TEXT NOT NULL,
  description  TEXT NOT NULL,
  recommended  TEXT NOT NULL,
  groups       TEXT NOT NULL,              -- numbers of device groups parted by blanks; none: all devices
  generate     INTEGER NOT NULL,
  educate      TEXT NOT NULL,
  matched      INTEGER NOT NULL DEFAULT 0, -- events
  last_matched INTEGER NOT NULL DEFAULT 0,
  look         TEXT NOT NULL,              -- how far the look at stored events is
  look_devices INTEGER NOT NULL DEFAULT 0,
  look_events  INTEGER NOT NULL DEFAULT 0,
  UNIQUE (type, key)
) STRICT;
