-- What became of the last read of a place, and of a resource that could not be read alone (resource is empty for the whole place). unread is since when it could not be read, 0 where it
-- was read; why is empty where nobody has tried yet. read is the last whole read, 0 for never.
CREATE TABLE IF NOT EXISTS places (
  account TEXT NOT NULL, region TEXT NOT NULL, type TEXT NOT NULL, resource TEXT NOT NULL,
  read INTEGER NOT NULL, unread INTEGER NOT NULL, tried INTEGER NOT NULL, why TEXT NOT NULL, PRIMARY KEY (account, region, type, resource)) STRICT, WITHOUT ROWID;
