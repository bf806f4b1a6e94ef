-- 004_verify: a run that repeats another to compare digests. Never edited once released.

ALTER TABLE run ADD COLUMN verify_of     TEXT; -- id of the run repeated
ALTER TABLE run ADD COLUMN verify_digest TEXT; -- its digest when this one was queued
