-- Times are microseconds since 1970, 0 for none. BLOB bodies are sealed, except the payload of a job.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE findings (
  id TEXT PRIMARY KEY, resource TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL,
  type TEXT NOT NULL, state TEXT NOT NULL, severity INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX findings_by_resource ON findings (resource);
CREATE INDEX findings_by_place ON findings (account, region, type, state);
CREATE TABLE remediations (
  id TEXT PRIMARY KEY, resource TEXT NOT NULL, state TEXT NOT NULL, revision INTEGER NOT NULL,
  created INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX remediations_by_resource ON remediations (resource, created);
CREATE INDEX remediations_by_state ON remediations (state);
CREATE TABLE intents (
  remediation TEXT NOT NULL, step INTEGER NOT NULL, undo INTEGER NOT NULL, state TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (remediation, step, undo)) STRICT;
CREATE INDEX intents_by_state ON intents (state);
-- id is the key, or its hash if it is too long for an index. leased_until is 0 unless the job is claimed; it is also how a claim is told from a later one.
-- asked_at is when a claimed job is to run once more, NULL if nobody asked. owner is for people.
CREATE TABLE jobs (
  kind TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL, priority INTEGER NOT NULL, run_at INTEGER NOT NULL,
  asked_at INTEGER, leased_until INTEGER NOT NULL, owner TEXT NOT NULL, attempts INTEGER NOT NULL, payload BLOB NOT NULL,
  PRIMARY KEY (kind, id)) STRICT;
CREATE INDEX jobs_due ON jobs (priority, run_at, kind, id, leased_until);
CREATE TABLE leases (resource TEXT PRIMARY KEY, owner TEXT NOT NULL, token INTEGER NOT NULL, until INTEGER NOT NULL) STRICT;
CREATE TABLE stops (account TEXT NOT NULL, control TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, control)) STRICT;
CREATE TABLE spends (remediation TEXT PRIMARY KEY, account TEXT NOT NULL, control TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX spends_by_place ON spends (account, control, at);
CREATE TABLE leaves (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL) STRICT;
CREATE TABLE hashes (idx INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
CREATE TABLE sealed (commitment TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE evidence (hash TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE kept_events (id TEXT PRIMARY KEY, at INTEGER NOT NULL, source TEXT NOT NULL, why TEXT NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX kept_events_by_time ON kept_events (at);
CREATE TABLE counters (name TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT;
