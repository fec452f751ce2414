-- Calls of dera's own principals, as CloudTrail has them: package audit, file reconcile.go. judged is 1 when someone was told of a call without a record.
CREATE TABLE calls (
  event TEXT PRIMARY KEY, at INTEGER NOT NULL, judged INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX calls_by_time ON calls (judged, at);
