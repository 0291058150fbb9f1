-- What people reported as inaccurate, with what the server knew at that time.
CREATE TABLE inaccuracy (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	at INTEGER NOT NULL,
	by_name TEXT NOT NULL,
	kind TEXT NOT NULL,
	subject TEXT NOT NULL,
	title TEXT NOT NULL,
	category TEXT NOT NULL,
	details TEXT NOT NULL,
	evidence BLOB NOT NULL,
	status TEXT NOT NULL,
	changed INTEGER NOT NULL,
	changed_by TEXT NOT NULL
) STRICT;
