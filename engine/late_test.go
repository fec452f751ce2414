package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/remediate"
	"dera.example/dera/services/s3/bucket"
)

// unseen lets the reads of the operations be behind by the write that it is the
// hook of, until they are removed.
func (w *world) unseen(write awssim.Match, reads ...awssim.Match) func() {
	var behind []*awssim.Injected
	w.cloud.Inject(awssim.Fault{Match: write, Kind: awssim.HookAfter, Times: 1, Func: func() {
		for _, m := range reads {
			behind = append(behind, w.cloud.Inject(awssim.Fault{Match: m, Kind: awssim.StaleRead, Behind: 1}))
		}
	}})
	return func() {
		for _, b := range behind {
			b.Remove()
		}
	}
}

// ends works, and lets time pass, until the remediation ends.
func (w *world) ends(first func() []dera.Remediation) dera.Remediation {
	w.t.Helper()
	for range 300 {
		w.drain()
		if list := first(); len(list) > 0 && list[0].State.Final() {
			return list[0]
		}
		w.clock.Advance(30 * time.Second)
	}
	w.t.Fatal("the remediation does not end")
	return dera.Remediation{}
}

// TestChangeThatShowsLater: the write takes effect, and every read is behind for
// longer than dera tries. The fix fails; when the reads are right again, the record
// says that the change took effect later, and a person can take it back.
func TestChangeThatShowsLater(t *testing.T) {
	t.Parallel()
	w := newBucketWorld(t, func(c *engine.Config) { c.Controls = rulebook(bucket.Name)[:1] })
	seen := w.unseen(byEngineS3("PutBucketPolicy"), byEngineS3("GetBucketPolicy"))
	away := w.cloud.Inject(awssim.Fault{Match: byEngineS3("PutBucketPolicy"), Kind: awssim.Error5xxBefore, After: 1})
	w.ingest(w.bucketEvent("PutBucketPolicy"))
	fixes := func() []dera.Remediation { return w.bucketFixes(t) }
	r := w.ends(fixes)
	wantState(t, r, dera.Failed)
	seen()
	away.Remove()
	w.quiet()
	r = fixes()[0]
	wantState(t, r, dera.Collateral)
	if last := r.Steps[len(r.Steps)-1].Why; !strings.Contains(last, "took effect later") {
		t.Errorf("last step: got %q", last)
	}
	intents, err := w.store.Intents(t.Context(), r.ID)
	if err != nil || len(intents) != 1 || intents[0].State != dera.IntentApplied {
		t.Errorf("intents: got %+v, %v, want the one applied", intents, err)
	}
	w.verifyLog()
	if _, err := w.engine.Rollback(t.Context(), r.ID, remediate.Request{By: person(), Reason: "needed"}); err != nil {
		t.Fatal(err)
	}
	if got, want := w.policyOf(t), bucketPolicy(partner, publicRead); got != want {
		t.Errorf("policy after the rollback: got %s, want %s", got, want)
	}
}

// TestRevokeThatNobodySeesCutsNothing: the revoke of a split takes effect, and the
// reads never show it. When the fix is taken back, the wide rule comes back before
// its remainders go: nothing that was open to others is cut.
func TestRevokeThatNobodySeesCutsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("lab", wideRule())
	out := w.watch()
	seen := w.unseen(byEngine(revoke), byEngine("DescribeSecurityGroups"), byEngine("DescribeSecurityGroupRules"))
	w.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.HookAfter, After: 3, Times: 1, Func: seen})
	w.ingest(w.event(id))
	r := w.ends(func() []dera.Remediation { return w.remediations(id) })
	wantState(t, r, dera.Failed)
	if got := w.sorted(id); !slices.Equal(got, []string{"tcp 0-65535 0.0.0.0/0 lab"}) {
		t.Errorf("rules: got %q, want the wide one back", got)
	}
	w.quiet()
	if got := w.sorted(id); !slices.Equal(got, splitRules()) {
		t.Errorf("rules in the end: got %q, want %q", got, splitRules())
	}
	out.check()
}

// TestChangeThatNeverShows stays one that did not take effect, also when someone
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

// A service that ignores dry runs is asked once, and nothing more is sent.
func TestServiceThatIgnoresDryRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	ignored := w.cloud.Inject(awssim.Fault{Match: dryRun(revoke), Kind: awssim.Rewrite, Answer: func(int, string) (int, string) {
		return 200, `<RevokeSecurityGroupIngressResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><return>true</return></RevokeSecurityGroupIngressResponse>`
	}})
	w.ingest(w.event(id))
	r := w.ends(func() []dera.Remediation { return w.remediations(id) })
	wantState(t, r, dera.Failed)
	if !strings.Contains(r.Failure, "carried out what was sent as a dry run") || ignored.Fired() != 1 || len(w.ours("")) != 0 {
		t.Errorf("got %q after %d dry runs and %d writes, want it asked once", r.Failure, ignored.Fired(), len(w.ours("")))
	}
}
