package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/control"
	"dera.example/dera/engine"
	"dera.example/dera/remediate"
)

// remainders are the rules that a split of the wide rule leaves.
func remainders() []awssim.Rule {
	out := []awssim.Rule{tcp(0, 21, "0.0.0.0/0"), tcp(23, 3388, "0.0.0.0/0"), tcp(3390, 65535, "0.0.0.0/0")}
	for i := range out {
		out[i].Description = "lab"
	}
	return out
}

// TestAutomaticUndoOpensNothing: the owner deletes what dera put in the place of a
// public rule, and the fix fails. Whatever its state, the public rule does not come
// back, and a person is called.
func TestAutomaticUndoOpensNothing(t *testing.T) {
	t.Parallel()
	ssh := tcp(22, 22, "0.0.0.0/0")
	ssh.Description = "debug"
	tests := []struct {
		name  string
		rules []awssim.Rule // beside the wide one
		set   func(w *world, id string)
		state dera.State
		want  []string // the rules that the first fix leaves
	}{
		{name: "all_are_deleted_while_dera_verifies", state: dera.Collateral, want: []string{"tcp 22-22 0.0.0.0/0 debug"}, set: func(w *world, id string) {
			w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.HookAfter, Times: 1, Func: func() {
				w.revoke(id, remainders()...)
				w.authorize(id, ssh)
			}})
		}},
		{name: "one_is_deleted_while_dera_verifies", state: dera.Collateral, want: []string{"tcp 0-21 0.0.0.0/0 lab", "tcp 22-22 0.0.0.0/0 debug", "tcp 3390-65535 0.0.0.0/0 lab"}, set: func(w *world, id string) {
			w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.HookAfter, Times: 1, Func: func() {
				w.revoke(id, remainders()[1])
				w.authorize(id, ssh)
			}})
		}},
		{name: "all_are_deleted_before_the_last_change_fails", rules: []awssim.Rule{ssh}, state: dera.UndoFailed, want: []string{"tcp 22-22 0.0.0.0/0 debug"}, set: func(w *world, id string) {
			w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Hook, Times: 1, After: 1, Func: func() { w.revoke(id, remainders()...) }})
			w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Denied, After: 1})
		}},
		{name: "nothing_is_deleted_and_the_last_change_fails", rules: []awssim.Rule{ssh}, state: dera.Failed,
			want: []string{"tcp 0-65535 0.0.0.0/0 lab", "tcp 22-22 0.0.0.0/0 debug"}, set: func(w *world, _ string) {
				w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Denied, After: 1, Times: 1})
			}},
		{name: "all_are_deleted_while_dera_is_down", rules: []awssim.Rule{ssh}, state: dera.UndoFailed, want: []string{"tcp 22-22 0.0.0.0/0 debug"}, set: func(w *world, id string) {
			w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.HookAfter, Times: 1, Func: func() {
				w.revoke(id, remainders()...)
				w.stop()
			}})
		}},
		{name: "the_wide_rule_is_deleted_when_its_revoke_had_no_answer", state: dera.UndoFailed, want: splitRules(), set: func(w *world, id string) {
			w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Error5xxBefore})
			undoing := awssim.Match{Service: "ec2", Operation: "DescribeSecurityGroupRules", Where: func(c awssim.Call) bool {
				list := w.remediations(id)
				return strings.HasSuffix(c.Principal, "user/dera") && len(list) > 0 && list[0].State == dera.Undoing
			}}
			w.cloud.Inject(awssim.Fault{Match: undoing, Kind: awssim.Hook, Times: 1, Func: func() { w.revoke(id, wideRule()) }})
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.group("lab", append([]awssim.Rule{wideRule()}, tt.rules...)...)
			tt.set(w, id)
			w.ingest(w.event(id))
			w.drain()
			w.resume()
			r := w.ends(func() []dera.Remediation { return w.remediations(id) })
			wantState(t, r, tt.state)
			wide := 0
			for _, rule := range w.sorted(id) {
				if rule == "tcp 0-65535 0.0.0.0/0 lab" {
					wide++
				}
			}
			// Without another hand in it, a fix that fails is undone as a whole.
			if n := len(w.ours(authorize)); tt.state == dera.UndoFailed && (n != 3 || wide > 0) {
				t.Errorf("got %d authorizes and the wide rule %d times, want only those of the split", n, wide)
			}
			if tt.state == dera.UndoFailed || tt.state == dera.Failed {
				if got := w.sorted(id); !slices.Equal(got, tt.want) {
					t.Errorf("rules: got %q, want %q", got, tt.want)
				}
			}
		})
	}
}

