-- What changed what the fleet is exposed to, and the histories behind trends.

-- One change of the intelligence or of the checks. Scores are exact fractions
-- "num/den" of units of 10⁻¹⁵ points, '' where nothing was scored.
CREATE TABLE event_change (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  at             INTEGER NOT NULL, -- Unix milliseconds
  counted        BLOB    NOT NULL, -- devices that counted in scores then, a roaring bitmap
  score_version  INTEGER NOT NULL,
  score_before   TEXT    NOT NULL,
  score_after    TEXT    NOT NULL,
  secure_version INTEGER NOT NULL,
  secure_before  TEXT    NOT NULL, -- per cent, as an exact fraction
  secure_after   TEXT    NOT NULL
) STRICT;

-- News of one change about one product, check or exception. key is unique where
-- it is not '': publishing it again changes nothing.
CREATE TABLE event (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  change     INTEGER NOT NULL REFERENCES event_change (id),
  at         INTEGER NOT NULL,
  kind       TEXT    NOT NULL,
  key        TEXT    NOT NULL,
  product    TEXT    NOT NULL, -- product id, '' when it is about none
  vendor     TEXT    NOT NULL,
  component  TEXT    NOT NULL, -- what it is about, for people
  check_id   TEXT    NOT NULL, -- configuration check, '' when it is about none
  detail     TEXT    NOT NULL,
  link       TEXT    NOT NULL, -- path of the console, '' for none
  weaknesses BLOB    NOT NULL, -- zstd of the JSON array of ids
  devices    BLOB    NOT NULL  -- originally impacted, a roaring bitmap
) STRICT;
CREATE INDEX event_at ON event (at);
CREATE UNIQUE INDEX event_key ON event (key) WHERE key <> '';

-- What was told already, so that the same is never news twice:
-- what 'cover' (ecosystem and release that feeds speak for), 'threat' (weakness
-- with an exploit or in KEV, by level) and 'check' (configuration check).
CREATE TABLE noted (
  what  TEXT    NOT NULL,
  name  TEXT    NOT NULL,
  level INTEGER NOT NULL,
  PRIMARY KEY (what, name)
) STRICT, WITHOUT ROWID;

-- The secure score over time, as score_history.
CREATE TABLE secure_history (
  id         INTEGER PRIMARY KEY,
  at         INTEGER NOT NULL,
  version    INTEGER NOT NULL, -- of the formula
  checks     TEXT    NOT NULL, -- digest of the catalogue of checks
  got        TEXT    NOT NULL, -- exact fraction of points
  max        INTEGER NOT NULL,
  per_cent   REAL    NOT NULL,
  devices    INTEGER NOT NULL,
  categories TEXT    NOT NULL  -- JSON: per cent by category
) STRICT;
CREATE INDEX secure_history_at ON secure_history (at);

-- Exposed devices by cause, device group and day (UTC, days since 1970). A row
-- holds from its day until the next row of its cause and group; no row is 0.
CREATE TABLE trend_cause (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE -- id of a recommendation, or "software-_-" and a product id
) STRICT;
CREATE TABLE trend (
  cause   INTEGER NOT NULL REFERENCES trend_cause (id),
  grp     INTEGER NOT NULL,
  day     INTEGER NOT NULL,
  devices INTEGER NOT NULL,
  PRIMARY KEY (cause, grp, day)
) STRICT, WITHOUT ROWID;
