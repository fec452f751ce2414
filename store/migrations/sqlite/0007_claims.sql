-- A claim of a job has a number of its own.
ALTER TABLE jobs ADD COLUMN claim INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET claim = leased_until;
