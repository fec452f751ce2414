package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/engine"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
)

// canaryWorld is a small cloud of groups with the tag, and a dera that acts as the test says.
type canaryWorld struct {
	t        *testing.T
	store    *store.Store
	now      time.Time
	groups   map[string]bool // open or not
	attached map[string]string
	fail     map[string]string // by call: before or after it takes effect
	wait     func(n int) error // at each wait
	waits    int
	intents  []string // operations that are recorded as intents when a write comes
}

func (w *canaryWorld) write(call string, effect func()) error {
	if len(w.intended()) <= len(w.intents) {
		w.t.Errorf("%s has no intent", call)
	}
	w.intents = w.intended()
	if got := w.intents[len(w.intents)-1]; got != call {
		w.t.Errorf("got the intent %s before %s", got, call)
	}
	switch w.fail[call] {
	case "before":
		return errors.New("AWS is away")
	case "after":
		effect()
		return errors.New("the answer is lost")
	}
	effect()
	return nil
}

// intended are the operations of the recorded intents.
func (w *canaryWorld) intended() (out []string) {
	leaves, err := w.store.Leaves(context.Background(), 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, leaf := range leaves {
		var r dera.AuditRecord
		if err := json.Unmarshal(leaf, &r); err != nil {
			w.t.Fatal(err)
		}
		if r.Kind == dera.RecordCanary && strings.HasPrefix(r.Why, "intent") {
			out = append(out, strings.TrimPrefix(r.Operation, "ec2:"))
		}
	}
	return out
}

func (w *canaryWorld) Left(context.Context) (ids []string, err error) {
	if w.fail["Left"] != "" {
		return nil, errors.New("AWS is away")
	}
	for id := range w.groups {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

func (w *canaryWorld) Make(context.Context, string, string) (id, request string, err error) {
	return "sg-1", "r-1", w.write("CreateSecurityGroup", func() { w.groups["sg-1"] = false })
}

func (w *canaryWorld) Attached(_ context.Context, id string) ([]string, error) {
	if w.fail["Attached"] != "" {
		return nil, errors.New("AWS is away")
	}
	if eni := w.attached[id]; eni != "" {
		return []string{eni}, nil
	}
	return nil, nil
}

func (w *canaryWorld) Open(_ context.Context, id string) (string, error) {
	return "r-2", w.write("AuthorizeSecurityGroupIngress", func() { w.groups[id] = true })
}

func (w *canaryWorld) Opened(_ context.Context, id string) (bool, error) { return w.groups[id], nil }

func (w *canaryWorld) Close(_ context.Context, id string) (string, error) {
	return "r-3", w.write("RevokeSecurityGroupIngress", func() { w.groups[id] = false })
}

func (w *canaryWorld) Delete(_ context.Context, id string) (string, error) {
	return "r-4", w.write("DeleteSecurityGroup", func() { delete(w.groups, id) })
}

// says appends records of dera run on the group.
func (w *canaryWorld) says(records ...dera.AuditRecord) {
	for i := range records {
		r := &records[i]
		r.Version, r.Time, r.Account, r.Resource = 1, w.now, "111122223333", "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1"
	}
	if err := w.store.Commit(context.Background(), store.Batch{Records: records}); err != nil {
		w.t.Fatal(err)
	}
}

// acts is dera run that closes the group.
func (w *canaryWorld) acts() {
	auto := &dera.Decision{Disposition: dera.Auto}
	w.says(dera.AuditRecord{Kind: dera.RecordFinding, Decision: auto}, dera.AuditRecord{Kind: dera.RecordDecision, State: dera.Ready, Decision: auto}, dera.AuditRecord{Kind: dera.RecordIntent})
	w.groups["sg-1"] = false
	w.says(dera.AuditRecord{Kind: dera.RecordResult, Operation: "ec2:RevokeSecurityGroupIngress"}, dera.AuditRecord{Kind: dera.RecordOutcome, State: dera.Resolved})
}

// canaryOfTest is the kind of canary, as the wire of security groups has it.
func canaryOfTest() cloud.Canary {
	return cloud.Canary{
		Make: "ec2:CreateSecurityGroup", Open: "ec2:AuthorizeSecurityGroupIngress", Close: "ec2:RevokeSecurityGroupIngress", Delete: "ec2:DeleteSecurityGroup", Opens: "+ tcp 22",
		ARN: func(partition, account, region, id string) dera.ARN {
			return dera.NewARN(partition, "ec2", region, account, "security-group/"+id)
		},
	}
}

// TestCanary: what a canary tells, and that nothing of it is open or left afterwards, whatever fails.
func TestCanary(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		set    func(w *canaryWorld)
		want   Health
		says   string
		left   []string // groups that are there afterwards
		opened bool
	}{
		"closed": {set: func(w *canaryWorld) { w.wait = once(2, w.acts) }, want: Healthy, says: "verified 2.0 s", opened: true},
		"late":   {set: func(w *canaryWorld) { w.wait = once(100, w.acts) }, want: ToDo, says: "more than 90 s", opened: true},
		"never":  {want: Broken, says: "was not closed within 5m0s", opened: true},
		"by_another": {set: func(w *canaryWorld) { w.wait = once(2, func() { w.groups["sg-1"] = false }) },
			want: ToDo, says: "not by this dera", opened: true},
		"waits_for_a_person": {set: func(w *canaryWorld) {
			w.wait = once(2, func() {
				w.says(dera.AuditRecord{Kind: dera.RecordDecision, State: dera.Waiting, Decision: &dera.Decision{Disposition: dera.Review, Reasons: []dera.Reason{{Guardrail: "freeze-window", Disposition: dera.Review, Why: "it is Friday"}}}})
			})
		}, want: ToDo, says: "waiting, review, freeze-window: it is Friday", opened: true},
		"exempt": {set: func(w *canaryWorld) {
			w.wait = once(2, func() {
				w.says(dera.AuditRecord{Kind: dera.RecordFinding, Decision: &dera.Decision{Disposition: dera.Exempt}})
			})
		}, want: ToDo, says: "does not act on it: exempt", opened: true},
		"its_fix_failed": {set: func(w *canaryWorld) {
			w.wait = once(2, func() {
				w.says(dera.AuditRecord{Kind: dera.RecordOutcome, State: dera.Failed, Why: "not allowed"})
			})
		}, want: ToDo, says: "ended as failed: not allowed", opened: true},
		"cut_off": {set: func(w *canaryWorld) {
			w.wait = func(int) error { return context.Canceled }
		}, want: Unchecked, says: "cut off", opened: true},
		"making_fails":        {set: func(w *canaryWorld) { w.fail["CreateSecurityGroup"] = "before" }, want: Unchecked, says: "AWS is away"},
		"making_is_not_known": {set: func(w *canaryWorld) { w.fail["CreateSecurityGroup"] = "after" }, want: Unchecked, says: "the answer is lost"},
		"opening_is_not_known": {set: func(w *canaryWorld) { w.fail["AuthorizeSecurityGroupIngress"] = "after" },
			want: Unchecked, says: "the answer is lost", opened: true},
		"attached_while_open":  {set: func(w *canaryWorld) { w.wait = once(5, func() { w.attached["sg-1"] = "eni-1" }) }, want: ToDo, says: "somebody attached it to eni-1", opened: true},
		"attached":             {set: func(w *canaryWorld) { w.attached["sg-1"] = "eni-1" }, want: ToDo, says: "eni-1"},
		"attachment_not_known": {set: func(w *canaryWorld) { w.fail["Attached"] = "before" }, want: Unchecked, says: "cannot be shown"},
		"left_not_known":       {set: func(w *canaryWorld) { w.fail["Left"] = "before" }, want: Unchecked, says: "AWS is away"},
		"cannot_be_deleted": {set: func(w *canaryWorld) { w.wait = once(2, w.acts); w.fail["DeleteSecurityGroup"] = "before" },
			want: ToDo, says: "could not be deleted", left: []string{"sg-1"}, opened: true},
		"left_by_an_earlier": {set: func(w *canaryWorld) { w.groups["sg-0"] = true; w.wait = once(2, w.acts) }, want: Healthy, says: "sg-0", opened: true},
		"stopped": {set: func(w *canaryWorld) {
			if err := (engine.Switch{Store: w.store, Now: func() time.Time { return w.now }}).Stop(w.t.Context(), dera.Stop{Reason: "freeze"}, dera.Actor{Name: "ann", How: "test"}); err != nil {
				w.t.Fatal(err)
			}
		}, want: NotTested, says: "stopped"},
		"another_runs": {set: func(w *canaryWorld) {
			if _, err := w.store.Lease(w.t.Context(), "canary", "canary/other", time.Minute); err != nil {
				w.t.Fatal(err)
			}
		}, want: ToDo, says: "another canary"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &canaryWorld{t: t, now: time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC), groups: map[string]bool{}, attached: map[string]string{}, fail: map[string]string{}}
			clock := func() time.Time { return w.now }
			var err error
			if w.store, err = store.Open(t.Context(), store.Config{URL: "sqlite:" + t.TempDir() + "/dera.db", Sealer: storetest.Vault(t, 1), Now: clock}); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = w.store.Close() })
			if tc.set != nil {
				tc.set(w)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r, err := Canary{
				Store: w.store, Kind: canaryOfTest(), Groups: w, Now: clock, Account: "111122223333", Region: "eu-west-1", Run: "run", Actor: dera.Actor{Name: "ann", How: "test"},
				Wait: func(context.Context, time.Duration) error {
					w.now, w.waits = w.now.Add(time.Second), w.waits+1
					if w.wait == nil {
						return nil
					}
					err := w.wait(w.waits)
					if err != nil {
						cancel()
					}
					return err
				},
			}.Examine(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Health == tc.want && strings.Contains(c.Says, tc.says) }) {
				t.Errorf("got %+v, want %s with %q", r.Checks, tc.want, tc.says)
			}
			if left, _ := (&canaryWorld{groups: w.groups}).Left(t.Context()); !slices.Equal(left, tc.left) || w.groups["sg-1"] {
				t.Errorf("got %v left, want %v and closed", w.groups, tc.left)
			}
			if opened := slices.Contains(w.intents, "AuthorizeSecurityGroupIngress"); opened != tc.opened {
				t.Errorf("opened: got %t, want %t", opened, tc.opened)
			}
			at, err := w.store.Remembered(t.Context(), rememberCanary)
			if unclean := len(tc.left) > 0; err != nil || (at != "") != unclean {
				t.Errorf("got %q remembered, %v", at, err)
			}
			if len(tc.left) > 0 {
				x := examined(t, &w.now)
				x.Store = w.store
				if err := x.canaryLeft(t.Context()); err != nil || x.of("canary")["eu-west-1"] != ToDo {
					t.Errorf("the doctor says of what is left: got %v, %v", x.report.Checks, err)
				}
			}
		})
	}
}

