-- 001_init: runs, their events and results, data sets. Never edited once released.
-- Times are unix milliseconds, UTC. JSON columns hold JSON text.

CREATE TABLE run (
	id            TEXT PRIMARY KEY,                 -- 32 hex digits
	seq           INTEGER NOT NULL UNIQUE,          -- order of creation, for lists and cursors
	version       INTEGER NOT NULL DEFAULT 1,       -- grows with every change; the ETag and since_version
	state         TEXT NOT NULL,                    -- server/run.c has the list
	name          TEXT NOT NULL DEFAULT '',
	tags          TEXT NOT NULL DEFAULT '[]',
	notes         TEXT NOT NULL DEFAULT '',
	preset        TEXT,
	experiment    TEXT,
	spec          TEXT NOT NULL,                    -- as it will run (overrides applied, seed filled in)
	spec_sha256   TEXT NOT NULL,                    -- of the canonical spec
	seed          TEXT NOT NULL,
	threads       INTEGER NOT NULL DEFAULT 1,
	created_ms    INTEGER NOT NULL,
	started_ms    INTEGER,
	finished_ms   INTEGER,
	duration_ms   REAL NOT NULL DEFAULT 0,          -- biological
	t_ms          REAL NOT NULL DEFAULT 0,          -- reached, when it ended
	wall_s        REAL NOT NULL DEFAULT 0,
	digest        TEXT,
	provenance    TEXT NOT NULL DEFAULT '{}',
	counts        TEXT NOT NULL DEFAULT '{}',
	metrics       TEXT NOT NULL DEFAULT '{}',
	shape         TEXT NOT NULL DEFAULT '{}',       -- populations and projections with sizes, from result.json
	partial       INTEGER NOT NULL DEFAULT 0,
	error         TEXT,                             -- problem, JSON
	log           TEXT NOT NULL DEFAULT '',
	keep_days     INTEGER
) STRICT;
CREATE INDEX run_state ON run (state, seq);
CREATE INDEX run_spec ON run (spec_sha256, seq);

CREATE TABLE event (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,   -- the SSE id
	topic      TEXT NOT NULL,                       -- run:ID
	kind       TEXT NOT NULL,                       -- state, log
	created_ms INTEGER NOT NULL,
	data       TEXT NOT NULL
) STRICT;
CREATE INDEX event_topic ON event (topic, seq);

-- One recorder's harvest. kind, subject, name, meta: core/rundir.h.
CREATE TABLE recording (
	id      INTEGER PRIMARY KEY,
	run_id  TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	kind    TEXT NOT NULL,
	subject TEXT NOT NULL,
	name    TEXT NOT NULL,
	meta    TEXT NOT NULL,
	visible INTEGER NOT NULL DEFAULT 0              -- set by the transaction that ends the run
) STRICT;
CREATE INDEX recording_run ON recording (run_id, kind, subject, name);

CREATE TABLE recording_column (
	id           INTEGER PRIMARY KEY,
	recording_id INTEGER NOT NULL REFERENCES recording (id) ON DELETE CASCADE,
	position     INTEGER NOT NULL,
	name         TEXT NOT NULL,
	type         TEXT NOT NULL,                     -- numpy descr: <f8
	rows         INTEGER NOT NULL,
	width        INTEGER NOT NULL
) STRICT;
CREATE INDEX column_recording ON recording_column (recording_id, position);

-- At most 4 MiB each, in byte order of the column; a chunk holds whole values (not always whole rows).
CREATE TABLE chunk (
	column_id INTEGER NOT NULL REFERENCES recording_column (id) ON DELETE CASCADE,
	offset    INTEGER NOT NULL,                     -- bytes
	data      BLOB NOT NULL,
	PRIMARY KEY (column_id, offset)
) STRICT, WITHOUT ROWID;

CREATE TABLE dataset (
	id         TEXT PRIMARY KEY,
	seq        INTEGER NOT NULL UNIQUE,
	name       TEXT NOT NULL,
	kind       TEXT NOT NULL,                       -- csv, npy, npz, idx
	sha256     TEXT NOT NULL,
	bytes      INTEGER NOT NULL,                    -- of the upload
	created_ms INTEGER NOT NULL,
	fields     TEXT NOT NULL                        -- [{"name", "dtype", "shape"}]; values: DATA/datasets/ID.FIELD.npy
) STRICT;

CREATE TABLE idempotency (
	key         TEXT PRIMARY KEY,
	body_sha256 TEXT NOT NULL,
	run_id      TEXT NOT NULL,
	created_ms  INTEGER NOT NULL
) STRICT;
