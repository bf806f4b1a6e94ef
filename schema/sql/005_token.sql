-- 005_token: who may ask for what, and whose a run is. Never edited once released.

-- Rows stay when a token is revoked: once there was one, every request needs one.
CREATE TABLE token (
	id         TEXT PRIMARY KEY,
	seq        INTEGER NOT NULL UNIQUE,
	name       TEXT NOT NULL,                       -- the owner of what is made with it
	sha256     TEXT NOT NULL,                       -- of the whole token, which is kept nowhere
	scopes     TEXT NOT NULL,                       -- read,run
	created_ms INTEGER NOT NULL,
	expires_ms INTEGER,
	revoked_ms INTEGER
) STRICT;

ALTER TABLE run ADD COLUMN owner TEXT; -- name of the token it was made with; NULL: everybody's
