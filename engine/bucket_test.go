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
	s3account "dera.example/dera/services/s3/account"
	"dera.example/dera/services/s3/bucket"
)

const (
	publicRead = `{"Sid":"Public","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::reports/*"}`
	partner    = `{"Sid":"Partner","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222233334444:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::reports/*"}`
	other      = `{"Sid":"Other","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::333344445555:root"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::reports/*"}`

	// What is left of publicRead, and a statement beside which it can go.
	narrowRead = `{"Sid":"Public","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::reports/*","Condition":{"StringEquals":{"aws:PrincipalAccount":"` + account + `"}}}`
	ownRead    = `{"Sid":"Own","Effect":"Allow","Principal":"*","Action":"s3:Get*","Resource":"arn:aws:s3:::reports/*","Condition":{"StringEquals":{"aws:PrincipalAccount":"` + account + `"}}}`
	mixedRead  = `{"Sid":"Mixed","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::222233334444:root","*"]},"Action":"s3:GetObject","Resource":"arn:aws:s3:::reports/*"}`
	// What the house keeps of mixedRead.
	partOfMixed = `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::reports/*","Condition":{"StringEquals":{"aws:PrincipalAccount":"` + account + `"}}}`
)

func bucketPolicy(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// newBucketWorld is a world with a bucket that its policy makes public and no
// block protects, in an account that is covered for S3 alone.
func newBucketWorld(t *testing.T, set func(*engine.Config)) *world {
	t.Helper()
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) {
			c.Controls = rulebook(bucket.Name, s3account.Name)
			if set != nil {
				set(c)
			}
		}
	})
	for _, err := range []error{
		w.region.CreateBucket(t.Context(), "reports"),
		w.region.PutPublicAccessBlock(t.Context(), "reports", nil),
		w.region.PutBucketPolicy(t.Context(), "reports", bucketPolicy(partner, publicRead)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func bucketScope() dera.Scope {
	return dera.Scope{Partition: "aws", Account: account, Region: region, Type: bucket.Name, IDs: []string{"reports"}}
}

func (w *world) bucketEvent(name string) dera.Event {
	return dera.Event{Source: "test", Name: name, Time: w.clock.Now(), Scope: bucketScope()}
}

// policyOf is the bucket's policy as the simulated AWS has it.
func (w *world) policyOf(t *testing.T) string {
	t.Helper()
	page, err := w.client().Read(t.Context(), bucketScope(), true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("read the bucket: %d, %v", len(page.Resources), err)
	}
	return page.Resources[0].Config.(*bucket.Bucket).Policy
}

// bucketFixes are the remediations of the policy.
func (w *world) bucketFixes(t *testing.T) []dera.Remediation {
	t.Helper()
	list, err := w.store.RemediationsOf(t.Context(), dera.ResourceKey("aws", account, region, bucket.ARNOf("aws", "reports")))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(list, func(r dera.Remediation) bool { return r.Control != "s3-bucket-public-policy" })
}

func byEngineS3(operation string) awssim.Match {
	return awssim.Match{Service: "s3", Operation: operation, Where: func(c awssim.Call) bool { return strings.HasSuffix(c.Principal, "user/dera") }}
}

// TestBucketPublishedBetweenDecisionAndWrite: the block of an account is decided
// on while no bucket needs public access. One that is published before the write
// is seen by the look before it, and is not cut off.
func TestBucketPublishedBetweenDecisionAndWrite(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) { c.Controls = rulebook(bucket.Name, s3account.Name) }
	})
	block := dera.Event{Source: "test", Name: "DeleteAccountPublicAccessBlock", Time: w.clock.Now(), Scope: dera.Scope{
		Partition: "aws", Account: account, Region: dera.GlobalRegion, Type: s3account.Name, IDs: []string{account},
	}}
	fixes := func() []dera.Remediation {
		list, err := w.store.RemediationsOf(t.Context(), dera.ResourceKey("aws", account, dera.GlobalRegion, s3account.ARNOf("aws", account)))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if err := w.region.CreateBucket(t.Context(), "reports"); err != nil {
		t.Fatal(err)
	}
	if err := w.engine.LookNow(t.Context(), block, true); err != nil {
		t.Fatal(err)
	}
	ready := fixes()
	if len(ready) != 1 || ready[0].State != dera.Ready {
		t.Fatalf("before: got %+v, want one that is ready", ready)
	}
	for _, err := range []error{
		w.region.PutPublicAccessBlock(t.Context(), "reports", nil),
		w.region.PutBucketPolicy(t.Context(), "reports", bucketPolicy(publicRead)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w.clock.Advance(time.Second)
	if _, err := w.engine.Carry(t.Context(), ready[0].ID); err != nil {
		t.Fatal(err)
	}
	w.drain()
	if calls := w.ours("PutPublicAccessBlock"); len(calls) > 0 {
		t.Errorf("writes of the block: got %v, want none", calls)
	}
	if r := fixes(); len(r) != 2 || r[0].State != dera.Superseded || r[1].State != dera.Waiting {
		t.Errorf("afterwards: got %d, want the decided one let go and one that waits for a person", len(r))
	}
}

// TestBucketFaults lets the write of a bucket policy, or a read around it, go
// wrong in every way. In the end the public statement is gone and the other is
// there, to the byte.
func TestBucketFaults(t *testing.T) {
	t.Parallel()
	put := byEngineS3("PutBucketPolicy")
	tests := []struct {
		name    string
		fault   awssim.Fault
		timeout time.Duration
		state   dera.State // of the first remediation
		why     string
	}{
		{name: "no_fault", fault: awssim.Fault{Match: put, Kind: awssim.Throttle, Times: 1, After: 99}, state: dera.Resolved},
		{name: "says_yes_and_does_nothing", fault: awssim.Fault{Match: put, Kind: awssim.LieNoEffect, Times: 1}, state: dera.Resolved},
		{name: "server_error_after_effect", fault: awssim.Fault{Match: put, Kind: awssim.Error5xxAfter, Times: 1}, state: dera.Resolved},
		{name: "server_error_before_effect", fault: awssim.Fault{Match: put, Kind: awssim.Error5xxBefore, Times: 1}, state: dera.Resolved},
		{name: "another_change_is_in_progress", fault: awssim.Fault{Match: put, Kind: awssim.Refuse, Code: "OperationAborted", Status: 409, Times: 3}, state: dera.Resolved},
		{name: "throttled", fault: awssim.Fault{Match: put, Kind: awssim.Throttle, Times: 2}, state: dera.Resolved},
		{name: "credentials_run_out", fault: awssim.Fault{Match: put, Kind: awssim.ExpiredToken, Times: 2}, state: dera.Resolved},
		{name: "denied", fault: awssim.Fault{Match: put, Kind: awssim.Denied, Times: 1}, state: dera.Failed, why: "denied"},
		{name: "hangs_after_effect", fault: awssim.Fault{Match: put, Kind: awssim.HangAfter, Times: 1}, timeout: 300 * time.Millisecond, state: dera.Resolved},
		{name: "reads_are_behind", fault: awssim.Fault{Match: byEngineS3("GetBucketPolicy"), Kind: awssim.StaleRead, Behind: 1, Times: 2, After: 3}, state: dera.Resolved},
		{name: "reads_are_throttled", fault: awssim.Fault{Match: byEngineS3("GetBucketAcl"), Kind: awssim.Throttle, Times: 2}, state: dera.Resolved},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newBucketWorld(t, nil)
			w.timeout = tt.timeout
			if tt.timeout > 0 {
				w.open("engine-2")
			}
			w.cloud.Inject(tt.fault)
			w.ingest(w.bucketEvent("PutBucketPolicy"))
			for range 40 {
				w.drain()
				if list := w.bucketFixes(t); len(list) > 0 && list[0].State.Final() {
					break
				}
				w.clock.Advance(5 * time.Second)
			}
			list := w.bucketFixes(t)
			if len(list) == 0 {
				t.Fatal("got no remediation")
			}
			wantState(t, list[0], tt.state)
			if !strings.Contains(list[0].Failure, tt.why) {
				t.Errorf("failure: got %q, want %q in it", list[0].Failure, tt.why)
			}
			w.quiet()
			if got, want := w.policyOf(t), bucketPolicy(partner, narrowRead); got != want {
				t.Errorf("policy in the end: got %s, want %s", got, want)
			}
		})
	}
}

