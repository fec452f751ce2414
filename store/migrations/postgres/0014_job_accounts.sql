-- The account of a look, which its key has in its second part: so that claims can go round over accounts.
ALTER TABLE jobs ADD COLUMN account TEXT GENERATED ALWAYS AS (
  CASE WHEN kind = 'look' AND key LIKE '%/%/%' THEN substr(split_part(key, '/', 2), 1, 64) ELSE '' END) STORED;
CREATE INDEX jobs_by_account ON jobs (account, priority, run_at, id, leased_until);
