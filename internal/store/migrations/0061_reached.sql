-- Devices that took a connection from the internet: the last one that is noted. at is
-- when the server learnt it, in Unix milliseconds; remote is the other side's address.
CREATE TABLE device_reached (
  device INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  remote TEXT NOT NULL,
  port   INTEGER NOT NULL   -- of the device
) STRICT;
