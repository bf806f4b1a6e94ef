-- 006_session: live simulations and what was saved of them. Never edited once released.

CREATE TABLE session (
	id          TEXT PRIMARY KEY,                   -- 32 hex digits; its folder is sessions/ID
	seq         INTEGER NOT NULL UNIQUE,            -- order of creation
	version     INTEGER NOT NULL DEFAULT 1,         -- grows with every change of this row
	state       TEXT NOT NULL,                      -- awake, parked, failed
	name        TEXT NOT NULL DEFAULT '',
	owner       TEXT,                               -- name of the token it was made with; NULL: everybody's
	preset      TEXT,
	parent      TEXT,                               -- the session it is a fork of, or run or checkpoint it began from
	spec        TEXT NOT NULL,
	spec_sha256 TEXT NOT NULL,
	seed        TEXT NOT NULL,
	threads     INTEGER NOT NULL DEFAULT 1,
	created_ms  INTEGER NOT NULL,
	used_ms     INTEGER NOT NULL,
	t_ms        REAL NOT NULL DEFAULT 0,            -- when it was last parked or saved
	error       TEXT                                -- why it failed, JSON
) STRICT;
CREATE INDEX session_state ON session (state, seq);

-- The data lie in sessions/SESSION/checkpoints/ID.
CREATE TABLE session_checkpoint (
	id         TEXT PRIMARY KEY,
	session_id TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
	t_ms       REAL NOT NULL,
	bytes      INTEGER NOT NULL,
	created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX session_checkpoint_session ON session_checkpoint (session_id);
