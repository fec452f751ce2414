package storetest

import (
	"errors"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
)

func budgetEverywhere(w *world) {
	try := func(id, account string, most int) error {
		s := spend(id, 0, w.clock.Now())
		s.Account, s.Everywhere = account, most
		return w.store.Commit(w.Context(), store.Batch{Spends: []store.Spend{s}})
	}
	for i, want := range []error{nil, nil, store.ErrBudget} {
		if err := try(string(rune('a'+i)), string(rune('1'+i)), 2); !errors.Is(err, want) {
			w.Errorf("spend %d of 2 in another account each: got %v, want %v", i, err, want)
		}
	}
	if got := must(w.store.Spent(w.Context(), "", "", w.at(-time.Hour)))(w); got != 2 {
		w.Errorf("spent everywhere: got %d, want 2", got)
	}
	w.clock.Advance(time.Hour)
	if err := try("later", "9", 2); err != nil {
		w.Errorf("spend an hour later: got %v", err)
	}
}

// reserveRace: what was spent before the reserve began does not count, and many
// who draw on it at once get no more than there is (invariant I12).
func reserveRace(w *world) {
	if err := w.store.Commit(w.Context(), store.Batch{Spends: []store.Spend{spend("before", 0, w.clock.Now())}}); err != nil {
		w.Errorf("spend: %v", err)
	}
	since := w.clock.Now()
	w.clock.Advance(time.Minute)
	const most = 2
	won := 0
	for _, err := range w.race(12, func(s *store.Store, i int) error {
		x := spend(string(rune('a'+i)), 0, w.clock.Now())
		x.Reserve = &store.Reserve{Account: account, Since: since, Most: most}
		return s.Commit(w.Context(), store.Batch{Spends: []store.Spend{x}})
	}) {
		if err == nil {
			won++
		} else if !errors.Is(err, store.ErrBudget) {
			w.Errorf("spend: got %v, want %v", err, store.ErrBudget)
		}
	}
	if got := must(w.store.Spent(w.Context(), "", "", since))(w); won != most || got != most {
		w.Errorf("spenders and spends: got %d and %d, want %d", won, got, most)
	}
}

func failedFixes(w *world) {
	at := w.clock.Now()
	add := func(id string, state dera.State, ago time.Duration) {
		r := Remediation(id, id, at.Add(-ago-time.Minute))
		r.State, r.Steps = state, []dera.Step{{State: state, At: at.Add(-ago)}}
		if err := w.store.Commit(w.Context(), store.Batch{Remediations: []dera.Remediation{r}}); err != nil {
			w.Errorf("commit %s: %v", id, err)
		}
	}
	add("late", dera.Failed, time.Minute)
	add("undo", dera.UndoFailed, time.Hour)
	add("good", dera.Resolved, time.Minute)
	add("old", dera.Failed, 3*time.Hour)
	var got []string
	for _, f := range must(w.store.FailedFixes(w.Context(), at.Add(-2*time.Hour)))(w) {
		got = append(got, f.Remediation)
		if f.Account != account || f.Resource == "" || f.At.IsZero() {
			w.Errorf("failed fix: got %+v, want its place and time", f)
		}
	}
	if want := []string{"undo", "late"}; !slices.Equal(got, want) {
		w.Errorf("failed fixes of two hours: got %v, want %v", got, want)
	}
}

func moments(w *world) {
	first, second := w.clock.Now().UTC(), w.clock.Now().Add(time.Hour).UTC()
	for _, at := range []time.Time{first, second} {
		b := store.Batch{
			Remember: map[string]string{store.ResumedName(account): store.Moment(at), store.ResumedName(""): store.Moment(first)},
			First:    map[string]string{store.LookedName(control, account): store.Moment(at)},
		}
		if err := w.store.Commit(w.Context(), b); err != nil {
			w.Errorf("commit: %v", err)
		}
	}
	resumed := must(w.store.Resumed(w.Context()))(w)
	if len(resumed) != 2 || !resumed[account].Equal(second) || !resumed[""].Equal(first) {
		w.Errorf("resumed: got %v, want the last of each", resumed)
	}
	if at := must(w.store.FirstLook(w.Context(), control, account))(w); !at.Equal(first) {
		w.Errorf("first look: got %s, want %s", at, first)
	}
	if at := must(w.store.FirstLook(w.Context(), control, "nowhere"))(w); !at.IsZero() {
		w.Errorf("first look where nobody looked: got %s", at)
	}
	if looked := must(w.store.Looked(w.Context()))(w); len(looked) != 1 || !looked[control+"/"+account].Equal(first) {
		w.Errorf("first looks: got %v, want one", looked)
	}
}
