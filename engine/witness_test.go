package engine_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/awssim"
	"dera.example/dera/cloudtrail"
)

// compared joins the log with what CloudTrail has of dera's own calls.
func (w *world) compared() audit.Reconciliation {
	w.t.Helper()
	s := w.openStore(w.clock.Now)
	size, err := s.LogSize(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	leaves, err := s.Leaves(w.t.Context(), 0, size)
	if err != nil {
		w.t.Fatal(err)
	}
	var writes audit.Writes
	for i, leaf := range leaves {
		var r dera.AuditRecord
		if err := json.Unmarshal(leaf, &r); err != nil {
			w.t.Fatal(err)
		}
		writes.Add(int64(i), r)
	}
	var calls []audit.Call
	for _, e := range w.cloud.Events() {
		rec, err := cloudtrail.Decode(e.Record)
		if err != nil {
			w.t.Fatal(err)
		}
		if strings.HasSuffix(rec.Caller.ARN, "user/dera") {
			service, _, _ := strings.Cut(rec.Source, ".")
			calls = append(calls, audit.Call{EventID: rec.ID, RequestID: rec.RequestID, Service: service, Name: rec.Name, Account: rec.Account, Region: rec.Region,
				Actor: rec.Actor(), Time: rec.Time, ReadOnly: rec.ReadOnly, Failed: rec.Failed()})
		}
	}
	return audit.Reconcile(writes.List(), calls, audit.Reach{}, w.clock.Now().Add(time.Hour))
}

// A crash is no stolen role: every call of dera has its record at every moment,
// also where the result was never written.
func TestCrashIsNoStolenRole(t *testing.T) {
	t.Parallel()
	whole := newWorld(t)
	count := whole.mortal(0)
	whole.look(whole.group("lab", wideRule()))
	for k := 1; k <= count(); k++ {
		t.Run(fmt.Sprintf("step_%d", k), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.group("lab", wideRule())
			w.mortal(k)
			_ = w.engine.Ingest(t.Context(), []dera.Event{w.event(id)}, nil, nil)
			_ = w.engine.Drain(t.Context())
			w.step = nil
			if r := w.compared(); len(r.Unrecorded) > 0 {
				t.Errorf("after the crash: got calls without a record %+v", r.Unrecorded)
			}
			w.reborn()
			if r := w.compared(); len(r.Unrecorded) > 0 {
				t.Errorf("in the end: got calls without a record %+v", r.Unrecorded)
			}
		})
	}
}

// A call that took effect without an answer, and was made again, has its record.
func TestCallWithoutAnAnswerIsNoStolenRole(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{authorize, revoke} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.group("lab", wideRule())
			// The answer is lost, and no read sees the effect until the call is made again.
			var lost, done atomic.Bool
			w.cloud.Inject(awssim.Fault{Match: byEngine(operation), Kind: awssim.HookAfter, Times: 1, Func: func() { lost.Store(true) }})
			w.cloud.Inject(awssim.Fault{Match: byEngine(operation), Kind: awssim.Hook, After: 1, Times: 1, Func: func() { done.Store(true) }})
			for _, read := range []string{"DescribeSecurityGroups", "DescribeSecurityGroupRules"} {
				behind := awssim.Match{Operation: read, Where: func(awssim.Call) bool { return lost.Load() && !done.Load() }}
				w.cloud.Inject(awssim.Fault{Match: behind, Kind: awssim.StaleRead, Behind: 1})
			}
			var answered atomic.Bool
			w.step = func(string) error {
				if lost.Load() && answered.CompareAndSwap(false, true) {
					return diedError{}
				}
				return nil
			}
			w.ingest(w.event(id))
			w.until(id)
			w.quiet()
			if r := w.compared(); len(r.Unrecorded) > 0 || len(r.Pairs) == 0 {
				t.Errorf("got calls without a record %+v", r.Unrecorded)
			}
		})
	}
}
