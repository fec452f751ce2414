package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	"dera.example/dera/store/storetest/postgres"
	"dera.example/dera/usage"
)

// databases are the stores that are measured, with commits that are on disk.
func databases(b *testing.B, run func(b *testing.B, s *store.Store)) {
	b.Run("sqlite", func(b *testing.B) { run(b, storetest.Open(b, storetest.SQLite(b), storetest.NewClock())) })
	b.Run("postgres", func(b *testing.B) {
		server := postgres.Start(b, postgres.Config{Sync: true})
		run(b, storetest.Open(b, storetest.PostgresAt(server.URL(b)), storetest.NewClock()))
	})
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCommitToBare compares the commit of one record, with its leaf and
// hashes, with the least that a durable commit to SQLite can be: one row of the
// same size. Both alternate, so that other load weighs on both.
func BenchmarkCommitToBare(b *testing.B) {
	s := storetest.Open(b, storetest.SQLite(b), storetest.NewClock())
	dsn := "file:" + filepath.Join(b.TempDir(), "bare.db") + "?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	bare, err := sql.Open("sqlite", dsn)
	must(b, err)
	defer bare.Close()
	bare.SetMaxOpenConns(1)
	_, err = bare.ExecContext(b.Context(), "CREATE TABLE leaves (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL)")
	must(b, err)
	record := storetest.Record("measured", time.Unix(0, 0))
	leaf, err := dera.CanonicalJSON(record)
	must(b, err)
	var ours, theirs time.Duration
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		must(b, s.Commit(b.Context(), store.Batch{Records: []dera.AuditRecord{record}}))
		middle := time.Now()
		tx, err := bare.BeginTx(b.Context(), nil)
		must(b, err)
		_, err = tx.ExecContext(b.Context(), "INSERT INTO leaves (idx, leaf) VALUES ($1, $2)", i, leaf)
		must(b, err)
		must(b, tx.Commit())
		ours += middle.Sub(start)
		theirs += time.Since(middle)
	}
	b.ReportMetric(float64(ours.Microseconds())/float64(b.N), "us/commit")
	b.ReportMetric(float64(theirs.Microseconds())/float64(b.N), "us/bare")
	b.ReportMetric(float64(ours)/float64(theirs), "x-bare")
}

func BenchmarkCommitRecord(b *testing.B) {
	databases(b, func(b *testing.B, s *store.Store) {
		record := storetest.Record("measured", time.Unix(0, 0))
		b.ReportAllocs()
		for b.Loop() {
			must(b, s.Commit(b.Context(), store.Batch{Records: []dera.AuditRecord{record}}))
		}
	})
}

// BenchmarkAppend appends many records in one commit.
func BenchmarkAppend(b *testing.B) {
	databases(b, func(b *testing.B, s *store.Store) {
		batch := store.Batch{Records: make([]dera.AuditRecord, 100)}
		for i := range batch.Records {
			batch.Records[i] = storetest.Record(fmt.Sprint(i), time.Unix(0, 0))
		}
		b.ReportAllocs()
		for b.Loop() {
			must(b, s.Commit(b.Context(), batch))
		}
		b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "records/s")
	})
}

// BenchmarkClaim claims and ends one job while many wait, due and not due.
func BenchmarkClaim(b *testing.B) {
	databases(b, func(b *testing.B, s *store.Store) {
		now := storetest.NewClock().Now()
		for kind, at := range map[string]time.Time{"look": now, "expire": now.Add(time.Hour)} {
			var batch store.Batch
			for i := range 10_000 {
				batch.Jobs = append(batch.Jobs, dera.Job{Kind: kind, Key: fmt.Sprint(i), Priority: 10, RunAt: at})
			}
			must(b, s.Commit(b.Context(), batch))
		}
		b.ReportAllocs()
		for b.Loop() {
			jobs, err := s.Claim(b.Context(), "us", 1, time.Minute)
			must(b, err)
			if len(jobs) != 1 {
				b.Fatalf("claim: got %d jobs, want 1", len(jobs))
			}
			must(b, s.Retry(b.Context(), jobs[0], now))
		}
	})
}

// BenchmarkClaimNothing is what an idle engine does all the time.
func BenchmarkClaimNothing(b *testing.B) {
	databases(b, func(b *testing.B, s *store.Store) {
		later := storetest.NewClock().Now().Add(time.Hour)
		var batch store.Batch
		for i := range 1_000 {
			batch.Jobs = append(batch.Jobs, dera.Job{Kind: "expire", Key: fmt.Sprint(i), Priority: 10, RunAt: later})
		}
		must(b, s.Commit(b.Context(), batch))
		b.ReportAllocs()
		for b.Loop() {
			if jobs, err := s.Claim(b.Context(), "us", 1, time.Minute); err != nil || len(jobs) > 0 {
				b.Fatalf("claim: got %v, %v, want nothing", jobs, err)
			}
		}
	})
}

// BenchmarkObserve is a delivery of ten events of a thousand roles: their use, and
// a look for one of them, in one commit; what is compacted on the way included.
func BenchmarkObserve(b *testing.B) {
	databases(b, func(b *testing.B, s *store.Store) {
		o := usage.New(s, nil).Observer(usage.ObserverConfig{Complete: true})
		n := 0
		for b.Loop() {
			events := make([]usage.Message, 10)
			for i := range events {
				n++
				events[i] = event(fmt.Sprint(n), fmt.Sprintf("role-%d", n*7919%1000), fmt.Sprintf("Get%d", n%20), usageStart.Add(time.Duration(n)*time.Second))
			}
			_, err := o.Through(b.Context(), events, func(ctx context.Context, use usage.Batch, _ usage.Counts) error {
				return s.Commit(ctx, store.Batch{Use: use, Jobs: []dera.Job{{Kind: "look", Key: "one", RunAt: usageStart}}})
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
