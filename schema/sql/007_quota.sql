-- 007_quota: runs that are kept, whose a data set is, what a token may take. Never edited once released.

ALTER TABLE run ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0; -- never deleted by the server
ALTER TABLE dataset ADD COLUMN owner TEXT;                    -- name of the token it was made with; NULL: everybody's
ALTER TABLE token ADD COLUMN quota_runs INTEGER;              -- runs that wait at once; NULL: no limit
ALTER TABLE token ADD COLUMN quota_sessions INTEGER;
ALTER TABLE token ADD COLUMN quota_mb INTEGER;                -- runs' results, checkpoints and data sets together
CREATE INDEX run_owner ON run (owner, state);
