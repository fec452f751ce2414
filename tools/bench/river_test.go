// Package bench measures dera's jobs beside those of River. It is a module of its own, so that
// nothing of River is in dera: make bench-store runs it.
package bench

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"
	_ "modernc.org/sqlite" // driver sqlite

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	"dera.example/dera/store/storetest/postgres"
)

// units is how many jobs are measured, workers how many run at once: DERA_BENCH_UNITS and 64.
func units() int {
	if n, err := strconv.Atoi(os.Getenv("DERA_BENCH_UNITS")); err == nil && n > 0 {
		return n
	}
	return 2000
}

const workers = 64

// used is the CPU time of this process, and of the children that it has waited for: of a server
// that has stopped.
func used(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestBeside runs the same unit of work on dera's store and on River, on both databases: a job is
// done, the next job is asked for, and a record is written, in one commit. It logs a table.
func TestBeside(t *testing.T) {
	for _, tt := range []struct {
		name string
		run  func(t *testing.T, n int) time.Duration
	}{
		{"dera, PostgreSQL", func(t *testing.T, n int) time.Duration { return ours(t, n, storetest.PostgresAt(server(t))) }},
		{"River, PostgreSQL", func(t *testing.T, n int) time.Duration { return riverPostgres(t, n, server(t)) }},
		{"dera, SQLite", func(t *testing.T, n int) time.Duration { return ours(t, n, storetest.SQLite(t)) }},
		{"River, SQLite", riverSQLite},
	} {
		self, children := used(syscall.RUSAGE_SELF), used(syscall.RUSAGE_CHILDREN)
		var wall time.Duration
		n := units()
		t.Run(tt.name, func(t *testing.T) { wall = tt.run(t, n) })
		self, children = used(syscall.RUSAGE_SELF)-self, used(syscall.RUSAGE_CHILDREN)-children
		t.Logf("%-18s %7.0f units/s, %5.0f µs of CPU a unit here and %5.0f in the server, so %6.0f units a CPU second",
			tt.name, float64(n)/wall.Seconds(), micros(self, n), micros(children, n), float64(n)/(self+children).Seconds())
	}
}

func micros(d time.Duration, n int) float64 { return float64(d.Microseconds()) / float64(n) }

func server(t *testing.T) string { return postgres.Start(t, postgres.Config{Sync: true}).URL(t) }

// ours: workers claim and finish as the engine's do.
func ours(t *testing.T, n int, db storetest.Database) time.Duration {
	clock := storetest.NewClock()
	s := storetest.Open(t, db, clock)
	var ask store.Batch
	for i := range n {
		ask.Jobs = append(ask.Jobs, dera.Job{Kind: "look", Key: fmt.Sprint("resource ", i), RunAt: clock.Now(), Payload: []byte(`{"n":1}`)})
	}
	check(t, s.Commit(t.Context(), ask))
	jobs := make(chan dera.Job, workers)
	var all sync.WaitGroup
	start := time.Now()
	for range workers {
		all.Go(func() {
			for j := range jobs {
				b := store.Batch{Done: []dera.Job{j}, Records: []dera.AuditRecord{storetest.Record("done "+j.Key, clock.Now())}}
				b.Jobs = []dera.Job{{Kind: "remediate", Key: j.Key, RunAt: clock.Now().Add(time.Hour), Payload: []byte(`{"n":2}`)}}
				check(t, s.Commit(t.Context(), b))
			}
		})
	}
	for done := 0; done < n; {
		list, err := s.Claim(t.Context(), "us", workers, time.Hour)
		check(t, err)
		done += len(list)
		for _, j := range list {
			jobs <- j
		}
	}
	close(jobs)
	all.Wait()
	return time.Since(start)
}

func check(t *testing.T, err error) {
	if err != nil {
		t.Error(err)
	}
}

type look struct{ Key string }

func (look) Kind() string { return "look" }

type next struct{ Key string }

func (next) Kind() string { return "next" }

// worker ends a job of River in one transaction with the next one and a record.
type worker[TX any] struct {
	river.WorkerDefaults[look]
	end  func(ctx context.Context, j *river.Job[look]) error
	done *atomic.Int64
	all  chan struct{}
	n    int64
}

func (w *worker[TX]) Work(ctx context.Context, j *river.Job[look]) error {
	err := w.end(ctx, j)
	if w.done.Add(1) == w.n {
		close(w.all)
	}
	return err
}

type noop struct{ river.WorkerDefaults[next] }

func (noop) Work(context.Context, *river.Job[next]) error { return nil }

func insertions(n int) []river.InsertManyParams {
	out := make([]river.InsertManyParams, n)
	for i := range out {
		out[i] = river.InsertManyParams{Args: look{fmt.Sprint("resource ", i)}}
	}
	return out
}

func config[TX any](w *worker[TX]) *river.Config {
	all := river.NewWorkers()
	river.AddWorker(all, w)
	river.AddWorker(all, &noop{})
	return &river.Config{Workers: all, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}}}
}