// once does something at the n-th wait.
func once(n int, do func()) func(int) error {
	return func(at int) error {
		if at == n {
			do()
		}
		return nil
	}
}

// TestCanaryCrash: a canary whose process died is closed by the next one, as soon as its lease is over.
func TestCanaryCrash(t *testing.T) {
	t.Parallel()
	w := &canaryWorld{t: t, now: time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC), groups: map[string]bool{}, attached: map[string]string{}, fail: map[string]string{}}
	clock := func() time.Time { return w.now }
	var err error
	if w.store, err = store.Open(t.Context(), store.Config{URL: "sqlite:" + t.TempDir() + "/dera.db", Sealer: storetest.Vault(t, 1), Now: clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	c := Canary{Store: w.store, Kind: canaryOfTest(), Groups: w, Now: clock, Account: "111122223333", Region: "eu-west-1", Actor: dera.Actor{Name: "ann", How: "test"}}
	died := fmt.Errorf("died")
	func() {
		defer func() {
			if recover() != died {
				t.Error("it did not die")
			}
		}()
		first := &canaryRun{Canary: c, examination: examination{report: Diagnosis{Summary: map[Health]int{}}}}
		first.Run = "first"
		if err := first.hold(t.Context()); err != nil {
			t.Error(err)
		}
		if opened, err := first.open(t.Context()); !opened || err != nil {
			t.Errorf("got %t, %v", opened, err)
		}
		panic(died)
	}()
	if !w.groups["sg-1"] {
		t.Fatal("nothing was open")
	}
	w.now = w.now.Add(canaryLease + time.Second)
	c.Run, c.Wait = "second", func(context.Context, time.Duration) error { w.now = w.now.Add(time.Second); w.acts(); return nil }
	r, err := c.Examine(t.Context())
	if err != nil || len(w.groups) > 0 || !slices.Equal(r.Canary.Cleaned, []string{"sg-1"}) {
		t.Errorf("got %+v, %v, %v", r.Canary, w.groups, err)
	}
}

// TestCanaryElsewhere: what a canary left in another place is not forgotten by one that ends well
// here, until one there has looked.
func TestCanaryElsewhere(t *testing.T) {
	t.Parallel()
	w := &canaryWorld{t: t, now: time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC), groups: map[string]bool{}, attached: map[string]string{}, fail: map[string]string{}}
	clock := func() time.Time { return w.now }
	var err error
	if w.store, err = store.Open(t.Context(), store.Config{URL: "sqlite:" + t.TempDir() + "/dera.db", Sealer: storetest.Vault(t, 1), Now: clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	c := Canary{Store: w.store, Kind: canaryOfTest(), Groups: w, Now: clock, Account: "111122223333", Region: "us-east-1", Run: "first", Actor: dera.Actor{Name: "ann", How: "test"}}
	first := &canaryRun{Canary: c, examination: examination{report: Diagnosis{Summary: map[Health]int{}}}}
	if err := first.hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	if opened, err := first.open(t.Context()); !opened || err != nil { // and its process dies
		t.Fatalf("got %t, %v", opened, err)
	}
	there := w.groups
	for _, at := range []struct {
		region string
		groups map[string]bool
		says   int // of what is left elsewhere
	}{{"eu-west-1", map[string]bool{}, 1}, {"us-east-1", there, 0}} {
		w.now, w.groups = w.now.Add(canaryLease+time.Second), at.groups
		c.Run, c.Region = "in "+at.region, at.region
		c.Wait = func(context.Context, time.Duration) error { w.now = w.now.Add(time.Second); w.acts(); return nil }
		r, err := c.Examine(t.Context())
		if err != nil || len(w.groups) > 0 {
			t.Errorf("%s: got %v, %v", at.region, w.groups, err)
		}
		x := examined(t, &w.now)
		x.Store = w.store
		if err := x.canaryLeft(t.Context()); err != nil {
			t.Error(err)
		}
		for from, checks := range map[string][]Check{"canary": r.Checks, "doctor": x.report.Checks} {
			n := 0
			for _, c := range checks {
				if c.Health == ToDo && strings.Contains(c.Says, "may be open") {
					n++
				}
			}
			if n != at.says {
				t.Errorf("%s after %s: got %+v, want %d left elsewhere", from, at.region, checks, at.says)
			}
		}
	}
}

// TestCanaryStages: what follows from another stage never stands before it, however the times of the records are.
func TestCanaryStages(t *testing.T) {
	t.Parallel()
	x := canaryRun{opened: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
	for _, s := range []struct {
		stage string
		ms    int
	}{{"opened", 0}, {"seen", 147}, {"decided", 146}, {"begun", 300}, {"verified", 500}, {"closed", 400}, {"revoked", 450}, {"seen", 900}} {
		x.reached(s.stage, x.opened.Add(time.Duration(s.ms)*time.Millisecond))
	}
	var got []string
	for _, s := range x.answer.Stages {
		got = append(got, fmt.Sprint(s.Stage, " ", s.Seconds))
	}
	if want := "opened 0, seen 0.147, decided 0.147, begun 0.3, closed 0.4, revoked 0.45, verified 0.5"; strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
