-- Exceptions: what people, or documents that were imported, took out of what
-- there is to do. Ended ones stay.
CREATE TABLE exception (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  source TEXT    NOT NULL, -- the document that it came from; '': a person made it
  spec   TEXT    NOT NULL, -- JSON, the server's
  ended  INTEGER NOT NULL DEFAULT 0 -- Unix milliseconds; 0: it is not over
) STRICT;

-- What became of each exception.
CREATE TABLE exception_event (
  id        INTEGER PRIMARY KEY,
  exception INTEGER NOT NULL REFERENCES exception (id),
  at        INTEGER NOT NULL, -- Unix milliseconds
  type      TEXT    NOT NULL,
  detail    TEXT    NOT NULL,
  who       TEXT    NOT NULL  -- '': the server itself
) STRICT;
CREATE INDEX exception_event_of ON exception_event (exception, at);
