package engine_test

import (
	"slices"
	"testing"

	"dera.example/dera"
	"dera.example/dera/services/iam"
)

// TestWatchesBeginWithTheFirstWrite: what takes permissions from a role is watched from when
// it began, and nothing is before that.
func TestWatchesBeginWithTheFirstWrite(t *testing.T) {
	t.Parallel()
	w := newCopying(t)
	arn := string(iam.RoleKind.ARN("aws", account, "/", copied))
	w.mode = dera.Observe
	w.reborn()
	w.changed()
	if list, err := w.store.Watches(t.Context(), ""); err != nil || len(list) > 0 {
		t.Errorf("observed: got %v, %v; want nothing to be watched", list, err)
	}
	w.mode = dera.Enforce
	w.reborn()
	w.changed()
	w.fixed()
	all := w.remediations(copied)
	fix := all[len(all)-1]
	began := slices.IndexFunc(fix.Steps, func(s dera.Step) bool { return s.State == dera.Applying })
	list, err := w.store.Watches(t.Context(), arn)
	if err != nil || len(list) != 1 || list[0].Remediation != fix.ID || !list[0].Since.Equal(fix.Steps[began].At) || !slices.Equal(fix.Principals, []string{arn}) {
		t.Errorf("got %+v, %v, of %v; want %s to be watched since %s", list, err, fix.Principals, arn, fix.Steps[began].At)
	}
}
