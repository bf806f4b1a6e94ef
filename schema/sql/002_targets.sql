-- 002_targets: what an experiment had to reach, and its score. Never edited once released.

ALTER TABLE run ADD COLUMN targets TEXT NOT NULL DEFAULT '[]'; -- [{name, unit, value, low, high, pass}]
ALTER TABLE run ADD COLUMN score   TEXT;                       -- {name, unit, value, higher_is_better, reference}
