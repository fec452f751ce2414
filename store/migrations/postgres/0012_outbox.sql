-- Messages that wait for one receiver each. Dead ones (dead > 0) are not tried any more.
CREATE TABLE IF NOT EXISTS outbox (
  id TEXT COLLATE "C" NOT NULL, sink TEXT COLLATE "C" NOT NULL, due BIGINT NOT NULL, digest TEXT COLLATE "C" NOT NULL, first BIGINT NOT NULL, attempts BIGINT NOT NULL,
  leased_until BIGINT NOT NULL, claim BIGINT NOT NULL, dead BIGINT NOT NULL, why TEXT NOT NULL, body BYTEA NOT NULL,
  PRIMARY KEY (sink, id));
CREATE INDEX IF NOT EXISTS outbox_by_due ON outbox (sink, dead, due);
