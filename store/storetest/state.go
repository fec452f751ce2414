package storetest

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/store"
)

func stateTests() map[string]func(*world) {
	return map[string]func(*world){
		"findings_are_replaced_and_queried":  findings,
		"remediations_are_queried":           remediations,
		"intents_are_replaced_and_queried":   intents,
		"accesses_end_once":                  accesses,
		"incidents_are_kept":                 incidents,
		"denials_are_counted_once":           denials,
		"what_ran_in_accounts_is_found":      ran,
		"stops_are_set_and_taken_away":       stops,
		"budget_counts_an_hour":              budget,
		"budget_counts_a_remediation_once":   budgetOnce,
		"budget_holds_against_many_spenders": budgetRace,
		"budget_of_all_accounts_together":    budgetEverywhere,
		"reserve_holds_against_many":         reserveRace,
		"failed_fixes_are_found":             failedFixes,
		"moments_are_remembered":             moments,
		"places_are_unread_until_read":       places,
		"kept_events_are_bounded":            keptBounded,
		"kept_events_may_be_anything":        keptAnything,
		"counters_add_up_over_all_writers":   counters,
		"calls_are_kept_once_and_judged":     calls,
		"evidence_is_kept_once":              evidence,
		"what_is_not_there_is_not_found":     notFound,
	}
}

func ids(list []dera.Finding) []string {
	var out []string
	for _, f := range list {
		out = append(out, f.Resource.Name())
	}
	return out
}

func findings(w *world) {
	ctx, now := w.Context(), w.clock.Now()
	a, b, c, d := Finding("sg-a", dera.High, now), Finding("sg-B", dera.High, now), Finding("sg-c", dera.Critical, now), Finding("sg-a", dera.Low, now)
	d.Region = "us-east-1"
	d.ID = dera.FindingID(d.ResourceKey(), d.Control, d.Key)
	w.commit(store.Batch{Findings: []dera.Finding{a, b, c, d}})
	check := func(what string, list []dera.Finding, want ...string) {
		w.Helper()
		if diff := cmp.Diff(want, ids(list)); diff != "" {
			w.Errorf("%s: got (+) and want (-):\n%s", what, diff)
		}
	}
	check("all, the worst first, then by bytes", must(w.store.Findings(ctx))(w), "sg-c", "sg-B", "sg-a", "sg-a")
	check("of one resource", must(w.store.FindingsOf(ctx, d.ResourceKey()))(w), "sg-a")
	check("open in a region", must(w.store.OpenIn(ctx, account, region, group))(w), "sg-c", "sg-B", "sg-a")
	if got := must(w.store.FindingIDs(ctx, a.ID[:8], 2))(w); len(got) != 1 || got[0] != a.ID {
		w.Errorf("IDs that begin as that of a finding: got %v, want %s", got, a.ID)
	}
	check("open in another account", must(w.store.OpenIn(ctx, "000000000000", region, group))(w))

	a.State, a.Severity, a.Why = dera.FindingResolved, dera.Critical, "fixed \x00 <>&"
	resolved := now.Add(time.Minute)
	a.ResolvedAt = &resolved
	w.commit(store.Batch{Findings: []dera.Finding{a}})
	check("open after one is resolved", must(w.store.OpenIn(ctx, account, region, group))(w), "sg-c", "sg-B")
	check("all after one got worse", must(w.store.Findings(ctx))(w), "sg-a", "sg-c", "sg-B", "sg-a")
	if diff := cmp.Diff(a, must(w.store.Finding(ctx, a.ID))(w)); diff != "" {
		w.Errorf("finding: got (+) and want (-):\n%s", diff)
	}
}

