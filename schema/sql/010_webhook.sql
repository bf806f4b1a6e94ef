-- 010_webhook: who is told of the end of runs, sessions and sweeps, and what is still to be said. Never edited once released.

CREATE TABLE webhook (
	id         TEXT PRIMARY KEY,
	seq        INTEGER NOT NULL UNIQUE,             -- order of creation
	owner      TEXT,                                -- name of the token it was made with; NULL: everybody's
	name       TEXT NOT NULL DEFAULT '',
	url        TEXT NOT NULL,
	events     TEXT NOT NULL,                       -- JSON list of patterns: run.*, session.failed
	secret     TEXT NOT NULL,                       -- signs what is sent
	active     INTEGER NOT NULL DEFAULT 1,
	created_ms INTEGER NOT NULL
) STRICT;

-- The outbox: a row comes in the transaction of the change that it tells of.
CREATE TABLE webhook_delivery (
	seq         INTEGER PRIMARY KEY AUTOINCREMENT,
	id          TEXT NOT NULL UNIQUE,
	webhook_id  TEXT NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
	event       TEXT NOT NULL,                      -- run.succeeded
	body        TEXT NOT NULL,                      -- JSON, the same at every attempt
	created_ms  INTEGER NOT NULL,
	state       TEXT NOT NULL DEFAULT 'pending',    -- pending, delivered, failed
	next_ms     INTEGER,                            -- of the next attempt; NULL: there is none
	attempts    INTEGER NOT NULL DEFAULT 0,
	status      INTEGER,                            -- of the last attempt: status code, time, why not
	duration_ms REAL,
	error       TEXT,
	ended_ms    INTEGER
) STRICT;
CREATE INDEX webhook_delivery_next ON webhook_delivery (webhook_id, next_ms) WHERE next_ms IS NOT NULL;
CREATE INDEX webhook_delivery_list ON webhook_delivery (webhook_id, seq);
