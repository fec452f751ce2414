package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	"dera.example/dera/store/storetest/postgres"
	"dera.example/dera/usage"
)

// plain is a sealer that always says the same, so that two databases can be compared.
type plain struct{}

func (plain) Seal(context string, b []byte) ([]byte, error) {
	return append([]byte(context+"\x00"), b...), nil
}
func (plain) Open(context string, b []byte) ([]byte, error) {
	if len(b) <= len(context) || string(b[:len(context)+1]) != context+"\x00" {
		return nil, errors.New("sealed for something else")
	}
	return b[len(context)+1:], nil
}
func (plain) Commit(b []byte) string { sum := sha256.Sum256(b); return hex.EncodeToString(sum[:]) }

// mix draws batches over few names, so that they are in each other's way.
type mix struct {
	*rapid.T
	now    time.Time
	leases []dera.Lease
	claims []dera.Job
	// theme are the parts that batches have.
	theme []int
}

func (m mix) n(most int, what string) int { return rapid.IntRange(0, most).Draw(m.T, what) }
func (m mix) one(of ...string) string     { return rapid.SampledFrom(of).Draw(m.T, "name") }
func (m mix) in() time.Time               { return m.now.Add(time.Duration(m.n(3, "s")-1) * time.Second) }

// families are parts that are about the same things.
func families() [][]int {
	return [][]int{{8, 9, 10}, {12, 13}, {18, 19, 20}, {19, 20}, {1, 2, 3, 5}, {15, 16, 17}, {21}, {22, 17}, {23, 5, 6}, {11, 4}, {0, 6, 7, 14}}
}

// batch draws a few parts.
func (m mix) batch() store.Batch {
	var b store.Batch
	b.Records = []dera.AuditRecord{storetest.Record(fmt.Sprint(m.n(1000, "why")), m.now)}
	for range 1 + m.n(3, "parts") {
		m.part(&b)
	}
	return b
}

func (m mix) part(b *store.Batch) {
	id, name := "r-"+m.one("0", "1", "2", "3"), m.one("a", "b", "c")
	place := store.Place{Account: "1", Region: "r", Type: m.one("t", "u"), Resource: m.one("", "x", "y"), Unread: m.in(), Tried: m.in(), Why: m.one("", "denied", "away")}
	switch rapid.SampledFrom(m.theme).Draw(m.T, "part") {
	case 0:
		l := rapid.SampledFrom(m.leases).Draw(m.T, "lease")
		b.Fence = &l
	case 1, 2, 3:
		s := store.Spend{Remediation: id, Account: m.one("1", "2"), Control: "c", At: m.in(), Limit: m.n(3, "limit"), Everywhere: m.n(4, "everywhere")}
		if m.n(2, "reserve") == 0 {
			s.Reserve = &store.Reserve{Account: m.one("", "1"), Since: m.in(), Most: m.n(4, "most")}
		}
		b.Spends = append(b.Spends, s)
	case 4:
		b.Findings = append(b.Findings, storetest.Finding(name, dera.Severity(1+m.n(3, "severity")), m.in()))
	case 5, 6:
		r := storetest.Remediation(id, "sg", m.now)
		r.Revision, r.State = int64(m.n(2, "revision")), rapid.SampledFrom([]dera.State{dera.Ready, dera.Resolved, dera.RolledBack}).Draw(m.T, "state")
		b.Remediations = append(b.Remediations, r)
	case 7:
		i := storetest.Intent(id, int64(m.n(2, "token")), m.in())
		i.Undo = m.n(1, "undo") == 1
		b.Intents = append(b.Intents, i)
	case 8, 9:
		b.Jobs = append(b.Jobs, dera.Job{Kind: "look", Key: name, Priority: m.n(2, "priority"), RunAt: m.in(), Payload: fmt.Append(nil, m.n(9, "payload"))})
	case 10:
		b.Done = append(b.Done, rapid.SampledFrom(append(m.claims, dera.Job{Kind: "look", Key: name, Seq: int64(m.n(3, "seq"))})).Draw(m.T, "done"))
	case 11:
		a := dera.Access{ID: name, Account: "1", At: m.now}
		if m.n(1, "end") == 1 {
			a.End = &dera.AccessEnd{At: m.in()}
		}
		b.Accesses = append(b.Accesses, a)
	case 12:
		b.Stops = append(b.Stops, dera.Stop{Account: "1", Control: name, Reason: fmt.Sprint(m.n(9, "reason")), At: m.now})
	case 13:
		b.Resumes = append(b.Resumes, dera.Stop{Account: "1", Control: name})
	case 14:
		b.Remember, b.First = map[string]string{name: m.one("1", "2")}, map[string]string{m.one("a", "d"): m.one("1", "2")}
	case 15:
		b.Alarm = &dera.Alarm{Key: name, Severity: dera.High, Since: m.in()}
	case 16:
		b.AlarmEnded = name
	case 17:
		b.Taken = name
	case 18:
		b.Expected = append(b.Expected, place)
	case 19:
		r := store.PlaceRead{Account: place.Account, Region: place.Region, Type: place.Type, Since: m.in(), At: m.in()}
		if place.Resource != "" {
			r.Resources = []string{place.Resource}
		}
		b.Read = append(b.Read, r)
	case 20:
		b.Unread = append(b.Unread, place)
	case 21:
		b.Evidence, b.Counts = map[string][]byte{name: []byte("evidence of " + name)}, map[string]int64{name: int64(m.n(3, "count"))}
		b.Kept = []store.KeptEvent{{ID: name, At: m.in(), Source: "sqs"}}
		b.Calls, b.Judged = []audit.Call{{EventID: name, Time: m.in()}}, []string{m.one("a", "b")}
		b.Records[0].Sealed = []byte("payload " + name)
	case 22:
		from := int64(m.n(2, "from"))
		b.Posting = &store.Posting{From: from, Next: from + 1, Notices: []store.Notice{{ID: name, Sink: "s", Due: m.in(), Body: []byte(name)}}}
	case 23:
		h := usage.Hours{Account: "1", Region: "r", Month: m.n(1, "month")}
		h.Seen[m.n(3, "hour")], h.Proved[0] = 1, byte(m.n(3, "proved"))
		b.Use = usage.Batch{
			Runs: map[int][]byte{m.n(2, "part"): []byte(name)}, Hours: []usage.Hours{h},
			Facts: []usage.Fact{{ID: name, Kind: m.one("scope", usage.FactGrant), At: usage.Second(m.n(3, "at")), Body: []byte(m.one("1", "2"))}},
		}
		if m.n(2, "mark") == 0 {
			b.Use.Marks = []usage.Mark{{File: name, Name: name, From: int64(m.n(1, "begin")), Records: int64(m.n(2, "records")), Done: m.n(1, "whole") == 1}}
		}
		if m.n(2, "denial") == 0 {
			d := dera.Denial{Remediation: id, Principal: name, Call: "GetObject", First: m.in(), Last: m.in(), Events: []string{m.one("e", "f")}}
			b.Use.Denials = []usage.Denied{{Denial: d, Record: storetest.Record("denied "+name, m.now)}}
		}
	}
}

