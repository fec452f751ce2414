-- What became of the last read of a place, and of a resource that could not be read alone (resource is empty for the whole place). unread is since when it could not be read, 0 where it
-- was read; why is empty where nobody has tried yet. read is the last whole read, 0 for never.
CREATE TABLE IF NOT EXISTS places (
  account TEXT COLLATE "C" NOT NULL, region TEXT COLLATE "C" NOT NULL, type TEXT COLLATE "C" NOT NULL, resource TEXT COLLATE "C" NOT NULL,
  read BIGINT NOT NULL, unread BIGINT NOT NULL, tried BIGINT NOT NULL, why TEXT COLLATE "C" NOT NULL, PRIMARY KEY (account, region, type, resource));
