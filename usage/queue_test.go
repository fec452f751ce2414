package usage_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/store"
	"dera.example/dera/usage"
)

// delivered is a trusted event of an account in a region.
func delivered(id, account string, at time.Time) usage.Message {
	detail := strings.ReplaceAll(record(id, "a", "Get", at), "111122223333", account)
	return usage.Message{Authenticated: true, Body: fmt.Appendf(nil,
		`{"detail-type":"AWS API Call via CloudTrail","source":"aws.s3","account":%q,"region":"us-east-1","detail":%s}`, account, detail)}
}

// TestQueueGaps has an event in every hour of the window.
func TestQueueGaps(t *testing.T) {
	t.Parallel()
	trail := `{"accounts":["111122223333"],"regions":["us-east-1"],"since":"2026-01-01T00:00:00Z","EventSelectors":[{"ReadWriteType":"All",` +
		`"DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3"]}]}]}`
	for _, tt := range []struct {
		name, state string
		trail       bool
		want        string
	}{
		{name: "rule_with_reads", state: usage.RuleWithReads, want: "data-events-not-selected"},
		{name: "rule_without_reads", state: "ENABLED", want: "data-events-not-selected hours-unverified rule-drops-reads"},
		{name: "rule_for_some_calls", want: "data-events-not-selected hours-unverified kms-excluded rds-data-excluded rule-drops-reads writes-not-selected"},
		{name: "beside_a_trail", state: usage.RuleWithReads, trail: true, want: "data-events-not-selected"},
		{name: "hint_beside_a_trail", trail: true, want: "data-events-not-selected hours-unverified"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			l := usage.New(s, func() time.Time { return start.Add(-time.Hour) })
			scope := usage.Coverage{Accounts: []string{"111122223333"}, Regions: []string{"us-east-1"}, RuleState: tt.state}
			if err := l.DeclareQueue(t.Context(), scope); err != nil {
				t.Fatal(err)
			}
			if tt.trail {
				s, err := usage.ParseScope([]byte(trail))
				if err != nil {
					t.Fatal(err)
				}
				if err := l.Declare(t.Context(), s); err != nil {
					t.Fatal(err)
				}
			}
			o := l.Observer(usage.ObserverConfig{Accounts: scope.Accounts, Complete: scope.Complete()})
			for i := range 5 {
				e := delivered(fmt.Sprint(i), "111122223333", start.Add(time.Duration(i)*time.Hour))
				if counts, err := o.Observe(t.Context(), []usage.Message{e}); err != nil || counts[usage.Counted] != 1 {
					t.Fatalf("observe: got %v, %v", counts, err)
				}
			}
			if got := queueGaps(t, s); strings.Join(got, " ") != tt.want {
				t.Errorf("gaps: got %v, want %s", got, tt.want)
			}
		})
	}
}

// queueGaps are the gaps of the window, none of which may cover data events.
func queueGaps(t *testing.T, s *store.Store) []string {
	t.Helper()
	var out []string
	for _, g := range gapsOf(t, s, start, start.Add(5*time.Hour)) {
		if len(g.Covered) > 0 {
			t.Errorf("%s: got %v covered, want nothing: no digest proves these hours", g.Kind, g.Covered)
		}
		out = append(out, string(g.Kind))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestQueueSince: declaring the same again, at each start, is no new beginning;
// declaring something else is one.
func TestQueueSince(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	short := func() bool { return slices.Contains(queueGaps(t, s), string(usage.GapShort)) }
	for _, tt := range []struct {
		name  string
		after time.Duration
		state string
		want  bool
	}{
		{"first", 0, usage.RuleWithReads, false},
		{"again", time.Hour, usage.RuleWithReads, false},
		{"reads_are_dropped_now", 2 * time.Hour, "ENABLED", true},
	} {
		l := usage.New(s, func() time.Time { return start.Add(tt.after) })
		if err := l.DeclareQueue(t.Context(), usage.Coverage{Accounts: []string{"111122223333"}, Regions: []string{"us-east-1"}, RuleState: tt.state}); err != nil {
			t.Fatal(err)
		}
		if got := short(); got != tt.want {
			t.Errorf("%s: got a short window: %t, want %t", tt.name, got, tt.want)
		}
	}
}

// TestQueueLosses: what could have been a use and was not understood is a gap of
// that hour; an event of another account or kind is none.
func TestQueueLosses(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	l := usage.New(s, func() time.Time { return start.Add(90 * time.Minute) })
	o := l.Observer(usage.ObserverConfig{Accounts: []string{"111122223333"}, Complete: true})
	nobody := usage.Message{Authenticated: true, Body: []byte(strings.Replace(string(delivered("2", "111122223333", start).Body), `"userIdentity"`, `"identity"`, 1))}
	counts, err := o.Observe(t.Context(), []usage.Message{delivered("1", "444455556666", start), nobody, {Body: []byte("x"), Authenticated: true}})
	if err != nil || counts[usage.Foreign] != 1 || counts[usage.NoPrincipal] != 1 || counts[usage.Unreadable] != 1 {
		t.Fatalf("observe: got %v, %v, want one foreign, one of nobody, one unreadable", counts, err)
	}
	var got []string
	for _, g := range gapsOf(t, s, start, start.Add(5*time.Hour)) {
		if g.Kind == usage.GapLost {
			got = append(got, g.From.String()+" "+g.Why)
		}
	}
	want := []string{
		"2026-03-01T01:00:00Z events could not be attributed: " + string(usage.Unreadable),
		"2026-03-01T00:00:00Z events could not be attributed: " + string(usage.NoPrincipal), // when and where it was
	}
	if !slices.Equal(got, want) {
		t.Errorf("gaps: got %q, want %q", got, want)
	}
	if later := gapsOf(t, s, start.Add(3*time.Hour), start.Add(5*time.Hour)); slices.ContainsFunc(later, func(g usage.Gap) bool { return g.Kind == usage.GapLost }) {
		t.Errorf("gaps of later hours: got %+v, want nothing lost", later)
	}
	if text := all(t, s); text != "" {
		t.Errorf("ledger: got %q, want nothing", text)
	}
}
