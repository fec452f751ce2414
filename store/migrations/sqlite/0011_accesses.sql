-- What people asked to be given back of what remediations took; until and ended are 0 for none.
CREATE TABLE IF NOT EXISTS accesses (
  id TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, type TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL, ended INTEGER NOT NULL, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS accesses_by_place ON accesses (account, type);