// class is what a caller tells apart of an error.
func class(err error) string {
	for _, is := range []error{store.ErrConflict, store.ErrFenced, store.ErrBudget, store.ErrAlarm, store.ErrTaken, usage.ErrMarked} {
		if errors.Is(err, is) {
			return is.Error()
		}
	}
	return fmt.Sprint(err)
}

// TestJoinedIsSequential: batches that share a transaction leave what they would have left one
// after the other, and each has the result that it would have had.
func TestJoinedIsSequential(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		shared := 0
		rapid.Check(t, func(r *rapid.T) {
			dir := t.TempDir()
			a := storetest.SQLiteIn(dir)
			shared += joined(t, r, a, func() storetest.Database {
				other := t.TempDir()
				for _, path := range globbed(t, filepath.Join(dir, "*")) {
					text, err := os.ReadFile(path)
					if err == nil {
						err = os.WriteFile(filepath.Join(other, filepath.Base(path)), text, 0o600)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				return storetest.SQLiteIn(other)
			})
		})
		if shared == 0 {
			t.Error("no transaction was shared")
		}
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		server := postgres.Start(t, postgres.Config{})
		n := 0
		rapid.Check(t, func(r *rapid.T) {
			if n++; n%10 != 1 {
				return // to copy a database takes long
			}
			joined(t, r, storetest.PostgresAt(server.URL(t)), func() storetest.Database { return storetest.PostgresAt(server.Copy(t)) })
		})
	})
}

