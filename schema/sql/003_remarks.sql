-- 003_remarks: sentences an experiment leaves about its results. Never edited once released.

ALTER TABLE run ADD COLUMN remarks TEXT NOT NULL DEFAULT '[]'; -- ["tau_minus is not determined: ..."]
