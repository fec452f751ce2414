-- +goose Up
CREATE TABLE findings (
  id TEXT PRIMARY KEY, resource TEXT NOT NULL, control TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL,
  type TEXT NOT NULL, state TEXT NOT NULL, severity BIGINT NOT NULL, body TEXT NOT NULL, updated BIGINT NOT NULL);
CREATE INDEX findings_by_resource ON findings (resource);
CREATE INDEX findings_by_place ON findings (account, region, type, state);
CREATE TABLE remediations (
  id TEXT PRIMARY KEY, resource TEXT NOT NULL, control TEXT NOT NULL, state TEXT NOT NULL, revision BIGINT NOT NULL,
  created BIGINT NOT NULL, body BYTEA NOT NULL);
CREATE INDEX remediations_by_resource ON remediations (resource, created);
CREATE INDEX remediations_by_state ON remediations (state);
CREATE TABLE intents (
  remediation TEXT NOT NULL, step BIGINT NOT NULL, undo BIGINT NOT NULL, state TEXT NOT NULL, token BIGINT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (remediation, step, undo));
CREATE INDEX intents_by_state ON intents (state);
CREATE TABLE jobs (
  kind TEXT NOT NULL, key TEXT NOT NULL, seq BIGINT NOT NULL, priority BIGINT NOT NULL, run_at BIGINT NOT NULL,
  leased_until BIGINT NOT NULL, owner TEXT NOT NULL, attempts BIGINT NOT NULL, payload TEXT NOT NULL, PRIMARY KEY (kind, key));
CREATE INDEX jobs_due ON jobs (run_at, priority);
CREATE TABLE leases (resource TEXT PRIMARY KEY, owner TEXT NOT NULL, token BIGINT NOT NULL, until BIGINT NOT NULL);
CREATE TABLE stops (account TEXT NOT NULL, control TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, control));
CREATE TABLE spends (remediation TEXT PRIMARY KEY, account TEXT NOT NULL, control TEXT NOT NULL, at BIGINT NOT NULL);
CREATE INDEX spends_by_place ON spends (account, control, at);
CREATE TABLE leaves (idx BIGINT PRIMARY KEY, leaf BYTEA NOT NULL);
CREATE TABLE hashes (idx BIGINT PRIMARY KEY, hash BYTEA NOT NULL);
CREATE TABLE checkpoints (size BIGINT PRIMARY KEY, note TEXT NOT NULL);
CREATE TABLE sealed (commitment TEXT PRIMARY KEY, body BYTEA NOT NULL);
CREATE TABLE evidence (hash TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE kept_events (id TEXT PRIMARY KEY, at BIGINT NOT NULL, source TEXT NOT NULL, why TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX kept_events_by_time ON kept_events (at);
CREATE TABLE counters (name TEXT PRIMARY KEY, n BIGINT NOT NULL);
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);

-- +goose Down
DROP TABLE meta; DROP TABLE counters; DROP TABLE kept_events; DROP TABLE evidence; DROP TABLE sealed; DROP TABLE checkpoints;
DROP TABLE hashes; DROP TABLE leaves; DROP TABLE spends; DROP TABLE stops; DROP TABLE leases; DROP TABLE jobs;
DROP TABLE intents; DROP TABLE remediations; DROP TABLE findings;
