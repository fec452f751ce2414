-- The usage ledger. A run is a packed part of it (package usage); reading merges the runs of a part. seen and proved hold a bit for each hour of a month.
-- The body of a mark is empty for a file that was read whole: there are many of these.
CREATE TABLE usage_runs (part BIGINT NOT NULL, run BIGINT NOT NULL, body BYTEA NOT NULL, PRIMARY KEY (part, run));
CREATE TABLE usage_marks (file TEXT COLLATE "C" PRIMARY KEY, at BIGINT NOT NULL, damaged BIGINT NOT NULL, body TEXT COLLATE "C" NOT NULL);
CREATE INDEX usage_marks_damaged ON usage_marks (file) WHERE damaged = 1;
CREATE TABLE usage_hours (
  account TEXT COLLATE "C" NOT NULL, region TEXT COLLATE "C" NOT NULL, month BIGINT NOT NULL, seen BYTEA NOT NULL, proved BYTEA NOT NULL,
  PRIMARY KEY (account, region, month));
CREATE TABLE usage_facts (id TEXT COLLATE "C" PRIMARY KEY, kind TEXT COLLATE "C" NOT NULL, at BIGINT NOT NULL, body TEXT COLLATE "C" NOT NULL);
CREATE INDEX usage_facts_by_kind ON usage_facts (kind, at);
