-- What people asked to be given back of what remediations took; until and ended are 0 for none.
CREATE TABLE IF NOT EXISTS accesses (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY, account TEXT COLLATE "C" NOT NULL, type TEXT COLLATE "C" NOT NULL, at BIGINT NOT NULL, until BIGINT NOT NULL,
  ended BIGINT NOT NULL, body BYTEA NOT NULL);
CREATE INDEX IF NOT EXISTS accesses_by_place ON accesses (account, type);