// TestBucketNeighbourThatVanishes: another statement goes with the public one.
func TestBucketNeighbourThatVanishes(t *testing.T) {
	t.Parallel()
	w := newBucketWorld(t, nil)
	// The last statement is the one that goes.
	if err := w.region.PutBucketPolicy(t.Context(), "reports", bucketPolicy(publicRead, partner)); err != nil {
		t.Fatal(err)
	}
	w.cloud.Inject(awssim.Fault{Match: byEngineS3("PutBucketPolicy"), Kind: awssim.LieNeighbour, Times: 1})
	w.ingest(w.bucketEvent("PutBucketPolicy"))
	w.quiet()
	r := w.bucketFixes(t)[0]
	if r.State != dera.Collateral && r.State != dera.Failed {
		wantState(t, r, dera.Collateral)
	}
	if !slices.ContainsFunc(r.Unexpected, func(m string) bool { return strings.Contains(m, "222233334444") }) {
		t.Errorf("moved: got %q, want the partner's statement named", r.Unexpected)
	}
}

// TestWholeDocumentIsNeverWrittenOver: someone changes the policy between dera's
// last look and its write. Nothing is sent; the next look decides again.
func TestWholeDocumentIsNeverWrittenOver(t *testing.T) {
	t.Parallel()
	w := newBucketWorld(t, nil)
	// The last read before the write is the one that the write itself makes.
	write := func() {
		if err := w.region.PutBucketPolicy(t.Context(), "reports", bucketPolicy(partner, publicRead, other)); err != nil {
			t.Error(err)
		}
	}
	hook := w.cloud.Inject(awssim.Fault{Match: byEngineS3("GetBucketPolicy"), Kind: awssim.Hook, Times: 1, After: 2, Func: write})
	w.ingest(w.bucketEvent("PutBucketPolicy"))
	w.quiet()
	if hook.Fired() != 1 {
		t.Fatalf("the other writer came %d times, want once", hook.Fired())
	}
	if got, want := w.policyOf(t), bucketPolicy(partner, narrowRead, other); got != want {
		t.Errorf("policy in the end: got %s, want %s: the other's statement stays, the public one is narrowed", got, want)
	}
}

