package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam/policy"
	policywire "dera.example/dera/services/iam/policy/wire"
)

// losable is a usage ledger that can be lost.
type losable struct {
	everybodyQueries
	lost *bool
}

func (l losable) Used(ctx context.Context, account string, principals []string) (map[string]resource.Use, error) {
	if *l.lost {
		return nil, nil
	}
	return l.everybodyQueries.Used(ctx, account, principals)
}

// A policy with a finding that rests on the record of use.
func newLosableWorld(t *testing.T, mode dera.Mode) (w *world, lost *bool, look func()) {
	t.Helper()
	lost = new(bool)
	w = &world{t: t, dir: t.TempDir(), clock: newClock(), mode: mode}
	w.cloud = awssim.New(awssim.Config{Now: func() time.Time { return w.clock.Now().AddDate(0, 0, -200) }, Seed: 1})
	w.region = w.cloud.Account(account).Region(region)
	w.gate = func(g *evaluate.Gate) { g.Plan = g.Plan[:3] }
	w.config = func(c *engine.Config) {
		client := w.clientOf(func(c *cloud.Config) {
			c.Wires, c.Ports = []cloud.Wire{policywire.Wire()}, map[string]any{resource.PortLedger: losable{lost: lost}}
		})
		c.Reader, c.Cloud, c.Controls = reader{client}, writer{client}, rulebook(policy.Name)
	}
	w.open("engine-1")
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	for _, call := range []struct {
		name string
		with map[string]string
	}{
		{"CreateRole", map[string]string{"RoleName": "app", "AssumeRolePolicyDocument": trust}},
		{"CreatePolicy", map[string]string{"PolicyName": "reports", "PolicyDocument": bucketPolicy(permits("First", usedAction, unusedAction))}},
		{"AttachRolePolicy", map[string]string{"RoleName": "app", "PolicyArn": string(policy.ARNOf("aws", account, "reports"))}},
	} {
		if err := w.region.IAM(t.Context(), call.name, call.with); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	return w, lost, func() {
		t.Helper()
		n++
		w.clock.Advance(time.Hour)
		w.ingest(dera.Event{Source: "test", ID: strings.Repeat("e", n), Name: "CreatePolicyVersion", Time: w.clock.Now(),
			Scope: dera.Scope{Partition: "aws", Account: account, Region: dera.GlobalRegion, Type: policy.Name, IDs: []string{"reports"}}})
		w.quiet()
	}
}

// unused is the one finding on unused permissions.
func unused(t *testing.T, w *world) dera.Finding {
	t.Helper()
	all, err := w.store.Findings(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("got %d findings, %v, want one", len(all), err)
	}
	return all[0]
}

// TestLostRecordResolvesNothing: the record of use is lost between two looks. The finding
// stays, and says what is missing; its plan goes on waiting; and it is open again when the
// record is back.
func TestLostRecordResolvesNothing(t *testing.T) {
	t.Parallel()
	w, lost, look := newLosableWorld(t, dera.ReviewOnly)
	look()
	r := w.last("reports")
	wantState(t, r, dera.Waiting)
	if f := unused(t, w); f.State != dera.FindingOpen {
		t.Fatalf("got %s, want it open", f.State)
	}
	*lost = true
	for range 3 {
		look()
		if f := unused(t, w); f.State != dera.FindingUnknown || f.Key != "unused" || !strings.Contains(f.Why, "nothing is recorded any more") || strings.Count(f.Why, "nothing is recorded") != 1 {
			t.Fatalf("without the record: got %s %s: %s", f.State, f.Key, f.Why)
		}
	}
	wantState(t, w.last("reports"), dera.Waiting)
	*lost = false
	look()
	if f := unused(t, w); f.State != dera.FindingOpen || strings.Contains(f.Why, "any more") {
		t.Errorf("with the record again: got %s: %s", f.State, f.Why)
	}
	wantState(t, w.last("reports"), dera.Waiting)
}

// TestLostRecordIsNoFix: the record is lost after the plan was approved, or before the fix
// is verified: the first writes nothing and is not taken for resolved, and the second does
// not say that it is verified.
func TestLostRecordIsNoFix(t *testing.T) {
	t.Parallel()
	w, lost, look := newLosableWorld(t, dera.ReviewOnly)
	look()
	r := w.last("reports")
	wantState(t, r, dera.Waiting)
	*lost = true
	if _, err := w.engine.Decide(t.Context(), r.ID, engine.Answer{Approve: true, Digest: r.Digest, By: person()}); err != nil {
		t.Fatal(err)
	}
	w.drain()
	wantState(t, w.last("reports"), dera.Ready) // neither superseded nor begun
	if _, err := w.engine.Carry(t.Context(), r.ID); err == nil || !strings.Contains(err.Error(), "nothing is recorded of the use") {
		t.Errorf("carried out without the record: got %v", err)
	}
	*lost = false
	hook := w.cloud.Inject(awssim.Fault{Match: awssim.Match{Service: "iam", Operation: "SetDefaultPolicyVersion"}, Kind: awssim.HookAfter, Times: 1, Func: func() { *lost = true }})
	w.clock.Advance(10 * time.Minute)
	w.drain()
	if got := w.last("reports"); got.State != dera.Verifying || hook.Fired() != 1 {
		t.Errorf("the record was lost %d times before the fix was verified: got %s (%s)", hook.Fired(), got.State, got.Steps[len(got.Steps)-1].Why)
	}
	*lost = false
	w.clock.Advance(10 * time.Minute)
	w.drain()
	wantState(t, w.last("reports"), dera.Resolved)
}
