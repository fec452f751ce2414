package app_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/store"
)

// RemediationsIn makes a book an app.RecentStore.
func (b *book) RemediationsIn(_ context.Context, state dera.State) (out []dera.Remediation, err error) {
	for _, r := range b.rems {
		if r.State == state {
			out = append(out, r)
		}
	}
	return out, nil
}

// TestRecentChanges: what is in place is to be rolled back, the newest first; what is under way
// or cannot be read is named, and what is undone already, or was changed earlier, is not.
func TestRecentChanges(t *testing.T) {
	t.Parallel()
	b := newBook()
	put := func(id string, state dera.State, when time.Time) {
		r := narrowed(t, id, "app", policyText(getPut), policyText(putOne))
		r.State = state
		b.made(t, r, when)
	}
	put("r-old", dera.Resolved, ago(2))
	put("r-one", dera.Resolved, noon().Add(-3*time.Minute))
	put("r-two", dera.Collateral, noon().Add(-2*time.Minute))
	put("r-half", dera.Undoing, noon().Add(-time.Minute))
	put("r-stuck", dera.UndoFailed, noon().Add(-4*time.Minute))
	put("r-applying", dera.Applying, noon())
	put("r-undone", dera.RolledBack, noon())
	part := narrowed(t, "r-part", "app", policyText(getPut), policyText(putOne))
	part.State, part.LeftInPlace = dera.RolledBack, []int{0}
	b.made(t, part, noon())
	put("r-failed", dera.Failed, noon())
	put("r-torn", dera.Resolved, noon())
	b.torn["r-torn"] = store.ErrTorn
	waits := narrowed(t, "r-waits", "app", policyText(getPut), policyText(putOne))
	waits.State = dera.Waiting
	b.rems["r-waits"] = waits
	// Begun early, and tried again just now.
	put("r-again", dera.Resolved, ago(1))
	b.intents["r-again"][0].At = noon().Add(-30 * time.Second)
	got, err := app.RecentChanges(t.Context(), b, int64(len(b.leaves)), app.RecentFilter{Since: noon().Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	names := func(list []app.Recent) (out []string) {
		for _, r := range list {
			out = append(out, r.Remediation)
		}
		return out
	}
	if got, want := names(got.Undo), []string{"r-again", "r-half", "r-two", "r-one", "r-stuck"}; !slices.Equal(got, want) {
		t.Errorf("to roll back: got %v, want %v", got, want)
	}
	if got, want := names(got.Left), []string{"r-applying", "r-part", "r-torn"}; !slices.Equal(got, want) {
		t.Errorf("left: got %v, want %v", got, want)
	}
	if !strings.Contains(got.Left[0].Why, "under way") || !strings.Contains(got.Left[1].Why, "in part") || !strings.Contains(got.Left[2].Why, "cannot be read: it is damaged") {
		t.Errorf("left: got %+v", got.Left)
	}
	if len(got.Waiting) != 1 || got.Waiting[0].Remediation != "r-waits" || !strings.Contains(got.Waiting[0].Why, "dera reject r-waits") {
		t.Errorf("waiting: got %+v", got.Waiting)
	}
}
