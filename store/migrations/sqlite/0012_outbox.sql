-- Messages that wait for one receiver each. Dead ones (dead > 0) are not tried any more.
CREATE TABLE IF NOT EXISTS outbox (
  id TEXT NOT NULL, sink TEXT NOT NULL, due INTEGER NOT NULL, digest TEXT NOT NULL, first INTEGER NOT NULL, attempts INTEGER NOT NULL,
  leased_until INTEGER NOT NULL, claim INTEGER NOT NULL, dead INTEGER NOT NULL, why TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (sink, id)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS outbox_by_due ON outbox (sink, dead, due);
