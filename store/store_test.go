package store_test

import (
	"sync"
	"testing"

	"dera.example/dera/store/storetest"
	"dera.example/dera/store/storetest/postgres"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.SQLite)
}

func TestSQLiteAuditLog(t *testing.T) {
	t.Parallel()
	storetest.RunAudit(t, func(_ testing.TB, dir string) storetest.Database { return storetest.SQLiteIn(dir) })
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Postgres(postgres.Start(t, postgres.Config{})))
}

func TestPostgresAuditLog(t *testing.T) {
	t.Parallel()
	server := postgres.Start(t, postgres.Config{})
	var mu sync.Mutex
	urls := map[string]string{} // by folder
	storetest.RunAudit(t, func(t testing.TB, dir string) storetest.Database {
		mu.Lock()
		defer mu.Unlock()
		if urls[dir] == "" {
			urls[dir] = server.URL(t)
		}
		return storetest.PostgresAt(urls[dir])
	})
}