func remediations(w *world) {
	ctx, now := w.Context(), w.clock.Now()
	// The order is that of creation, not of ID or of commit.
	second, first, other := Remediation("r-1", "sg", now.Add(time.Second)), Remediation("r-2", "sg", now), Remediation("r-3", "other", now.Add(time.Hour))
	other.State = dera.Waiting
	w.commit(store.Batch{Remediations: []dera.Remediation{second, first, other}})
	for _, tt := range []struct {
		name string
		list []dera.Remediation
		want []string
	}{
		{"all", must(w.store.Remediations(ctx))(w), []string{"r-2", "r-1", "r-3"}},
		{"of_a_resource", must(w.store.RemediationsOf(ctx, first.ResourceKey()))(w), []string{"r-2", "r-1"}},
		{"in_a_state", must(w.store.RemediationsIn(ctx, dera.Waiting))(w), []string{"r-3"}},
		{"in_a_state_without_any", must(w.store.RemediationsIn(ctx, dera.Failed))(w), nil},
	} {
		var got []string
		for _, r := range tt.list {
			got = append(got, r.ID)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			w.Errorf("%s: got (+) and want (-):\n%s", tt.name, diff)
		}
	}
	for prefix, want := range map[string][]string{"r-": {"r-1", "r-2"}, "r-3": {"r-3"}, "f-": nil} {
		if diff := cmp.Diff(want, must(w.store.RemediationIDs(ctx, prefix, 2))(w)); diff != "" {
			w.Errorf("IDs that begin with %s: got (+) and want (-):\n%s", prefix, diff)
		}
	}
	second.State, other.State, second.Revision, other.Revision = dera.Resolved, dera.Collateral, 1, 1
	w.commit(store.Batch{Remediations: []dera.Remediation{second, other}})
	all := first.ResourceKey()[:len(first.ResourceKey())-len("sg")]
	for name, got := range map[string][]dera.Remediation{
		"r-1 r-3": must(w.store.Lasting(ctx, all, now))(w), "r-3": must(w.store.Lasting(ctx, all, now.Add(time.Minute)))(w), "r-1": must(w.store.Lasting(ctx, first.ResourceKey(), now))(w),
	} {
		var ids []string
		for _, r := range got {
			ids = append(ids, r.ID)
		}
		if strings.Join(ids, " ") != name {
			w.Errorf("that last: got %v, want %s", ids, name)
		}
	}
	first.Revision = 1
	if diff := cmp.Diff(first, must(w.store.Remediation(ctx, "r-2"))(w)); diff != "" {
		w.Errorf("remediation: got (+) and want (-):\n%s", diff)
	}
}

func intents(w *world) {
	ctx, now := w.Context(), w.clock.Now()
	forward, second, undo, other := Intent("r", 1, now), Intent("r", 1, now), Intent("r", 2, now), Intent("s", 1, now)
	second.Step, undo.Undo = 1, true
	w.commit(store.Batch{Intents: []dera.Intent{other, undo, second, forward}})
	if diff := cmp.Diff([]dera.Intent{forward, second, undo}, must(w.store.Intents(ctx, "r"))(w)); diff != "" {
		w.Errorf("intents: got (+) and want (-):\n%s", diff)
	}
	done := now.Add(time.Second)
	forward.State, forward.Output, forward.DoneAt = dera.IntentApplied, map[string]string{"rule": "sgr-2"}, &done
	w.commit(store.Batch{Intents: []dera.Intent{forward}})
	if diff := cmp.Diff([]dera.Intent{forward, second, undo}, must(w.store.Intents(ctx, "r"))(w)); diff != "" {
		w.Errorf("intents after one is settled: got (+) and want (-):\n%s", diff)
	}
	if diff := cmp.Diff([]dera.Intent{second, undo, other}, must(w.store.OpenIntents(ctx))(w)); diff != "" {
		w.Errorf("open intents: got (+) and want (-):\n%s", diff)
	}
}

