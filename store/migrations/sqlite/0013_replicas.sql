-- The processes that live, so that they share what AWS takes.
CREATE TABLE IF NOT EXISTS replicas (owner TEXT PRIMARY KEY, seen INTEGER NOT NULL) STRICT;