// TestUndoLeavesWhatSomebodyElseWrote: the fix fails since someone wrote another
// policy over it. What they wrote is not ours to take back.
func TestUndoLeavesWhatSomebodyElseWrote(t *testing.T) {
	t.Parallel()
	w := newBucketWorld(t, nil)
	theirs := bucketPolicy(strings.Replace(publicRead, "Public", "Theirs", 1), other)
	w.cloud.Inject(awssim.Fault{Match: byEngineS3("PutBucketPolicy"), Kind: awssim.HookAfter, Times: 1, Func: func() {
		if err := w.region.PutBucketPolicy(t.Context(), "reports", theirs); err != nil {
			t.Error(err)
		}
	}})
	w.ingest(w.bucketEvent("PutBucketPolicy"))
	w.quiet()
	if got, want := w.policyOf(t), bucketPolicy(strings.Replace(narrowRead, "Public", "Theirs", 1), other); got != want {
		t.Errorf("policy in the end: got %s, want %s", got, want)
	}
}

// TestUndoTriedAgainLeavesWhatSomebodyElseWrote: between an undo that failed and
// the next one someone else puts a block of their own; it stays.
func TestUndoTriedAgainLeavesWhatSomebodyElseWrote(t *testing.T) {
	t.Parallel()
	w := newBucketWorld(t, func(c *engine.Config) { c.Controls = rulebook(bucket.Name) })
	if err := w.region.PutBucketPolicy(t.Context(), "reports", bucketPolicy(partner)); err != nil {
		t.Fatal(err)
	}
	w.ingest(w.bucketEvent("PutBucketPolicy"))
	w.quiet()
	list, err := w.store.RemediationsOf(t.Context(), dera.ResourceKey("aws", account, region, bucket.ARNOf("aws", "reports")))
	if err != nil || len(list) != 1 {
		t.Fatalf("got %d remediations, %v, want that of the block", len(list), err)
	}
	wantState(t, list[0], dera.Resolved)
	undo := byEngineS3("DeletePublicAccessBlock")
	denied := w.cloud.Inject(awssim.Fault{Match: undo, Kind: awssim.Denied})
	back := remediate.Request{By: person(), Reason: "test"}
	r, err := w.engine.Rollback(t.Context(), list[0].ID, back)
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, r, dera.UndoFailed)
	denied.Remove()
	theirs := &awssim.PublicAccessBlock{BlockPublicPolicy: true}
	if err := w.region.PutPublicAccessBlock(t.Context(), "reports", theirs); err != nil {
		t.Fatal(err)
	}
	before := len(w.ours("DeletePublicAccessBlock"))
	if r, err = w.engine.Rollback(t.Context(), list[0].ID, back); err != nil {
		t.Fatal(err)
	}
	if n := len(w.ours("DeletePublicAccessBlock")) - before; n != 0 {
		t.Errorf("got %d more deletes of the block, want none: it is someone else's", n)
	}
	if len(r.Unexpected) == 0 {
		t.Errorf("got %s with nothing moved, want their block named", r.State)
	}
}

