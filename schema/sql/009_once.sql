-- 009_once: Idempotency-Keys with the answers they were given. Never edited once released.

-- The older table knew runs and data sets only, and neither query nor answer: its keys are forgotten.
DROP TABLE idempotency;

CREATE TABLE once (
	owner          TEXT NOT NULL,                   -- name of the token it was sent with; '': there were none
	key            TEXT NOT NULL,                   -- Idempotency-Key
	request_sha256 TEXT NOT NULL,                   -- of method, path, query and body
	state          INTEGER NOT NULL,                -- enum store_once_state
	effect         TEXT,                            -- written together with what the request made: how to answer from that
	note           TEXT,                            -- of a request whose client went away: how to go on, by this process
	status         INTEGER,                         -- the answer, when it was given
	location       TEXT,
	body           BLOB,
	created_ms     INTEGER NOT NULL,
	PRIMARY KEY (owner, key)
) STRICT;
CREATE INDEX once_created ON once (created_ms);
