-- 008_sweep: one spec over a grid of values and seeds. Never edited once released.

CREATE TABLE sweep (
	id          TEXT PRIMARY KEY,                   -- 32 hex digits
	seq         INTEGER NOT NULL UNIQUE,            -- order of creation
	version     INTEGER NOT NULL DEFAULT 1,         -- grows with every change of state
	state       TEXT NOT NULL,                      -- running, cancelling, cancelled, finished
	name        TEXT NOT NULL DEFAULT '',
	tags        TEXT NOT NULL DEFAULT '[]',         -- of its runs, too
	notes       TEXT NOT NULL DEFAULT '',
	owner       TEXT,                               -- name of the token it was made with; NULL: everybody's
	preset      TEXT,
	experiment  TEXT,
	spec        TEXT NOT NULL,                      -- before the axes are set
	axes        TEXT NOT NULL,                      -- [{"path", "name", "values"}], the last runs fastest
	seeds       TEXT NOT NULL,                      -- ["1"], run faster than every axis
	metric      TEXT,                               -- what is to be best; NULL: the score its runs leave
	goal        TEXT,                               -- max, min; NULL: as the score says
	threads     INTEGER NOT NULL DEFAULT 1,
	keep_days   INTEGER NOT NULL DEFAULT 0,         -- of its runs; 0: for ever
	reuse       INTEGER NOT NULL DEFAULT 0,         -- stored runs of the same spec serve
	quota_runs  INTEGER NOT NULL DEFAULT 0,         -- of its owner when it was made; 0: none
	quota_mb    INTEGER NOT NULL DEFAULT 0,
	points      INTEGER NOT NULL,
	next_point  INTEGER NOT NULL DEFAULT 0,         -- those before it have their runs
	created_ms  INTEGER NOT NULL,
	finished_ms INTEGER
) STRICT;
CREATE INDEX sweep_state ON sweep (state, seq);

-- The run of a point; a row comes with its run, in one transaction.
CREATE TABLE sweep_point (
	sweep_id TEXT NOT NULL REFERENCES sweep (id) ON DELETE CASCADE,
	point    INTEGER NOT NULL,
	run_id   TEXT NOT NULL,                         -- may have been deleted since
	reused   INTEGER NOT NULL,                      -- it was there before
	PRIMARY KEY (sweep_id, point)
) STRICT, WITHOUT ROWID;

ALTER TABLE run ADD COLUMN sweep TEXT; -- id of the sweep it was made for
CREATE INDEX run_sweep ON run (sweep, state);
