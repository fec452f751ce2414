-- Files that were read, a row each: the hash of the file and how far it is trusted (17 bytes; package store, file mark.go). body is of a file that was not read whole.
-- A mark that was packed before (only where there were more than 500,000) has not its whole hash and is dropped: the use in a file of that time counts again where someone imports it again.
CREATE TABLE usage_files (file BLOB PRIMARY KEY, at INTEGER NOT NULL, body TEXT) STRICT, WITHOUT ROWID;
CREATE INDEX usage_files_not_whole ON usage_files (file) WHERE body IS NOT NULL;
INSERT INTO usage_files SELECT coalesce(CASE WHEN length(file) = 34 THEN unhex(substr(file, 1, 32) || '0' || substr(file, 34)) END, CAST(file AS BLOB)), at, nullif(body, '') FROM usage_marks;
DROP TABLE usage_marks;
DROP TABLE usage_mark_sets;
