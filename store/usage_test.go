package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	"dera.example/dera/store/storetest/postgres"
	"dera.example/dera/usage"
)

func TestUsageSQLite(t *testing.T) {
	t.Parallel()
	runUsage(t, storetest.SQLite)
}

func TestUsagePostgres(t *testing.T) {
	t.Parallel()
	runUsage(t, storetest.Postgres(postgres.Start(t, postgres.Config{})))
}

// runUsage is what the ledger promises on every database.
func runUsage(t *testing.T, fresh func(testing.TB) storetest.Database) {
	for name, test := range map[string]func(t *testing.T, s, other *store.Store){
		"batch_is_there_after_its_commit":     usageThere,
		"batch_with_a_known_mark_is_refused":  usageMarked,
		"many_writers_lose_nothing":           usageRace,
		"compaction_changes_no_answer":        usageCompact,
		"retention_forgets_what_is_over":      usageRetain,
		"hours_are_merged":                    usageHours,
		"facts_are_noted_once":                usageFacts,
		"newest_grant_is_kept":                usageGrants,
		"batch_is_nothing_when_it_is_stopped": usageStopped,
		"use_commits_with_what_it_came_with":  usageWithJobs,
		"marks_are_there_until_they_are_old":  usageManyMarks,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := fresh(t)
			clock := storetest.NewClock()
			test(t, storetest.Open(t, db, clock), storetest.Open(t, db, clock))
		})
	}
}

// event is a trusted event of a role.
func event(id, role, name string, at time.Time) usage.Message {
	return usage.Message{Authenticated: true, Body: fmt.Appendf(nil,
		`{"detail-type":"AWS API Call via CloudTrail","source":"aws.s3","account":"111122223333","region":"us-east-1","detail":{"eventID":%q,"eventTime":%q,`+
			`"eventSource":"s3.amazonaws.com","eventName":%q,"awsRegion":"us-east-1","recipientAccountId":"111122223333","userIdentity":{"type":"AssumedRole",`+
			`"sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/%s"}}}}}`, id, at.Format(time.RFC3339), name, role)}
}

var usageStart = time.Date(2026, 3, 1, 10, 30, 0, 0, time.UTC)

func observe(t *testing.T, s *store.Store, events ...usage.Message) {
	t.Helper()
	if _, err := usage.New(s, nil).Observer(usage.ObserverConfig{Complete: true}).Observe(t.Context(), events); err != nil {
		t.Fatal(err)
	}
}

// told returns action, count, first and last of a role.
func told(t *testing.T, s *store.Store, role string) string {
	t.Helper()
	a, err := usage.New(s, nil).Principal(t.Context(), "arn:aws:iam::111122223333:role/"+role)
	if errors.Is(err, usage.ErrUnknown) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, u := range a.Uses {
		out = append(out, fmt.Sprintf("%s %d %s %s", u.Action, u.Count, u.First, u.Last))
	}
	return strings.Join(out, ", ")
}

func usageThere(t *testing.T, s, other *store.Store) {
	observe(t, s, event("1", "a", "GetObject", usageStart), event("2", "a", "GetObject", usageStart.Add(time.Hour)), event("2", "a", "GetObject", usageStart.Add(time.Hour)))
	for _, handle := range []*store.Store{s, other} {
		if got, want := told(t, handle, "a"), "s3:GetObject 2 2026-03-01T10:30:00Z 2026-03-01T11:30:00Z"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := told(t, handle, "b"); got != "" {
			t.Errorf("of nobody: got %q", got)
		}
	}
	if _, err := s.UsageMark(t.Context(), "f"); !errors.Is(err, usage.ErrNoMark) {
		t.Errorf("mark: got %v", err)
	}
}