func globbed(t *testing.T, pattern string) []string {
	t.Helper()
	out, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// joined commits batches together in one database, and one by one in a copy of it.
func joined(t *testing.T, r *rapid.T, a storetest.Database, copied func() storetest.Database) (shared int) {
	clock := storetest.NewClock()
	open := func(db storetest.Database) *store.Store {
		s, err := store.Open(t.Context(), store.Config{URL: db.URL, Sealer: plain{}, Now: clock.Now, KeptEvents: 2})
		if err != nil {
			r.Fatal(err)
		}
		return s
	}
	m := mix{T: r, now: clock.Now(), theme: rapid.OneOf(rapid.SampledFrom(families()), rapid.SliceOfN(rapid.IntRange(0, 23), 1, 3)).Draw(r, "theme")}
	s := open(a)
	for i, resource := range []string{"x", "y"} {
		l, err := s.Lease(t.Context(), resource, "us", time.Duration(i)*time.Hour+time.Second)
		if err != nil {
			r.Fatal(err)
		}
		m.leases = append(m.leases, l, dera.Lease{Resource: resource, Owner: "us", Token: 7})
	}
	var err error
	if err = s.Commit(t.Context(), store.Batch{Jobs: []dera.Job{{Kind: "look", Key: "a", RunAt: m.now}, {Kind: "look", Key: "b", RunAt: m.now}}}); err == nil {
		m.claims, err = s.Claim(t.Context(), "us", 2, time.Hour)
	}
	for range 4 {
		if err == nil {
			if refused := s.Commit(t.Context(), m.batch()); refused != nil && class(refused) == refused.Error() {
				err = refused
			}
		}
	}
	if err != nil {
		r.Fatal(err)
	}
	clock.Advance(time.Minute)
	if err := s.Close(); err != nil {
		r.Fatal(err)
	}
	b := copied()
	one, many := open(b), open(a)
	defer one.Close()
	defer many.Close()
	batches := make([]store.Batch, 2+m.n(10, "batches"))
	for i := range batches {
		batches[i] = m.batch()
	}
	got, order, groups := many.Together(t.Context(), batches)
	for _, i := range order {
		if want := one.Commit(t.Context(), batches[i]); class(want) != class(got[i]) && !(want != nil && "commit: "+class(got[i]) == class(want)) {
			r.Fatalf("batch %d of %d, committed with others: got %v, alone %v:\n%+v", i, len(batches), got[i], want, batches[i])
		}
	}
	if diff := gocmp.Diff(storetest.Dump(t, b), storetest.Dump(t, a)); diff != "" {
		r.Fatalf("rows: got (+) and one by one (-), in the order %v:\n%s", order, diff)
	}
	return len(batches) - groups
}

// TestRoundTrips: a batch takes the same few round trips, however much is in it.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	p := storetest.Through(t, postgres.Start(t, postgres.Config{}).URL(t), 0)
	s := storetest.Open(t, storetest.PostgresAt(p.URL), storetest.NewClock())
	const most = 12
	next := 0
	trips := func(n int) int64 {
		l, err := s.Lease(t.Context(), "sg", "us", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		before := p.Trips()
		if err := s.Commit(t.Context(), storetest.Whole(next, n, l, storetest.NewClock().Now())); err != nil {
			t.Fatal(err)
		}
		next += n
		return p.Trips() - before
	}
	for range 4 { // each connection prepares each statement once
		trips(1)
	}
	for _, n := range []int{1, 10, 100, 1000} {
		if got := trips(n); got > most {
			t.Errorf("round trips of a batch with %d of everything: got %d, want at most %d", n, got, most)
		} else {
			t.Logf("a batch with %d of everything: %d round trips", n, got)
		}
	}
}

// TestNeighboursGoThrough: of callers at the same time those that are refused, that hold what is
// no JSON, or whose context ends, keep no other one from being committed.
func TestNeighboursGoThrough(t *testing.T) {
	t.Parallel()
	for name, db := range map[string]storetest.Database{
		"sqlite": storetest.SQLite(t), "postgres": storetest.PostgresAt(postgres.Start(t, postgres.Config{}).URL(t)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			neighbours(t, storetest.Open(t, db, storetest.NewClock()))
		})
	}
}

func neighbours(t *testing.T, s *store.Store) {
	now := storetest.NewClock().Now()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	const rounds, callers = 20, 40
	for round := range rounds {
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				id := fmt.Sprintf("%d-%d", round, i)
				b, ctx, want := store.Batch{Records: []dera.AuditRecord{storetest.Record(id, now)}, Counts: map[string]int64{"n": 1}}, t.Context(), error(nil)
				switch i % 8 {
				case 1:
					b.Fence, want = &dera.Lease{Resource: "nobody's", Owner: "us", Token: 1}, store.ErrFenced
				case 2:
					r := storetest.Remediation(id, "sg", now)
					r.Revision = 3
					b.Remediations, want = []dera.Remediation{r}, store.ErrConflict
				case 3:
					b.Spends, want = []store.Spend{{Remediation: id, Account: "1", Control: "c", At: now, Limit: -1}}, store.ErrBudget
				case 4:
					b.Remember, want = map[string]string{"torn": "a\x00b"}, nil // PostgreSQL has no such text
				case 5:
					ctx, want = over, context.Canceled
				}
				switch err := s.Commit(ctx, b); {
				case i%8 == 4:
				case want == nil && err != nil, want != nil && !errors.Is(err, want):
					t.Errorf("caller %d: got %v, want %v", i, err, want)
				}
			})
		}
		all.Wait()
	}
	counts, err := s.Counters(t.Context())
	size, err2 := s.LogSize(t.Context())
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if want := int64(rounds * callers * 3 / 8); counts["n"] != size || counts["n"] < want || counts["n"] > want+rounds*callers/8 {
		t.Errorf("committed: got %d records and a counter of %d, want %d, and those that are no text where the database takes them", size, counts["n"], want)
	}
	storetest.CheckLog(t, s, size)
}
