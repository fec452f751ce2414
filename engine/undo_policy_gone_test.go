package engine_test

import (
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/services/iam/policy"
)

// TestUndoOfADetachmentWhosePolicyIsGone: a policy of which nothing was used was detached,
// and then somebody deleted it. The undo cannot attach it again.
func TestUndoOfADetachmentWhosePolicyIsGone(t *testing.T) {
	t.Parallel()
	w := newCopying(t)
	arn := string(policy.ARNOf("aws", account, "idle"))
	w.must("CreatePolicy", map[string]string{"PolicyName": "idle", "PolicyDocument": bucketPolicy(permits("Idle", "ec2:StopInstances"))})
	w.must("DetachRolePolicy", map[string]string{"RoleName": copied, "PolicyArn": w.arn})
	w.must("PutRolePolicy", map[string]string{"RoleName": copied, "PolicyName": "own", "PolicyDocument": bucketPolicy(permits("Only", usedAction))})
	w.must("AttachRolePolicy", map[string]string{"RoleName": copied, "PolicyArn": arn})
	w.changed()
	w.quiet()
	r := w.last(copied)
	wantState(t, r, dera.Resolved)
	w.must("DeletePolicy", map[string]string{"PolicyArn": arn})
	for range 2 {
		writes := len(w.ours(""))
		got, err := w.world.rollback(r.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantState(t, got, dera.Collateral)
		why := got.Steps[len(got.Steps)-1].Why
		for _, want := range []string{"does not exist any more", "policy/idle", "user/ann", "0 of 1 changes"} {
			if !strings.Contains(why, want) {
				t.Errorf("why: got %q, want %q in it", why, want)
			}
		}
		if n := len(w.ours("")) - writes; n != 0 {
			t.Errorf("got %d writes, want none", n)
		}
		w.quiet()
	}
	w.must("CreatePolicy", map[string]string{"PolicyName": "idle", "PolicyDocument": bucketPolicy(permits("Idle", "ec2:StopInstances"))})
	got, err := w.world.rollback(r.ID) // it is there again
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, got, dera.RolledBack)
}
