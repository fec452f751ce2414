package audit

import (
	"slices"
	"testing"
	"time"

	"dera.example/dera"
)

// The log and CloudTrail are joined both ways; what is missing on one side is
// named, and what cannot be known is counted apart.
func TestReconcile(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	const acct, region = "111122223333", "eu-west-1"
	write := func(id string, applied bool) Write {
		return Write{Remediation: "r-1", Operation: "ec2:RevokeSecurityGroupIngress", Account: acct, Region: region, RequestID: id, Applied: applied, From: at, To: at.Add(4 * time.Second)}
	}
	call := func(event, id string, after time.Duration) Call {
		return Call{EventID: event, RequestID: id, Service: "ec2", Name: "RevokeSecurityGroupIngress", Account: acct, Region: region, Time: at.Add(after)}
	}
	reach := Reach{}
	reach.Add(acct, region, at.Add(-time.Hour))
	reach.Add(acct, region, at.Add(time.Hour))
	global := write("", true)
	global.Operation, global.Region = "s3:PutAccountPublicAccessBlock", dera.GlobalRegion
	readOnly, failed, elsewhere := call("e-2", "q-2", 0), call("e-2", "q-2", 0), call("e-2", "q-2", 0)
	readOnly.ReadOnly, failed.Failed, elsewhere.Region = true, true, "us-east-1"
	s3 := call("e-1", "q-9", time.Second)
	s3.Service, s3.Name = "s3", "PutAccountPublicAccessBlock"
	refused, crashed := call("e-2", "q-2", 2*time.Second), write("", false)
	refused.Failed, crashed.Open = true, true
	function, unanswered, invoke := write("q-1", true), write("", true), call("e-1", "q-9", time.Second)
	function.Operation, unanswered.Operation = dera.InvokeFunction, dera.InvokeFunction
	invoke.Service, invoke.Name = "lambda", "Invoke"
	tests := []struct {
		name        string
		writes      []Write
		calls       []Call
		reach       Reach
		now         time.Duration
		pairs       []string // event and how
		unrecorded  []string
		unwitnessed int
		outside     int
		pending     int
	}{
		{name: "equal", writes: []Write{write("q-1", true)}, calls: []Call{call("e-1", "q-1", 2*time.Second)}, pairs: []string{"e-1 request_id"}},
		{name: "delivered_twice", writes: []Write{write("q-1", true)}, calls: []Call{call("e-1", "q-1", 0), call("e-1", "q-1", 0)}, pairs: []string{"e-1 request_id"}},
		{name: "stolen_role", calls: []Call{call("e-1", "q-1", 0)}, unrecorded: []string{"e-1"}},
		{name: "stolen_role_at_the_same_time", writes: []Write{write("q-1", true)}, calls: []Call{call("e-1", "q-1", 0), call("e-2", "q-2", time.Second)},
			pairs: []string{"e-1 request_id"}, unrecorded: []string{"e-2"}},
		{name: "a_read_is_no_write", calls: []Call{readOnly}},
		{name: "a_refused_call_changed_nothing", calls: []Call{failed}},
		{name: "record_without_an_event", writes: []Write{write("q-1", true)}, unwitnessed: 1},
		{name: "function_is_a_data_event", writes: []Write{function}, outside: 1},
		{name: "function_without_an_answer", writes: []Write{unanswered}, calls: []Call{invoke}, pairs: []string{"e-1 time"}},
		{name: "refused_write_without_an_event", writes: []Write{write("q-1", false)}},
		{name: "write_without_an_answer", writes: []Write{write("", true)}, calls: []Call{call("e-1", "q-1", 2*time.Second)}, pairs: []string{"e-1 time"}},
		{name: "write_without_an_answer_elsewhere", writes: []Write{write("", true)}, calls: []Call{elsewhere}, unrecorded: []string{"e-2"}, unwitnessed: 1},
		{name: "write_without_an_answer_long_before", writes: []Write{write("", true)}, calls: []Call{call("e-1", "q-1", -time.Minute)}, unrecorded: []string{"e-1"}, unwitnessed: 1},
		{name: "two_answerless_writes_take_two_events", writes: []Write{write("", true), write("", true)}, calls: []Call{call("e-1", "q-1", 0), call("e-2", "q-2", 0)}, pairs: []string{"e-1 time", "e-2 time"}},
		{name: "what_an_account_has_once", writes: []Write{global}, calls: []Call{s3}, pairs: []string{"e-1 time"}},
		{name: "tried_again_without_an_answer", writes: []Write{write("", false), write("q-2", true)}, calls: []Call{call("e-1", "q-1", time.Second), refused},
			pairs: []string{"e-2 request_id", "e-1 time"}},
		{name: "effect_goes_before_no_effect", writes: []Write{write("", false), write("", true)}, calls: []Call{call("e-1", "q-1", time.Second)}, pairs: []string{"e-1 time"}},
		{name: "a_crash_before_the_result", writes: []Write{crashed}, calls: []Call{call("e-1", "q-1", time.Second)}, pairs: []string{"e-1 time"}},
		{name: "a_crash_before_the_call", writes: []Write{crashed}},
		{name: "two_events_of_one_call", writes: []Write{write("q-1", true)}, calls: []Call{call("e-1", "q-1", 0), call("e-2", "q-1", 0)}, pairs: []string{"e-1 request_id"}},
		{name: "outside_of_the_history", writes: []Write{write("q-1", true)}, reach: Reach{}, outside: 1},
		{name: "young_record", writes: []Write{write("q-1", true)}, now: 10 * time.Minute, pending: 1},
		{name: "young_event", calls: []Call{call("e-1", "q-1", 0)}, now: 10 * time.Minute, pending: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.now == 0 {
				tt.now = 2 * time.Hour
			}
			if tt.reach == nil {
				tt.reach = reach
			}
			r := Reconcile(tt.writes, tt.calls, tt.reach, at.Add(tt.now))
			var pairs, unrecorded []string
			for _, p := range r.Pairs {
				pairs = append(pairs, p.EventID+" "+p.By)
			}
			for _, c := range r.Unrecorded {
				unrecorded = append(unrecorded, c.EventID)
			}
			if !slices.Equal(pairs, tt.pairs) || !slices.Equal(unrecorded, tt.unrecorded) {
				t.Errorf("got pairs %q, unrecorded %q, want %q, %q", pairs, unrecorded, tt.pairs, tt.unrecorded)
			}
			if len(r.Unwitnessed) != tt.unwitnessed || r.Outside != tt.outside || r.Pending != tt.pending {
				t.Errorf("got %d without an event, %d outside, %d pending, want %d, %d, %d", len(r.Unwitnessed), r.Outside, r.Pending, tt.unwitnessed, tt.outside, tt.pending)
			}
		})
	}
}