func stops(w *world) {
	ctx, now := w.Context(), w.clock.Now()
	everywhere := dera.Stop{Reason: "a", By: "alice", At: now}
	one := dera.Stop{Account: account, Reason: "b", By: "bob", At: now}
	narrow := dera.Stop{Account: account, Control: control, Reason: "c", By: "carol", At: now}
	check := func(want ...dera.Stop) {
		w.Helper()
		if diff := cmp.Diff(want, must(w.store.Stops(ctx))(w)); diff != "" {
			w.Errorf("stops: got (+) and want (-):\n%s", diff)
		}
	}
	check()
	w.commit(store.Batch{Stops: []dera.Stop{narrow, one, everywhere}})
	check(everywhere, one, narrow)
	one.Reason = "still"
	w.commit(store.Batch{Stops: []dera.Stop{one}, Resumes: []dera.Stop{{}}})
	check(one, narrow)
	w.commit(store.Batch{Resumes: []dera.Stop{{Account: account}, {Account: "nobody"}}})
	check(narrow)
}

func budget(w *world) {
	try := func(id string, limit int) error {
		return w.store.Commit(w.Context(), store.Batch{Spends: []store.Spend{spend(id, limit, w.clock.Now())}})
	}
	for i, want := range []error{nil, nil, store.ErrBudget} {
		if err := try(fmt.Sprint(i), 2); !errors.Is(err, want) {
			w.Errorf("spend %d of 2: got %v, want %v", i, err, want)
		}
	}
	if err := try("unlimited", 0); err != nil {
		w.Errorf("spend without a limit: got %v", err)
	}
	other := spend("other control", 2, w.clock.Now())
	other.Control = "another"
	if err := w.store.Commit(w.Context(), store.Batch{Spends: []store.Spend{other}}); err != nil {
		w.Errorf("spend of another control: got %v", err)
	}
	for control, want := range map[string]int{control: 3, "another": 1, "": 4, "none": 0} {
		if got := must(w.store.Spent(w.Context(), account, control, w.at(-time.Hour)))(w); got != want {
			w.Errorf("spent of control %q: got %d, want %d", control, got, want)
		}
	}
	w.clock.Advance(time.Hour)
	if err := try("an hour later", 2); err != nil {
		w.Errorf("spend an hour later: got %v", err)
	}
}

func budgetOnce(w *world) {
	for i := range 3 {
		if err := w.store.Commit(w.Context(), store.Batch{Spends: []store.Spend{spend("r", 1, w.clock.Now())}}); err != nil {
			w.Errorf("spend of the same remediation, time %d: got %v", i, err)
		}
	}
	if got := must(w.store.Spent(w.Context(), account, control, w.at(-time.Hour)))(w); got != 1 {
		w.Errorf("spent: got %d, want 1", got)
	}
	two := []store.Spend{spend("s", 2, w.clock.Now()), spend("t", 2, w.clock.Now())}
	if err := w.store.Commit(w.Context(), store.Batch{Spends: two}); !errors.Is(err, store.ErrBudget) {
		w.Errorf("two spends where one is left: got %v, want %v", err, store.ErrBudget)
	}
}

// budgetRace is invariant I12.
func budgetRace(w *world) {
	const limit = 5
	won := 0
	for _, err := range w.race(24, func(s *store.Store, i int) error {
		return s.Commit(w.Context(), store.Batch{Spends: []store.Spend{spend(fmt.Sprint(i), limit, w.clock.Now())}})
	}) {
		if err == nil {
			won++
		} else if !errors.Is(err, store.ErrBudget) {
			w.Errorf("spend: got %v, want %v", err, store.ErrBudget)
		}
	}
	if got := must(w.store.Spent(w.Context(), account, control, time.Time{}))(w); won != limit || got != limit {
		w.Errorf("spenders and spends: got %d and %d, want %d", won, got, limit)
	}
}

func keptBounded(w *world) {
	for i := range 3 * keptEvents {
		// Pairs have the same time.
		w.commit(store.Batch{Kept: []store.KeptEvent{kept(i, w.at(time.Duration(i/2)*time.Second))}})
	}
	var want []store.KeptEvent
	for _, i := range []int{14, 12, 13, 10, 11} {
		want = append(want, kept(i, w.at(time.Duration(i/2)*time.Second)))
	}
	if diff := cmp.Diff(want, must(w.store.KeptEvents(w.Context()))(w)); diff != "" {
		w.Errorf("kept events: got (+) and want (-):\n%s", diff)
	}
}

