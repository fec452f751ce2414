-- Incidents that people attached to findings about use.
CREATE TABLE IF NOT EXISTS incidents (
  finding TEXT NOT NULL, at INTEGER NOT NULL, reference TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (finding, at, reference)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS incidents_by_place ON incidents (account, region, type);
