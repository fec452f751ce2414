-- Marks of files that were read whole, many in a row: package store, file mark_set.go. prefix is the first bits of the hash of the file, month that of the import.
CREATE TABLE usage_mark_sets (
  prefix INTEGER NOT NULL, run INTEGER NOT NULL, month INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (prefix, run)) STRICT;
