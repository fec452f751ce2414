package storetest

import (
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/store"
)

// ran are the remediations of some accounts that changed something: of those that nothing
// speaks against the ones since a moment, and all others however old they are.
func ran(w *world) {
	ctx, now := w.Context(), w.clock.Now()
	day := 24 * time.Hour
	add := func(id, account string, state dera.State, ago time.Duration) {
		r := Remediation(id, id, now.Add(-ago))
		r.Plan.Account, r.State = account, state
		w.commit(store.Batch{Remediations: []dera.Remediation{r}})
	}
	const other, third = "222222222222", "333333333333"
	add("r-old", account, dera.Resolved, 40*day)
	add("r-good", account, dera.Resolved, 20*day)
	add("r-beside", other, dera.Collateral, 10*day)
	add("r-failed", other, dera.Failed, 9*day)
	add("r-back", account, dera.RolledBack, 50*day)
	add("r-stuck", other, dera.UndoFailed, 60*day)
	add("r-undoing", account, dera.Undoing, 70*day)
	add("r-denied", account, dera.Resolved, 45*day)
	add("r-waits", account, dera.Waiting, day)
	add("r-seen", account, dera.Observed, day)
	add("r-third", third, dera.Resolved, day)
	add("r-third-back", third, dera.RolledBack, day)
	add("r-longer", account+"0", dera.Resolved, day) // no account, and behind one in the order of keys
	denied := []dera.Denial{Denial("r-denied", "e-1", now.Add(-3*day)), Denial("r-good", "e-2", now.Add(-2*day))}
	w.commit(store.Batch{Use: deniedUse(append(denied, Denial("r-third", "e-3", now))...)})

	for _, tt := range []struct {
		name     string
		accounts []string
		want     []string
		denials  []dera.Denial
	}{
		{"one", []string{account}, []string{"r-undoing", "r-back", "r-denied", "r-good"}, denied},
		{"several", []string{account, other}, []string{"r-undoing", "r-stuck", "r-back", "r-denied", "r-good", "r-beside", "r-failed"}, denied},
		{"without_any", []string{"444444444444"}, nil, nil},
		{"none", nil, nil, nil},
	} {
		list, found, err := w.store.Ran(ctx, "aws", tt.accounts, now.Add(-30*day))
		if err != nil {
			w.Fatal(err)
		}
		var got []string
		for _, r := range list {
			got = append(got, r.ID)
		}
		if !slices.Equal(got, tt.want) {
			w.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
		if diff := cmp.Diff(tt.denials, found); diff != "" {
			w.Errorf("%s: denials: got (+) and want (-):\n%s", tt.name, diff)
		}
	}
	if list, _, err := w.store.Ran(ctx, "aws-cn", []string{account}, now.Add(-30*day)); err != nil || len(list) > 0 {
		w.Errorf("another partition: got %v, %v, want none", list, err)
	}
}
