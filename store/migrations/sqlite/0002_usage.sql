-- The usage ledger. A run is a packed part of it (package usage); reading merges the runs of a part. seen and proved hold a bit for each hour of a month.
-- The body of a mark is empty for a file that was read whole: there are many of these.
CREATE TABLE usage_runs (part INTEGER NOT NULL, run INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (part, run)) STRICT;
CREATE TABLE usage_marks (file TEXT PRIMARY KEY, at INTEGER NOT NULL, damaged INTEGER NOT NULL, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX usage_marks_damaged ON usage_marks (file) WHERE damaged = 1;
CREATE TABLE usage_hours (
  account TEXT NOT NULL, region TEXT NOT NULL, month INTEGER NOT NULL, seen BLOB NOT NULL, proved BLOB NOT NULL, PRIMARY KEY (account, region, month)) STRICT;
CREATE TABLE usage_facts (id TEXT PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX usage_facts_by_kind ON usage_facts (kind, at);
