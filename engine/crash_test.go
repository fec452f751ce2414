package engine_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/services/s3/bucket"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/remediate"
	"dera.example/dera/resource"
	typed "dera.example/dera/resource/world"
)

// crash is one row of the crash matrix: an engine dies in it at each of its steps,
// and another one takes over.
type crash struct {
	name  string
	kind  kindOfChaos
	make  func() dera.Resource
	rules []resource.Operation // what people do first
	// denied is an operation that the service turns away once, so that what was done
	// is undone.
	denied string
	// rollback dies in the rollback of the fix; else the engine dies in the fix.
	rollback bool
	// far is how far apart the steps lie at which the engine dies; 0 is every step.
	far int
	// ofAWS says that policies of AWS may go automatically.
	ofAWS bool
	// needs are facts that hold at every moment, once people are done.
	needs []string
}

func (tt crash) settings() control.Settings {
	s := alone()
	s.AutoAWSManaged = tt.ofAWS
	return s
}

func crashes() []crash {
	group := func() dera.Resource { return newGroup(0) }
	rule := func(from, to int32, cidr, name string) resource.Operation {
		return authorizeOf(newGroup(0), from, to, cidr, name)
	}
	one := []resource.Operation{rule(22, 22, "0.0.0.0/0", "web"), rule(22, 22, "10.0.0.0/24", "office")}
	split := []resource.Operation{rule(0, 65535, "0.0.0.0/0", "lab")}
	shop := func() dera.Resource { return newBucket(0) }
	policy := func() []resource.Operation {
		op, err := putPolicy(newBucket(0).Config.(*bucket.Bucket), []statement{
			{text: `{"Sid":"Partner","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222233334444:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket-0/*"}`},
			{text: `{"Sid":"Public","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket-0/*"}`},
		})
		if err != nil {
			panic(err) // the policy is a literal
		}
		return []resource.Operation{op}
	}
	list := []crash{
		{name: "apply_of_one_revoke", kind: groupChaos{}, make: group, rules: one},
		{name: "apply_of_a_split", kind: groupChaos{}, make: group, rules: split},
		{name: "undo_of_a_failed_revoke", kind: groupChaos{}, make: group, rules: one, denied: securitygroup.RevokeIngress},
		{name: "undo_of_a_failed_split", kind: groupChaos{}, make: group, rules: split, denied: securitygroup.RevokeIngress},
		{name: "rollback_of_one_revoke", kind: groupChaos{}, make: group, rules: one, rollback: true},
		{name: "rollback_of_a_split", kind: groupChaos{}, make: group, rules: split, rollback: true},
		{name: "apply_of_a_policy", kind: bucketChaos{}, make: shop, rules: policy()},
		{name: "rollback_of_a_policy", kind: bucketChaos{}, make: shop, rules: policy(), rollback: true},
		{name: "apply_of_an_account_block", kind: blockChaos{}, make: func() dera.Resource { return newAccountBlock(account) }},
	}
	return append(list, identityCrashes()...)
}

// TestCrashMatrix lets the engine die at each of its steps, in and after each
// transaction and before and after each call, and a new one take over (invariants
// I1, I2, I10).
func TestCrashMatrix(t *testing.T) {
	t.Parallel()
	for _, tt := range crashes() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			whole := tt.run(t, 0, nil)
			stride := tt.stride()
			for k := 1; k <= whole.steps; k += stride {
				t.Run(fmt.Sprintf("dies_at_step_%03d", k), func(t *testing.T) { tt.run(t, k, &whole) })
			}
			t.Logf("%d steps: %v", whole.steps, whole.byName)
		})
	}
}

// ran is what a row did without a crash.
type ran struct {
	steps  int
	byName map[string]int
	// The configurations before everything, after the fix, and in the end.
	original, fixed, end string
}