var later = &river.InsertOpts{ScheduledAt: time.Now().Add(time.Hour)}

const record = `{"actor":{"how":"engine","name":"test"},"kind":"outcome","time":"2026-11-02T09:00:00Z","version":1,"why":"done resource 1"}`

func riverPostgres(t *testing.T, n int, url string) time.Duration {
	ctx := t.Context()
	pool, err := pgxpool.New(ctx, url+"&pool_max_conns=24")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	driver := riverpgxv5.New(pool)
	migrate(t, driver)
	if _, err := pool.Exec(ctx, "CREATE TABLE records (idx BIGSERIAL PRIMARY KEY, body TEXT NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	var client *river.Client[pgx.Tx]
	w := &worker[pgx.Tx]{done: new(atomic.Int64), all: make(chan struct{}), n: int64(n)}
	w.end = func(ctx context.Context, j *river.Job[look]) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO records (body) VALUES ($1)", record); err != nil {
				return err
			}
			if _, err := client.InsertTx(ctx, tx, next{j.Args.Key}, later); err != nil {
				return err
			}
			_, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, j)
			return err
		})
	}
	if client, err = river.NewClient(driver, config(w)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.InsertMany(ctx, insertions(n)); err != nil {
		t.Fatal(err)
	}
	return ran(t, client, w.all)
}

func riverSQLite(t *testing.T, n int) time.Duration {
	ctx := t.Context()
	db, err := sql.Open("sqlite", "file:"+t.TempDir()+"/river.db?_txlock=immediate&_pragma=busy_timeout(15000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	driver := riversqlite.New(db)
	migrate(t, driver)
	if _, err := db.ExecContext(ctx, "CREATE TABLE records (idx INTEGER PRIMARY KEY, body TEXT NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	var client *river.Client[*sql.Tx]
	w := &worker[*sql.Tx]{done: new(atomic.Int64), all: make(chan struct{}), n: int64(n)}
	w.end = func(ctx context.Context, j *river.Job[look]) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.ExecContext(ctx, "INSERT INTO records (body) VALUES ($1)", record); err != nil {
			return err
		}
		if _, err := client.InsertTx(ctx, tx, next{j.Args.Key}, later); err != nil {
			return err
		}
		if _, err := river.JobCompleteTx[*riversqlite.Driver](ctx, tx, j); err != nil {
			return err
		}
		return tx.Commit()
	}
	if client, err = river.NewClient(driver, config(w)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.InsertMany(ctx, insertions(n)); err != nil {
		t.Fatal(err)
	}
	return ran(t, client, w.all)
}

// ran starts a client, waits until all jobs are done, and says how long that took.
func ran[TX any](t *testing.T, client *river.Client[TX], all <-chan struct{}) time.Duration {
	start := time.Now()
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-all
	wall := time.Since(start)
	if err := client.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	return wall
}

// TestHintDuringTheRun asks once more for a job that runs: whether that causes another run.
func TestHintDuringTheRun(t *testing.T) {
	ctx := t.Context()
	pool, err := pgxpool.New(ctx, server(t))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	driver := riverpgxv5.New(pool)
	migrate(t, driver)
	var client *river.Client[pgx.Tx]
	unique := &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}}
	var hint *rivertype.JobInsertResult
	w := &worker[pgx.Tx]{done: new(atomic.Int64), all: make(chan struct{}), n: 1}
	w.end = func(ctx context.Context, j *river.Job[look]) (err error) {
		hint, err = client.Insert(ctx, j.Args, unique)
		return err
	}
	if client, err = river.NewClient(driver, config(w)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Insert(ctx, look{"resource"}, unique); err != nil {
		t.Fatal(err)
	}
	ran(t, client, w.all)
	t.Logf("River: the hint during the run was dropped as a duplicate: %v", hint.UniqueSkippedAsDuplicate)
	states := river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateScheduled}}
	_, err = client.Insert(ctx, look{"another"}, &river.InsertOpts{UniqueOpts: states})
	t.Logf("River: unique without the running state: %v", err)
}