// The writes of a log are its results, each from its intent on.
func TestWrites(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	step := 0
	rec := func(kind dera.RecordKind, id, why string, after time.Duration) dera.AuditRecord {
		return dera.AuditRecord{Kind: kind, Remediation: "r-1", Step: &step, Operation: "ec2:RevokeSecurityGroupIngress", RequestID: id, Why: why, Time: at.Add(after)}
	}
	var w Writes
	w.Add(0, dera.AuditRecord{Kind: dera.RecordDecision, Remediation: "r-1"})
	w.Add(1, rec(dera.RecordIntent, "", "", 0))
	w.Add(2, rec(dera.RecordResult, "q-1", "not_applied: throttled", time.Second))
	w.Add(3, rec(dera.RecordIntent, "", "", 2*time.Second))
	w.Add(4, rec(dera.RecordResult, "q-2", "applied", 3*time.Second))
	list := w.List()
	if len(list) != 2 || list[0].Applied || !list[1].Applied || list[1].RequestID != "q-2" || !list[1].From.Equal(at.Add(2*time.Second)) || list[1].Index != 4 {
		t.Errorf("got %+v, want two attempts, the second applied", list)
	}
	step = 1
	w.Add(5, rec(dera.RecordIntent, "", "", 4*time.Second))
	if list = w.List(); len(list) != 3 || !list[2].Open || list[2].Index != 5 || !list[2].To.After(list[2].From) {
		t.Errorf("got %+v, want the intent that has no result too", list)
	}
}
