package store_test

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	"dera.example/dera/store/storetest/postgres"
)

// recorded is what the decision on one open port writes: package engine, TestDecisionIsRecorded.
type recorded struct {
	Finding     dera.Finding
	Remediation dera.Remediation
	Evidence    map[string][]byte
	Records     []dera.AuditRecord
	Sealed      [][]byte
}

func readRecorded(t testing.TB) recorded {
	t.Helper()
	var out recorded
	text, err := os.ReadFile("testdata/decision.json")
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// batch is the decision on resource n: a finding, the end of the look, the job of the fix, the
// remediation, its evidence and two records.
func (r recorded) batch(n int, look dera.Job) store.Batch {
	name := fmt.Sprintf("%s-%d", r.Remediation.ID, n)
	f, m := r.Finding, r.Remediation
	f.Resource += dera.ARN(fmt.Sprint(n))
	f.ID, f.Remediation = dera.FindingID(f.ResourceKey(), f.Control, f.Key), name
	m.ID, m.Revision, m.Findings, m.Plan.Resource = name, 0, []string{f.ID}, f.Resource
	b := store.Batch{
		Findings: []dera.Finding{f}, Remediations: []dera.Remediation{m}, Evidence: map[string][]byte{},
		Jobs: []dera.Job{{Kind: "remediate", Key: name, Priority: 1, RunAt: m.CreatedAt}},
	}
	if look.Key != "" {
		b.Done = []dera.Job{look}
	}
	for hash, body := range r.Evidence {
		b.Evidence[fmt.Sprintf("%s%d", hash, n)] = body
	}
	for i, record := range r.Records {
		record.Resource, record.Remediation = f.Resource, name
		if len(r.Sealed[i]) > 0 {
			record.Sealed = append([]byte(name), r.Sealed[i]...)
		}
		b.Records = append(b.Records, record)
	}
	return b
}

// cpuTime is that of this process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDecisions commits decisions of the size that they have in a run, as many callers at
// once, beside a bare durable commit of one row by one caller in the same run.
func BenchmarkDecisions(b *testing.B) {
	local := func(b *testing.B) string { return postgres.Start(b, postgres.Config{Sync: true}).URL(b) }
	var trips func() int64
	for _, db := range []struct {
		name string
		open func(b *testing.B) storetest.Database
	}{
		{"sqlite", func(b *testing.B) storetest.Database { return storetest.SQLite(b) }},
		{"postgres", func(b *testing.B) storetest.Database { return storetest.PostgresAt(local(b)) }},
		{"postgres_2500us_away", func(b *testing.B) storetest.Database {
			p := storetest.Through(b, local(b), 2500*time.Microsecond)
			trips = p.Trips
			return storetest.PostgresAt(p.URL)
		}},
	} {
		for _, callers := range []int{1, 8, 64, 256} {
			b.Run(fmt.Sprintf("%s/callers=%d", db.name, callers), func(b *testing.B) {
				trips = func() int64 { return 0 }
				at := db.open(b)
				decisions(b, at, callers, func() int64 { return trips() })
			})
		}
	}
}

func decisions(b *testing.B, db storetest.Database, callers int, trips func() int64) {
	r, s := readRecorded(b), storetest.Open(b, db, storetest.NewClock())
	looks := make([]dera.Job, 0, b.N)
	for len(looks) < b.N {
		var ask store.Batch
		for i := range min(b.N-len(looks), 5000) {
			ask.Jobs = append(ask.Jobs, dera.Job{Kind: "look", Key: fmt.Sprintf("look at resource %d", len(looks)+i), RunAt: storetest.NewClock().Now()})
		}
		must(b, s.Commit(b.Context(), ask))
		claimed, err := s.Claim(b.Context(), "us", 5000, time.Hour)
		must(b, err)
		looks = append(looks, claimed...)
	}
	var next atomic.Int64
	var all sync.WaitGroup
	began, before := cpuTime(), trips()
	b.ReportAllocs()
	b.ResetTimer()
	for range callers {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < b.N; n = int(next.Add(1)) - 1 {
				if err := s.Commit(b.Context(), r.batch(n, looks[n])); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	each := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
	b.ReportMetric(float64((cpuTime()-began).Microseconds())/float64(b.N), "client-cpu-µs/decision")
	if n := trips() - before; n > 0 {
		b.ReportMetric(float64(n)/float64(b.N), "trips/decision")
	}
	bare := bareCommit(b, db)
	b.ReportMetric(float64(bare)/float64(each), "decisions/bare-commit")
}

// bareCommit is how long the least durable commit of one row takes.
func bareCommit(b *testing.B, db storetest.Database) time.Duration {
	const n = 200
	conn := db.SQL(b)
	conn.SetMaxOpenConns(1)
	exec := func(query string, args ...any) {
		if _, err := conn.ExecContext(b.Context(), query, args...); err != nil {
			b.Fatal(err)
		}
	}
	exec("CREATE TABLE bare (idx BIGINT PRIMARY KEY, body TEXT NOT NULL)")
	if _, isLite := sqlitePath(db.URL); isLite {
		exec("PRAGMA synchronous = FULL")
	}
	start := time.Now()
	for i := range n {
		exec("INSERT INTO bare (idx, body) VALUES ($1, 'x')", i)
	}
	return time.Since(start) / n
}

func sqlitePath(url string) (string, bool) {
	if len(url) > 7 && url[:7] == "sqlite:" {
		return url[7:], true
	}
	return "", false
}
