-- Times are microseconds since 1970, 0 for none. BYTEA bodies are sealed, except the payload of a job. COLLATE "C" sorts as SQLite does.
CREATE TABLE meta (name TEXT COLLATE "C" PRIMARY KEY, value TEXT COLLATE "C" NOT NULL);
CREATE TABLE findings (
  id TEXT COLLATE "C" PRIMARY KEY, resource TEXT COLLATE "C" NOT NULL, account TEXT COLLATE "C" NOT NULL, region TEXT COLLATE "C" NOT NULL,
  type TEXT COLLATE "C" NOT NULL, state TEXT COLLATE "C" NOT NULL, severity BIGINT NOT NULL, body TEXT COLLATE "C" NOT NULL);
CREATE INDEX findings_by_resource ON findings (resource);
CREATE INDEX findings_by_place ON findings (account, region, type, state);
CREATE TABLE remediations (
  id TEXT COLLATE "C" PRIMARY KEY, resource TEXT COLLATE "C" NOT NULL, state TEXT COLLATE "C" NOT NULL, revision BIGINT NOT NULL,
  created BIGINT NOT NULL, body BYTEA NOT NULL);
CREATE INDEX remediations_by_resource ON remediations (resource, created);
CREATE INDEX remediations_by_state ON remediations (state);
CREATE TABLE intents (
  remediation TEXT COLLATE "C" NOT NULL, step BIGINT NOT NULL, undo BIGINT NOT NULL, state TEXT COLLATE "C" NOT NULL,
  body TEXT COLLATE "C" NOT NULL, PRIMARY KEY (remediation, step, undo));
CREATE INDEX intents_by_state ON intents (state);
-- id is the key, or its hash if it is too long for an index. leased_until is 0 unless the job is claimed; it is also how a claim is told from a later one.
-- asked_at is when a claimed job is to run once more, NULL if nobody asked. owner is for people.
CREATE TABLE jobs (
  kind TEXT COLLATE "C" NOT NULL, id TEXT COLLATE "C" NOT NULL, key TEXT COLLATE "C" NOT NULL, seq BIGINT NOT NULL, priority BIGINT NOT NULL, run_at BIGINT NOT NULL,
  asked_at BIGINT, leased_until BIGINT NOT NULL, owner TEXT COLLATE "C" NOT NULL, attempts BIGINT NOT NULL, payload BYTEA NOT NULL,
  PRIMARY KEY (kind, id));
CREATE INDEX jobs_due ON jobs (priority, run_at, kind, id, leased_until);
CREATE TABLE leases (resource TEXT COLLATE "C" PRIMARY KEY, owner TEXT COLLATE "C" NOT NULL, token BIGINT NOT NULL, until BIGINT NOT NULL);
CREATE TABLE stops (account TEXT COLLATE "C" NOT NULL, control TEXT COLLATE "C" NOT NULL, body TEXT COLLATE "C" NOT NULL, PRIMARY KEY (account, control));
CREATE TABLE spends (remediation TEXT COLLATE "C" PRIMARY KEY, account TEXT COLLATE "C" NOT NULL, control TEXT COLLATE "C" NOT NULL, at BIGINT NOT NULL);
CREATE INDEX spends_by_place ON spends (account, control, at);
CREATE TABLE leaves (idx BIGINT PRIMARY KEY, leaf BYTEA NOT NULL);
CREATE TABLE hashes (idx BIGINT PRIMARY KEY, hash BYTEA NOT NULL);
CREATE TABLE checkpoints (size BIGINT PRIMARY KEY, note TEXT COLLATE "C" NOT NULL);
CREATE TABLE sealed (commitment TEXT COLLATE "C" PRIMARY KEY, body BYTEA NOT NULL);
CREATE TABLE evidence (hash TEXT COLLATE "C" PRIMARY KEY, body BYTEA NOT NULL);
CREATE TABLE kept_events (id TEXT COLLATE "C" PRIMARY KEY, at BIGINT NOT NULL, source TEXT COLLATE "C" NOT NULL, why TEXT COLLATE "C" NOT NULL, body BYTEA NOT NULL);
CREATE INDEX kept_events_by_time ON kept_events (at);
CREATE TABLE counters (name TEXT COLLATE "C" PRIMARY KEY, n BIGINT NOT NULL);