// TestUndoLeavesARuleMadeAgain: someone deletes a rule that dera made and makes one
// with the same permission. It is theirs where it can be told apart.
func TestUndoLeavesARuleMadeAgain(t *testing.T) {
	t.Parallel()
	again := remainders()[1]
	other := again
	other.Description = "theirs"
	tests := []struct {
		name string
		make func(w *world, id string)
		left []string
	}{
		{name: "the_very_same", make: func(w *world, id string) { w.authorize(id, again) }},
		{name: "another_description", make: func(w *world, id string) { w.authorize(id, other) }, left: []string{"tcp 23-3388 0.0.0.0/0 theirs"}},
		{name: "another_tag", left: []string{"tcp 23-3388 0.0.0.0/0 lab"}, make: func(w *world, id string) {
			w.authorize(id, again)
			g, _ := w.cloud.Snapshot().Group(id)
			i := slices.IndexFunc(g.Rules, func(r awssim.Rule) bool { return r.FromPort == 23 })
			w.tag(g.Rules[i].ID, "owner", "bob")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.group("lab", wideRule())
			w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Hook, Times: 1, Func: func() {
				w.revoke(id, again)
				tt.make(w, id)
			}})
			w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Denied, Times: 1})
			w.ingest(w.event(id))
			r := w.ends(func() []dera.Remediation { return w.remediations(id) })
			wantState(t, r, dera.Failed)
			if got, want := w.sorted(id), append([]string{"tcp 0-65535 0.0.0.0/0 lab"}, tt.left...); !slices.Equal(got, want) {
				t.Errorf("rules: got %q, want %q", got, want)
			}
			if reported := slices.Contains(r.Unexpected, "added: in tcp 23 3388 0.0.0.0/0"); reported != (len(tt.left) > 0) {
				t.Errorf("moved: got %q, want their rule named where it stays", r.Unexpected)
			}
		})
	}
}

// TestOverwrittenByAnUndo: another writer's event lies between the last read and the
// write of a rollback.
func TestOverwrittenByAnUndo(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		at       time.Duration // after the rollback
		reported bool
	}{
		{name: "in_between", reported: true},
		{name: "long_before", at: -time.Hour},
		{name: "long_after", at: time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newBucketWorld(t, publicPolicyAlone)
			w.ingest(w.bucketEvent("PutBucketPolicy"))
			w.quiet()
			w.clock.Advance(2 * time.Hour)
			began := w.clock.Now()
			r, err := w.engine.Rollback(t.Context(), w.bucketFixes(t)[0].ID, remediate.Request{By: person(), Reason: "test"})
			if err != nil {
				t.Fatal(err)
			}
			wantState(t, r, dera.RolledBack)
			w.ingest(dera.Event{Source: "test", ID: "e-1", Name: "DeleteBucketPolicy", Actor: "arn:aws:iam::" + account + ":user/bob", Time: began.Add(w.clock.Now().Sub(began)/2 + tt.at), Scope: bucketScope()})
			w.quiet()
			r = w.bucketFixes(t)[0]
			wantState(t, r, dera.RolledBack)
			if got := strings.Contains(r.Overwrote, "user/bob") && len(r.Unexpected) == 1; got != tt.reported {
				t.Errorf("overwrote: got %q, moved %q, want it reported: %t", r.Overwrote, r.Unexpected, tt.reported)
			}
		})
	}
}

func publicPolicyAlone(c *engine.Config) {
	c.Controls = slices.DeleteFunc(c.Controls, func(x control.Control) bool { return x.ID != "s3-bucket-public-policy" })
}

// TestRollbackOfAStatementThatIsRemoved: the owner takes the statement away between
// the last look of a rollback and its write. One read that says so can be behind; a
// second that agrees ends the rollback, and a person is called.
func TestRollbackOfAStatementThatIsRemoved(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		back  bool // a read later it is there again
		state dera.State
		want  string
	}{
		{name: "for_good", state: dera.UndoFailed, want: bucketPolicy(partner, other)},
		{name: "for_one_read", back: true, state: dera.RolledBack, want: bucketPolicy(partner, publicRead)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newBucketWorld(t, publicPolicyAlone)
			w.ingest(w.bucketEvent("PutBucketPolicy"))
			w.quiet()
			fix := w.bucketFixes(t)[0]
			wantState(t, fix, dera.Resolved)
			now := w.policyOf(t)
			put := func(policy string) func() {
				return func() {
					if err := w.region.PutBucketPolicy(t.Context(), "reports", policy); err != nil {
						t.Error(err)
					}
				}
			}
			// The third read is the first of the undo itself.
			hook := w.cloud.Inject(awssim.Fault{Match: byEngineS3("GetBucketPolicy"), Kind: awssim.Hook, Times: 1, After: 2, Func: put(bucketPolicy(partner, other))})
			if tt.back {
				w.cloud.Inject(awssim.Fault{Match: byEngineS3("GetBucketPolicy"), Kind: awssim.HookAfter, Times: 1, After: 2, Func: put(now)})
			}
			r, err := w.engine.Rollback(t.Context(), fix.ID, remediate.Request{By: person(), Reason: "test"})
			if err != nil || hook.Fired() != 1 {
				t.Fatalf("got %v, the owner came %d times, want once", err, hook.Fired())
			}
			wantState(t, r, tt.state)
			if got := w.policyOf(t); got != tt.want {
				t.Errorf("policy: got %s\nwant %s", got, tt.want)
			}
		})
	}
}
