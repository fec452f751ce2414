package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dera"
	"dera/awssim"
	"dera/remediate"
)

// TestChangeThatShowsLater: the revoke takes effect, and every read is behind for
// longer than dera waits. The fix fails; when the reads are right again, the record
// says that the change took effect later, and a person can take it back.
func TestChangeThatShowsLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"), tcp(443, 443, "10.0.0.0/8"))
	var behind []*awssim.Injected
	w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.HookAfter, Times: 1, Func: func() {
		for _, op := range []string{"DescribeSecurityGroups", "DescribeSecurityGroupRules"} {
			behind = append(behind, w.cloud.Inject(awssim.Fault{Match: byEngine(op), Kind: awssim.StaleRead, Behind: 1}))
		}
	}})
	w.ingest(w.event(id))
	for range 200 {
		w.drain()
		if list := w.remediations(id); len(list) > 0 && list[0].State.Final() {
			break
		}
		w.clock.Advance(30 * time.Second)
	}
	r := w.remediations(id)[0]
	wantState(t, r, dera.Failed)
	if len(w.ingress(id)) != 1 {
		t.Fatalf("failure: got %q with rules %q, want the rule gone and dera not to know it", r.Failure, w.ingress(id))
	}
	for _, b := range behind {
		b.Remove()
	}
	w.quiet()
	r = w.remediations(id)[0]
	wantState(t, r, dera.Collateral)
	if last := r.Steps[len(r.Steps)-1].Why; !strings.Contains(last, "took effect later") {
		t.Errorf("last step: got %q", last)
	}
	if f := w.findings(id)[sshKey]; f.State != dera.FindingResolved {
		t.Errorf("finding: got %q, want resolved", f.State)
	}
	intents, err := w.store.Intents(t.Context(), r.ID)
	if err != nil || len(intents) != 1 || intents[0].State != dera.IntentApplied {
		t.Errorf("intents: got %+v, %v, want the one applied", intents, err)
	}
	w.verifyLog()
	if _, err := w.engine.Rollback(t.Context(), r.ID, remediate.Request{By: person(), Reason: "needed"}); err != nil {
		t.Fatal(err)
	}
	if got := w.ingress(id); len(got) != 2 {
		t.Errorf("rules after the rollback: got %q, want both", got)
	}
}

// TestChangeThatNeverShows stays one that did not take effect, also when somebody
// else makes it after a refusal of ours.
func TestChangeThatNeverShows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Denied, Times: 1})
	w.look(id)
	w.revoke(id, tcp(22, 22, "0.0.0.0/0"))
	w.look(id)
	w.quiet()
	wantState(t, w.remediations(id)[0], dera.Failed)
	if slices.ContainsFunc(w.remediations(id), func(r dera.Remediation) bool { return r.State == dera.Collateral }) {
		t.Errorf("remediations: got %v, want none that took effect", states(w.remediations(id)))
	}
}