func keptAnything(w *world) {
	e := store.KeptEvent{ID: "\xff\x00", At: w.clock.Now(), Source: "\x00", Why: strings.Repeat("é", 1<<20), Body: strings.Repeat("\xfe\x00\x01", 1<<20)}
	w.commit(store.Batch{Kept: []store.KeptEvent{e, e}})
	got := must(w.store.KeptEvents(w.Context()))(w)
	if len(got) != 1 || !strings.HasPrefix(e.Body, got[0].Body) || len(got[0].Body) != 1<<16 || len(got[0].Why) > 1<<10+3 {
		w.Errorf("kept events: got %d", len(got))
	}
}

func calls(w *world) {
	now := w.clock.Now()
	a := audit.Call{EventID: "e-1", RequestID: "q-1", Service: "test", Name: "CloseGate", Account: account, Region: region, Actor: "é\x00", Time: now}
	b, young := a, a
	b.EventID, b.Time = "e-2", now.Add(-time.Minute)
	young.EventID, young.Time = "e-3", now.Add(time.Hour)
	w.commit(store.Batch{Calls: []audit.Call{a, b, young}})
	again := a
	again.Name = "changed"
	w.commit(store.Batch{Calls: []audit.Call{again}, Judged: []string{"e-2", "nothing"}})
	if diff := cmp.Diff([]audit.Call{b, a, young}, must(w.store.Calls(w.Context(), false, time.Time{}))(w)); diff != "" {
		w.Errorf("calls: got (+) and want (-):\n%s", diff)
	}
	if diff := cmp.Diff([]audit.Call{a}, must(w.store.Calls(w.Context(), true, now.Add(time.Second)))(w)); diff != "" {
		w.Errorf("unjudged calls: got (+) and want (-):\n%s", diff)
	}
}

func counters(w *world) {
	for _, err := range w.race(8, func(s *store.Store, i int) error {
		for range 10 {
			if err := s.Commit(w.Context(), store.Batch{Counts: map[string]int64{"all": 1, fmt.Sprint(i): 2}}); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			w.Errorf("count: %v", err)
		}
	}
	want := map[string]int64{"all": 80}
	for i := range 8 {
		want[fmt.Sprint(i)] = 20
	}
	if got := must(w.store.Counters(w.Context()))(w); !maps.Equal(got, want) {
		w.Errorf("counters: got %v, want %v", got, want)
	}
}

func evidence(w *world) {
	w.commit(store.Batch{Evidence: map[string][]byte{"h": []byte(`{"a":1}`), "i": []byte("\xff")}})
	w.commit(store.Batch{Evidence: map[string][]byte{"h": []byte("another")}})
	for hash, want := range map[string]string{"h": `{"a":1}`, "i": "\xff"} {
		if got := must(w.store.Evidence(w.Context(), hash))(w); string(got) != want {
			w.Errorf("evidence %s: got %q, want %q", hash, got, want)
		}
	}
}

func notFound(w *world) {
	ctx := w.Context()
	for name, read := range map[string]func() error{
		"finding":     func() error { _, err := w.store.Finding(ctx, "f"); return err },
		"remediation": func() error { _, err := w.store.Remediation(ctx, "r"); return err },
		"evidence":    func() error { _, err := w.store.Evidence(ctx, "h"); return err },
		"sealed":      func() error { _, err := w.store.Sealed(ctx, "c"); return err },
		"checkpoint":  func() error { _, _, err := w.store.LastCheckpoint(ctx); return err },
	} {
		if err := read(); !errors.Is(err, store.ErrNotFound) {
			w.Errorf("%s: got %v, want %v", name, err, store.ErrNotFound)
		}
	}
}
