-- Which evidence a remediation names, as of a revision: the body of a remediation is sealed. Filled by the retention (retention.go).
CREATE TABLE IF NOT EXISTS evidence_of (remediation TEXT NOT NULL PRIMARY KEY, revision BIGINT NOT NULL, hash TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS evidence_of_by_hash ON evidence_of (hash);
