-- Calls of dera's own principals, as CloudTrail has them: package audit, file reconcile.go. judged is 1 when someone was told of a call without a record.
CREATE TABLE calls (
  event TEXT COLLATE "C" PRIMARY KEY, at BIGINT NOT NULL, judged BIGINT NOT NULL, body TEXT COLLATE "C" NOT NULL);
CREATE INDEX calls_by_time ON calls (judged, at);
