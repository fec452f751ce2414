package engine_test

import (
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/services/s3/bucket"
)

// TestOverwrittenWriterIsTold: another writer's event turns out to lie between
// dera's last read and its write. The remediation says so and the bucket goes to
// review.
func TestOverwrittenWriterIsTold(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		event func(w *world, e *dera.Event)
		told  bool
	}{
		{"in_between", func(*world, *dera.Event) {}, true},
		{"long_before", func(_ *world, e *dera.Event) { e.Time = e.Time.Add(-time.Minute) }, false},
		{"another_call", func(_ *world, e *dera.Event) { e.Name = "PutBucketTagging" }, false},
		{"our_own", func(_ *world, e *dera.Event) { e.Actor = "dera" }, false},
		{"too_late", func(w *world, _ *dera.Event) { w.clock.Advance(16 * time.Minute) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newBucketWorld(t, func(c *engine.Config) { c.Controls = rulebook(bucket.Name)[:1] })
			w.ingest(w.bucketEvent("PutBucketPolicy"))
			w.quiet()
			r := w.bucketFixes(t)[0]
			wantState(t, r, dera.Resolved)
			var at time.Time
			for _, s := range r.Steps {
				if s.State == dera.Applying {
					at = s.At
				}
			}
			ev := dera.Event{Source: "test", ID: "e-1", Name: "PutBucketPolicy", Actor: "arn:aws:iam::" + account + ":user/bob", Time: at, Scope: bucketScope(), Document: bucketPolicy(other)}
			tt.event(w, &ev)
			w.ingest(ev)
			w.ingest(ev) // told once, however often the event comes
			if err := w.region.PutBucketPolicy(t.Context(), "reports", bucketPolicy(publicRead)); err != nil {
				t.Fatal(err)
			}
			w.ingest(w.bucketEvent("Look"))
			w.quiet()
			list := w.bucketFixes(t)
			if got := list[0].OverwroteDocument; tt.told && got != bucketPolicy(other) {
				t.Errorf("what the other one wrote: got %q", got)
			}
			told := list[0].State == dera.Collateral && strings.Contains(list[0].Overwrote, "user/bob") && len(list[0].Unexpected) == 1
			if told != tt.told {
				t.Errorf("first remediation: got %s, overwrote %q, moved %q; want told %t", list[0].State, list[0].Overwrote, list[0].Unexpected, tt.told)
			}
			want := dera.Resolved
			if tt.told {
				want = dera.Waiting
			}
			wantState(t, list[len(list)-1], want)
		})
	}
}

// TestOverwrittenWriterIsNamedWhileDeraWorks: the event arrives while dera still
// writes or verifies.
func TestOverwrittenWriterIsNamedWhileDeraWorks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		when awssim.Fault
	}{
		{name: "while_it_writes", when: awssim.Fault{Match: byEngineS3("PutBucketPolicy"), Kind: awssim.Hook, Times: 1}},
		{name: "right_after_the_write", when: awssim.Fault{Match: byEngineS3("PutBucketPolicy"), Kind: awssim.HookAfter, Times: 1}},
		{name: "while_it_verifies", when: awssim.Fault{Match: byEngineS3("GetBucketPolicy"), Kind: awssim.HookAfter, Times: 1, After: 4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newBucketWorld(t, func(c *engine.Config) { c.Controls = rulebook(bucket.Name)[:1] })
			other := w.newEngine("engine-2", w.openStore(w.clock.Now))
			tt.when.Func = func() {
				ev := w.bucketEvent("PutBucketPolicy")
				ev.ID, ev.Actor = "e-1", "arn:aws:iam::"+account+":user/bob"
				if err := other.Ingest(t.Context(), []dera.Event{ev}, nil, nil); err != nil {
					t.Error(err)
				}
			}
			w.cloud.Inject(tt.when)
			w.ingest(w.bucketEvent("PutBucketPolicy"))
			w.quiet()
			r := w.bucketFixes(t)[0]
			wantState(t, r, dera.Collateral)
			if !strings.Contains(r.Overwrote, "user/bob") {
				t.Errorf("overwrote: got %q, want bob's call named", r.Overwrote)
			}
			if got, want := w.policyOf(t), bucketPolicy(partner, narrowRead); got != want {
				t.Errorf("policy: got %s, want %s", got, want)
			}
		})
	}
}

// TestWhatWasNotSentOverwritesNothing: a fix whose only call AWS refused wrote nothing, so
// that the event of another writer tells of no change that it replaced. Where nobody knows
// whether it was carried out, it may have.
func TestWhatWasNotSentOverwritesNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		kind awssim.Kind
		told bool
	}{{"refused", awssim.Denied, false}, {"no_answer", awssim.Error5xxAfter, true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newBucketWorld(t, func(c *engine.Config) { c.Controls = rulebook(bucket.Name)[:1] })
			fault := w.cloud.Inject(awssim.Fault{Match: byEngineS3("PutBucketPolicy"), Kind: tt.kind, Times: 1})
			w.ingest(w.bucketEvent("PutBucketPolicy"))
			w.quiet()
			r := w.bucketFixes(t)[0]
			if fault.Fired() != 1 {
				t.Fatal("the call was not made")
			}
			var at time.Time
			for _, s := range r.Steps {
				if s.State == dera.Applying {
					at = s.At
				}
			}
			w.ingest(dera.Event{Source: "test", ID: "e-1", Name: "PutBucketPolicy", Actor: "arn:aws:iam::" + account + ":user/bob", Time: at, Scope: bucketScope(), Document: bucketPolicy(other)})
			if r = w.bucketFixes(t)[0]; (r.Overwrote != "") != tt.told {
				t.Errorf("%s (%s): overwrote %q, unexpected %q; want told %t", r.State, r.Failure, r.Overwrote, r.Unexpected, tt.told)
			}
		})
	}
}