// TestBlockComesAfterThePolicyAndGoesBeforeIt: once nothing is public the block
// follows automatically; the policy cannot come back while it stands.
func TestBlockComesAfterThePolicyAndGoesBeforeIt(t *testing.T) {
	t.Parallel()
	w := newBucketWorld(t, func(c *engine.Config) {
		c.Controls, c.Settings.Organization = rulebook(bucket.Name), "o-a1b2c3d4e5" // S3 takes what is narrowed to it for private
	})
	w.ingest(w.bucketEvent("PutBucketPolicy"))
	w.quiet()
	all, err := w.store.RemediationsOf(t.Context(), dera.ResourceKey("aws", account, region, bucket.ARNOf("aws", "reports")))
	if err != nil {
		t.Fatal(err)
	}
	var policy, block string
	for _, r := range all {
		switch {
		case r.State != dera.Resolved:
		case r.Control == "s3-bucket-public-policy":
			policy = r.ID
		case r.Control == "s3-bucket-access-block":
			block = r.ID
		}
	}
	if policy == "" || block == "" {
		t.Fatalf("remediations: got %v, want policy and block resolved", states(all))
	}
	req := remediate.Request{By: person(), Reason: "test"}
	if _, err := w.engine.Rollback(t.Context(), policy, req); err == nil || !strings.Contains(err.Error(), block) {
		t.Errorf("rollback of the policy under the block: got %v, want it refused with %s named", err, block)
	}
	// Someone else's block, of the account: no remediation stands in the way, and
	// still S3 would refuse.
	if _, err := w.engine.Rollback(t.Context(), block, req); err != nil {
		t.Fatal(err)
	}
	if err := w.region.PutAccountPublicAccessBlock(t.Context(), &awssim.PublicAccessBlock{BlockPublicPolicy: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.engine.Rollback(t.Context(), policy, req); err == nil || !strings.Contains(err.Error(), "BlockPublicPolicy") {
		t.Errorf("rollback of the policy under someone's block: got %v, want it refused", err)
	}
	if err := w.region.PutAccountPublicAccessBlock(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.engine.Rollback(t.Context(), policy, req); err != nil {
		t.Errorf("rollback of the policy without a block: %v", err)
	}
	if got, want := w.policyOf(t), bucketPolicy(partner, publicRead); got != want {
		t.Errorf("policy after all rollbacks: got %s, want %s", got, want)
	}
}