func usageMarked(t *testing.T, s, other *store.Store) {
	ctx := t.Context()
	for i, step := range []struct {
		mark usage.Mark
		want error
	}{
		{usage.Mark{File: "f", Name: "n", Records: 10}, nil},
		{usage.Mark{File: "f", Name: "n", Records: 20}, usage.ErrMarked},
		{usage.Mark{File: "f", Name: "n", From: 5, Records: 20}, usage.ErrMarked},
		{usage.Mark{File: "f", Name: "n", From: 10, Records: 30, Done: true}, nil},
		{usage.Mark{File: "f", Name: "n", From: 30, Records: 30, Done: true}, usage.ErrMarked},
		{usage.Mark{File: "g", Name: "m", Records: 3, Done: true, Damage: "cut off", At: 7}, nil},
	} {
		facts := []usage.Fact{{ID: fmt.Sprint(i), Kind: "k", At: 1, Body: []byte("1")}}
		if err := s.CommitUsage(ctx, usage.Batch{Marks: []usage.Mark{step.mark}, Facts: facts}); !errors.Is(err, step.want) {
			t.Errorf("step %d: got %v, want %v", i, err, step.want)
		}
	}
	if m, err := other.UsageMark(ctx, "f"); err != nil || !m.Done {
		t.Errorf("mark: got %+v, %v, want it done", m, err)
	}
	list, err := other.UsageMarks(ctx)
	if err != nil || len(list) != 1 || list[0].Damage != "cut off" {
		t.Errorf("marks: got %+v, %v", list, err)
	}
	facts, err := other.UsageFacts(ctx, "k")
	if err != nil || len(facts) != 3 {
		t.Errorf("facts: got %d, %v, want 3: a refused batch leaves nothing", len(facts), err)
	}
}

func usageRace(t *testing.T, s, other *store.Store) {
	var group sync.WaitGroup
	for i := range 6 {
		handle := []*store.Store{s, other}[i%2]
		group.Go(func() {
			o := usage.New(handle, nil).Observer(usage.ObserverConfig{Complete: true})
			for j := range 48 {
				if _, err := o.Observe(context.Background(), []usage.Message{event(fmt.Sprint(i, j), "a", "GetObject", usageStart.Add(time.Duration(i*48+j)*time.Second))}); err != nil {
					t.Errorf("observe: %v", err)
				}
			}
		})
	}
	group.Wait()
	if got, want := told(t, s, "a"), "s3:GetObject 288 2026-03-01T10:30:00Z 2026-03-01T10:34:47Z"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	runs, err := s.UsageRuns(t.Context(), usage.Part("arn:aws:iam::111122223333:role/a"))
	if err != nil || len(runs) > 150 {
		t.Errorf("runs: got %d, %v, want them compacted on the way", len(runs), err)
	}
}

func usageCompact(t *testing.T, s, other *store.Store) {
	roles := []string{"a", "b", "c"}
	for i := range 5 {
		for _, r := range roles {
			observe(t, s, event(fmt.Sprint(i), r, fmt.Sprintf("Get%d", i%2), usageStart.Add(time.Duration(i)*time.Minute)))
		}
	}
	want := map[string]string{}
	for _, r := range roles {
		want[r] = told(t, s, r)
	}
	for range 2 {
		if err := other.CompactUsage(t.Context(), 0, time.Time{}); err != nil {
			t.Fatal(err)
		}
		for _, r := range roles {
			if got := told(t, s, r); got != want[r] || got == "" {
				t.Errorf("%s: got %q, want %q", r, got, want[r])
			}
			if runs, err := s.UsageRuns(t.Context(), usage.Part("arn:aws:iam::111122223333:role/"+r)); err != nil || len(runs) > 2 {
				t.Errorf("%s: got %d runs, %v", r, len(runs), err)
			}
		}
	}
}

func usageRetain(t *testing.T, s, _ *store.Store) {
	observe(t, s, event("1", "old", "GetObject", usageStart), event("2", "both", "GetObject", usageStart), event("3", "both", "PutObject", usageStart.AddDate(0, 3, 0)))
	if err := s.CommitUsage(t.Context(), usage.Batch{Marks: []usage.Mark{{File: "f", Done: true, At: usage.SecondOf(usageStart)}}}); err != nil {
		t.Fatal(err)
	}
	if err := usage.New(s, nil).Retain(t.Context(), usageStart.AddDate(0, 2, 0)); err != nil {
		t.Fatal(err)
	}
	if got := told(t, s, "old"); got != "" {
		t.Errorf("old: got %q", got)
	}
	if got, want := told(t, s, "both"), "s3:PutObject 1 2026-06-01T10:30:00Z 2026-06-01T10:30:00Z"; got != want {
		t.Errorf("both: got %q, want %q", got, want)
	}
	hours, err := s.UsageHours(t.Context(), "")
	if err != nil || len(hours) != 1 {
		t.Errorf("hours: got %d months, %v, want 1", len(hours), err)
	}
	if _, err := s.UsageMark(t.Context(), "f"); !errors.Is(err, usage.ErrNoMark) {
		t.Errorf("mark: got %v, want none", err)
	}
}

