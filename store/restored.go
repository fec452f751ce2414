package store

import (
	"fmt"
	"io"
	"os"
)

// belongs refuses a copy that was put over a database which did not end cleanly: SQLite would play the
// write-ahead log that it left into the copy, and nothing of either could be read again. Copies of Backup
// keep no such log, as their header says, and a database of ours has no log before its header says that
// it keeps one.
//
// https://www.sqlite.org/fileformat2.html#file_format_version_numbers
// https://www.sqlite.org/howtocorrupt.html#_mispairing_database_files_and_hot_journals_
func belongs(path string) error {
	wal, err := os.Stat(path + "-wal")
	if err != nil || wal.Size() == 0 {
		return nil // whoever opens it says what is wrong
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() // nothing is written to it
	var header [20]byte
	if _, err := io.ReadFull(f, header[:]); err != nil || header[18] != 1 || header[19] != 1 {
		return nil
	}
	return fmt.Errorf("%[1]s is a copy, and %[1]s-wal is of another database that lay there: remove %[1]s-wal and %[1]s-shm, so that they do not spoil the copy", path)
}
