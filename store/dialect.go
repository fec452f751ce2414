package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"
)

// dialect is what differs between the databases. The queries are the same.
type dialect struct {
	name      string // of the folder of migrations
	isolation sql.IsolationLevel
	// lock keeps other commits out until the transaction ends. SQLite needs none:
	// its transactions begin with the lock of the one writer.
	lock string
	// lockUsage does so for other writers of the usage ledger.
	lockUsage string
	// begin begins a transaction that writes.
	begin string
	// arrays says that a column of many rows can be one argument.
	arrays bool
	// forUpdate keeps a selected row as it is until the transaction ends.
	forUpdate string
	// skipLocked lets several claimers pass each other.
	skipLocked string
	// among is true for an idx in the list that listArg makes.
	among   string
	listArg func([]int64) (any, error)
	// hasMeta is 1 if the table meta is there.
	hasMeta string
	// time is the clock of the database, in microseconds since 1970; empty where it has none of its own.
	time string
	// bytes is the size of the database.
	bytes string
}

func sqlite() dialect {
	return dialect{
		name:  "sqlite",
		begin: "BEGIN IMMEDIATE",
		among: "idx IN (SELECT value FROM json_each($1))",
		listArg: func(list []int64) (any, error) {
			text, err := json.Marshal(list)
			return string(text), err
		},
		hasMeta: "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'meta'",
		bytes:   "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
	}
}

// openSQLite opens one connection that writes and a few that read. A commit is
// on disk when it returns: write-ahead log with synchronous=FULL.
func (s *Store) openSQLite(path string) error {
	s.dialect, s.place = sqlite(), path
	if strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///") {
		return errors.New("write sqlite:PATH, without //")
	}
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return errors.New("sqlite: needs the path of a file")
	}
	if err := createPrivate(path); err != nil {
		return err
	}
	if err := belongs(path); err != nil {
		return err
	}
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?"
	busy := fmt.Sprintf("busy_timeout(%d)", busyTime.Milliseconds())
	write := url.Values{"_pragma": {busy, "journal_mode(WAL)", "synchronous(FULL)"}}
	read := url.Values{"_pragma": {busy, "query_only(1)"}}
	s.forms = newForms(s.dialect)
	var err error
	if s.write, err = openLocal(dsn+write.Encode(), 1); err != nil {
		return err
	}
	s.read, err = openLocal(dsn+read.Encode(), 4)
	return err
}

func openLocal(dsn string, most int) (*pool, error) {
	connector, err := newPreparing(dsn)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	return &pool{DB: db, local: true}, nil
}

// createPrivate makes the file, readable by its owner alone, unless it is there.
// SQLite gives its side files the mode of the file.
func createPrivate(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder, not a database file", path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// How many connections to PostgreSQL write, and how many read: commits go one by one anyhow,
// and a look reads several times before it commits.
const (
	writing = 4
	reading = 12
)

// transactionTime is how long a transaction on PostgreSQL may take: a server that
// is gone without a word must not hold a worker for as long as TCP does.
const transactionTime = time.Minute
