package engine_test

import (
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/services/s3"
	"dera.example/dera/services/s3/bucket"
)

// TestWhatSomebodyClosedIsNotOpenedAgain: an operator revokes the wide rule between
// the look that decided and the first write. The remainders of a split must not
// come back: dera looks once more, and sends nothing.
func TestWhatSomebodyClosedIsNotOpenedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("lab", wideRule())
	hook := w.cloud.Inject(awssim.Fault{
		Match: byEngine("DescribeSecurityGroupRules"), Kind: awssim.Hook, Times: 1, After: 2,
		Func: func() { w.revoke(id, wideRule()) },
	})
	w.look(id)
	w.quiet()
	if hook.Fired() != 1 {
		t.Fatalf("the operator came %d times, want once", hook.Fired())
	}
	r := w.only(id)
	wantState(t, r, dera.Failed)
	if !strings.Contains(r.Failure, "nothing was sent") {
		t.Errorf("failure: got %q, want it to say that nothing was sent", r.Failure)
	}
	if n := len(w.ours("")); n != 0 {
		t.Errorf("writes: got %d, want none", n)
	}
	if rules := w.sorted(id); len(rules) != 0 {
		t.Errorf("rules in the end: got %q, want what the operator left", rules)
	}
}

// TestACLThatMovedIsNotWrittenOver is the same for a document that is written as
// a whole.
func TestACLThatMovedIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	w := newBucketWorld(t, func(c *engine.Config) { c.Controls = rulebook(bucket.Name) })
	for _, err := range []error{
		w.region.PutBucketPolicy(t.Context(), "reports", ""),
		w.region.PutBucketOwnership(t.Context(), "reports", "ObjectWriter"),
		w.region.PutBucketACL(t.Context(), "reports", "public-read"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	logs := awssim.Grant{URI: "http://acs.amazonaws.com/groups/s3/LogDelivery", Permission: "WRITE"}
	public := awssim.Grant{URI: s3.AllUsers, Permission: "READ"}
	hook := w.cloud.Inject(awssim.Fault{Match: byEngineS3("GetBucketAcl"), Kind: awssim.Hook, Times: 1, After: 2, Func: func() {
		if err := w.region.PutBucketGrants(t.Context(), "reports", public, logs); err != nil {
			t.Error(err)
		}
	}})
	w.ingest(w.bucketEvent("PutBucketAcl"))
	w.quiet()
	if hook.Fired() != 1 {
		t.Fatalf("the other writer came %d times, want once", hook.Fired())
	}
	page, err := w.client().Read(t.Context(), bucketScope(), true)
	if err != nil {
		t.Fatal(err)
	}
	grants := page.Resources[0].Config.(*bucket.Bucket).Grants
	var lines []string
	for _, g := range grants {
		lines = append(lines, g.Line())
	}
	if text := strings.Join(lines, "; "); len(grants) != 2 || !strings.Contains(text, "LogDelivery") {
		t.Errorf("grants in the end: got %s, want the owner's and the new one, and not the public one", text)
	}
}