// run lets the engine die at step k; 0 means never.
func (tt crash) run(t *testing.T, k int, whole *ran) ran {
	s := newStormOf(t, 1, typed.Faults{}, &mutant{config: noMutant})
	s.calm, s.watched = true, true
	r := tt.make()
	s.people.settings = tt.settings()
	s.people.add(r, tt.kind, 0)
	for _, op := range tt.rules {
		if err := s.world.Write(someone, r, op); err != nil {
			t.Fatal(err)
		}
	}
	s.clock.Advance(time.Minute)
	s.world.Due() // that is long past
	original := s.canon(r)
	s.people.list[0].made["first"] = made{may: slices.Collect(maps.Keys(tt.kind.facts(s.people.truth(s.people.list[0]))))}
	if tt.denied != "" {
		s.deny = tt.denied
	}
	s.now = s.start()
	act := func() {
		ev := dera.Event{Source: "test", Name: "Change", Time: s.clock.Now(), Scope: dera.Scope{Partition: r.Partition, Account: r.Account, Region: r.Region, Type: r.Type, IDs: []string{r.ID}}}
		_ = s.now.engine.Ingest(t.Context(), []dera.Event{ev}, nil, nil)
		_ = s.now.engine.Drain(t.Context())
	}
	out := ran{original: original}
	if tt.rollback {
		act()
		s.settle()
		out.fixed = s.canon(r)
		s.people.backed(s.fix(r))
		act = func() {
			_, _ = s.now.engine.Rollback(t.Context(), s.fix(r).ID, remediate.Request{By: person(), Reason: "test"})
		}
	}
	s.now.process.KillAt(k, func() { _ = s.now.store.Close() })
	act()
	out.steps, out.byName = s.now.process.Steps()
	if k > 0 && !s.now.process.Dead() {
		t.Fatal("the engine did not die")
	}
	s.clock.Advance(time.Second)
	s.revive()
	s.settle()
	if err := s.now.engine.Sweep(t.Context(), "sweep"); err != nil {
		t.Fatal(err)
	}
	s.settle()
	s.found("in the end")
	s.end()
	if out.end = s.canon(r); !tt.rollback {
		out.fixed = out.end
	}
	tt.hold(s, r, out, whole)
	for _, b := range s.broken {
		t.Error(b)
	}
	return out
}

// hold compares the end with that of a run without a crash.
func (tt crash) hold(s *storm, r dera.Resource, got ran, whole *ran) {
	s.t.Helper()
	if whole == nil {
		if got.fixed == got.original || tt.rollback && got.end != got.original {
			s.t.Fatalf("without a crash: got\n%s", got.end)
		}
		return
	}
	// A rollback whose order did not get as far as the database is not carried on, and
	// a fix that failed is not made again for a while.
	if got.end != whole.fixed && (got.end != whole.original || !tt.rollback && tt.denied == "") {
		s.t.Errorf("in the end: got\n%s\nwant\n%s", got.end, whole.fixed)
	}
	first := map[string]bool{}
	for i, v := range s.world.History(r.Key()) {
		facts := tt.kind.facts(v.Config)
		if i <= len(tt.rules) {
			maps.Copy(first, facts)
			continue
		}
		for f := range facts {
			if !first[f] {
				s.t.Errorf("wider than at the start: %s", f)
			}
		}
		for _, f := range tt.needs {
			if !facts[f] {
				s.t.Errorf("for a moment without %s", f)
			}
		}
	}
	open, err := s.look.FindingsOf(s.t.Context(), r.Key())
	if err != nil {
		s.t.Fatal(err)
	}
	if i := slices.IndexFunc(open, func(f dera.Finding) bool {
		return f.State == dera.FindingOpen && f.RolledBack > 0 && f.Disposition == dera.Auto
	}); i >= 0 {
		s.t.Errorf("finding after a rollback: got %s, want no more than review", open[i].Disposition)
	}
}

// fix is the one fix of the resource.
func (s *storm) fix(r dera.Resource) dera.Remediation {
	s.t.Helper()
	list, err := s.look.RemediationsOf(s.t.Context(), r.Key())
	if err != nil || len(list) == 0 {
		s.t.Fatalf("got %d remediations (%v), want one", len(list), err)
	}
	return list[0]
}

func (s *storm) canon(r dera.Resource) string {
	s.t.Helper()
	typ, err := registry().Lookup(r.Type)
	if err != nil {
		s.t.Fatal(err)
	}
	past := s.world.History(r.Key())
	text, err := typ.Canon(past[len(past)-1].Config)
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}
