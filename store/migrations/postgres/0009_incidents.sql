-- Incidents that people attached to findings about use.
CREATE TABLE IF NOT EXISTS incidents (
  finding TEXT COLLATE "C" NOT NULL, at BIGINT NOT NULL, reference TEXT COLLATE "C" NOT NULL, account TEXT COLLATE "C" NOT NULL, region TEXT COLLATE "C" NOT NULL,
  type TEXT COLLATE "C" NOT NULL, body TEXT COLLATE "C" NOT NULL, PRIMARY KEY (finding, at, reference));
CREATE INDEX IF NOT EXISTS incidents_by_place ON incidents (account, region, type);