func usageHours(t *testing.T, s, other *store.Store) {
	a := usage.Hours{Account: "1", Region: "r", Month: 5}
	b := a
	a.Seen[0], b.Seen[0], b.Proved[92] = 1, 2, 128
	c := usage.Hours{Account: "2", Region: "r", Month: 5}
	for _, h := range []usage.Hours{a, b, c, a} {
		if err := s.CommitUsage(t.Context(), usage.Batch{Hours: []usage.Hours{h}}); err != nil {
			t.Fatal(err)
		}
	}
	b.Seen[0] = 3
	for account, want := range map[string][]usage.Hours{"": {b, c}, "1": {b}, "3": nil} {
		got, err := other.UsageHours(t.Context(), account)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("hours of %q: %v, got (+) and want (-):\n%s", account, err, diff)
		}
	}
}

func usageFacts(t *testing.T, s, other *store.Store) {
	for _, f := range []usage.Fact{
		{ID: "b", Kind: "k", At: 2, Body: []byte(`1`)}, {ID: "a", Kind: "k", At: 1, Body: []byte(`2`)}, {ID: "b", Kind: "k", At: 2, Body: []byte(`3`)}, {ID: "c", Kind: "l", At: 1, Body: []byte(`4`)},
	} {
		if err := s.CommitUsage(t.Context(), usage.Batch{Facts: []usage.Fact{f}}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := other.UsageFacts(t.Context(), "k")
	want := []usage.Fact{{ID: "a", Kind: "k", At: 1, Body: []byte(`2`)}, {ID: "b", Kind: "k", At: 2, Body: []byte(`3`)}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("facts: %v, got (+) and want (-):\n%s", err, diff)
	}
}

// usageGrants: log files may come in any order, and what is newer outlives what is over.
func usageGrants(t *testing.T, s, other *store.Store) {
	grant := func(id, name, role string, at time.Time) usage.Message {
		e := event(id, "admin", name, at)
		e.Body = bytes.Replace(e.Body, []byte(`"eventSource":"s3.amazonaws.com"`), []byte(`"eventSource":"iam.amazonaws.com","requestParameters":{"roleName":"`+role+`"}`), 1)
		return e
	}
	late := usageStart.AddDate(0, 2, 0)
	observe(t, s, grant("1", "PutRolePolicy", "a", usageStart), grant("2", "CreateRole", "b", usageStart))
	observe(t, s, grant("3", "AttachRolePolicy", "A", late))
	observe(t, s, grant("4", "PutRolePolicy", "a", usageStart.Add(time.Hour)))
	l := usage.New(other, nil)
	got, err := l.Granted(t.Context(), "111122223333")
	if diff := cmp.Diff(map[string]time.Time{"role/a": late, "role/b": usageStart}, got); diff != "" || err != nil {
		t.Errorf("granted: %v, got (+) and want (-):\n%s", err, diff)
	}
	if err := l.Retain(t.Context(), usageStart.AddDate(0, 1, 0)); err != nil {
		t.Fatal(err)
	}
	got, err = l.Granted(t.Context(), "111122223333")
	if diff := cmp.Diff(map[string]time.Time{"role/a": late}, got); diff != "" || err != nil {
		t.Errorf("granted, as far as it is kept: %v, got (+) and want (-):\n%s", err, diff)
	}
	if got, err := l.Granted(t.Context(), "444455556666"); len(got) > 0 || err != nil {
		t.Errorf("granted in another account: got %v, %v", got, err)
	}
}

func usageStopped(t *testing.T, s, other *store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := usage.New(s, nil).Observer(usage.ObserverConfig{Complete: true}).Observe(ctx, []usage.Message{event("1", "a", "GetObject", usageStart)}); err == nil {
		t.Errorf("observe with a context that is over: got no error")
	}
	if got := told(t, other, "a"); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}

// usageWithJobs has the use of a delivery in the commit that enqueues its looks:
// both are there or none is.
func usageWithJobs(t *testing.T, s, other *store.Store) {
	o := usage.New(s, nil).Observer(usage.ObserverConfig{Complete: true})
	through := func(id string, b store.Batch) error {
		_, err := o.Through(t.Context(), []usage.Message{event(id, "a", "GetObject", usageStart)}, func(ctx context.Context, use usage.Batch, counts usage.Counts) error {
			if counts[usage.Counted] != 1 {
				t.Errorf("event %s: got %v, want it counted", id, counts)
			}
			b.Use = use
			return s.Commit(ctx, b)
		})
		return err
	}
	look := func(key string) []dera.Job { return []dera.Job{{Kind: "look", Key: key, RunAt: usageStart}} }
	if err := through("1", store.Batch{Jobs: look("one")}); err != nil {
		t.Fatal(err)
	}
	refused := store.Batch{Jobs: look("two"), Fence: &dera.Lease{Resource: "r", Owner: "nobody", Token: 1}}
	if err := through("2", refused); !errors.Is(err, store.ErrFenced) {
		t.Errorf("refused commit: got %v, want %v", err, store.ErrFenced)
	}
	if got, want := told(t, other, "a"), "s3:GetObject 1 2026-03-01T10:30:00Z 2026-03-01T10:30:00Z"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := through("2", store.Batch{Jobs: look("two")}); err != nil { // it comes again
		t.Fatal(err)
	}
	if got, want := told(t, other, "a"), "s3:GetObject 2 2026-03-01T10:30:00Z 2026-03-01T10:30:00Z"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if jobs, err := other.Jobs(t.Context()); err != nil || len(jobs) != 2 {
		t.Errorf("jobs: got %v, %v, want two", jobs, err)
	}
}

// usageManyMarks marks files over several months, and forgets a month.
func usageManyMarks(t *testing.T, s, other *store.Store) {
	name := func(i, trust int) string {
		sum := sha256.Sum256(fmt.Append(nil, i))
		return fmt.Sprintf("%x-%d", sum[:16], trust)
	}
	month := func(i int) time.Time { return usageStart.AddDate(0, i/1000, 0) }
	damaged := usage.Mark{File: name(-1, 0), Name: "broken", Done: true, Damage: "cut off", At: usage.SecondOf(usageStart)}
	strange := usage.Mark{File: "f", Done: true, At: usage.SecondOf(usageStart)}
	if err := s.CommitUsage(t.Context(), usage.Batch{Marks: []usage.Mark{damaged, strange}}); err != nil {
		t.Fatal(err)
	}
	const all = 3000
	for i := 0; i < all; i += 100 {
		var b usage.Batch
		for j := range 100 {
			b.Marks = append(b.Marks, usage.Mark{File: name(i+j, 0), Done: true, At: usage.SecondOf(month(i + j))})
		}
		if err := s.CommitUsage(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	known := func(file string) bool {
		m, err := other.UsageMark(t.Context(), file)
		if err != nil && !errors.Is(err, usage.ErrNoMark) {
			t.Fatal(err)
		}
		return err == nil && m.Done
	}
	for i := range all {
		if !known(name(i, 0)) || known(name(i, 1)) {
			t.Fatalf("file %d: got %t for its mark and %t for that of another trust, want only its own", i, known(name(i, 0)), known(name(i, 1)))
		}
	}
	for i := range all {
		if known(name(all+i, 0)) {
			t.Fatalf("file %d was never read, and has a mark", all+i)
		}
	}
	if m, err := other.UsageMarks(t.Context()); err != nil || len(m) != 1 || m[0].Name != "broken" || !known("f") {
		t.Errorf("marks of other files: got %+v, %v, and %t for the strange one", m, err, known("f"))
	}
	again := usage.Batch{Marks: []usage.Mark{{File: name(7, 0), Done: true}}}
	if err := other.CommitUsage(t.Context(), again); !errors.Is(err, usage.ErrMarked) {
		t.Errorf("a marked file again: got %v, want %v", err, usage.ErrMarked)
	}
	if err := s.CompactUsage(t.Context(), 0, usageStart.AddDate(0, 1, 0)); err != nil {
		t.Fatal(err)
	}
	if known(name(7, 0)) || !known(name(1007, 0)) {
		t.Errorf("after the first month is over: got %t and %t, want it forgotten and the next one kept", known(name(7, 0)), known(name(1007, 0)))
	}
}
