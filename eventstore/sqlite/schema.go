package sqlite

import "rentbook/eventstore/sqlite/sqlitefile"

const (
	applicationID = 0x52424c47 // "RBLG"
	schemaVersion = 1

	// readersMax is how many pages may be read at once; a page is milliseconds.
	readersMax = 8
)

// schema keeps an event small: names are numbers, and the ids of an event (its own, its command's,
// and, only where they differ from the command, correlation and causation) are one blob of 32 or 64
// bytes. A position is the row id. Nothing is ever deleted, so row ids have no gaps and are never
// given twice.
const schema = `
CREATE TABLE stream (
	id   INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE type (
	id   INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE actor (
	id           INTEGER PRIMARY KEY,
	actor        TEXT NOT NULL,
	role         TEXT NOT NULL,
	on_behalf_of TEXT NOT NULL,
	UNIQUE (actor, role, on_behalf_of)
) STRICT;

CREATE TABLE event (
	position  INTEGER PRIMARY KEY,
	stream    INTEGER NOT NULL,
	version   INTEGER NOT NULL,
	type      INTEGER NOT NULL,
	actor     INTEGER NOT NULL,
	at        INTEGER NOT NULL, -- microseconds since 1970
	checksum  INTEGER NOT NULL, -- CRC-32C, see checksum.go
	ids       BLOB    NOT NULL,
	authority TEXT,
	data      BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX event_of_stream ON event (stream, version);
`

func file(path string, pragmas ...string) sqlitefile.Config {
	return sqlitefile.Config{
		Path:          path,
		ApplicationID: applicationID,
		Version:       schemaVersion,
		Schema:        schema,
		Pragmas:       pragmas,
	}
}

// writing never checkpoints on its own: that would be in the middle of somebody's commit.
func writing(path string) sqlitefile.Config {
	return file(path, "wal_autocheckpoint=0", "cache_size=-32768")
}

func reading(path string) sqlitefile.Config { return file(path, "cache_size=-4096") }

func polling(path string) sqlitefile.Config { return file(path, "query_only=ON", "cache_size=-64") }
