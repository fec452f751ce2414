package app

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
)

// followed is a store that a test changes.
type followed struct {
	someFindings
	stops []dera.Stop
}

// Findings implements FollowStore.
func (s *followed) Findings(context.Context) (out []dera.Finding, err error) {
	for _, f := range s.someFindings {
		out = append(out, f)
	}
	return out, nil
}

// OpenIn implements FollowStore.
func (s *followed) OpenIn(ctx context.Context, account, region, typ string) ([]dera.Finding, error) {
	all, err := s.Findings(ctx)
	return slices.DeleteFunc(all, func(f dera.Finding) bool {
		return f.State == dera.FindingResolved || f.Account != account || f.Region != region || f.ResourceType != typ
	}), err
}

// Stops implements FollowStore.
func (s *followed) Stops(context.Context) ([]dera.Stop, error) { return s.stops, nil }

func whats(list []Happening) string {
	var out []string
	for _, h := range list {
		out = append(out, h.What)
	}
	return strings.Join(out, " ")
}

// TestFollower: each change is told once, and what was there before is none.
func TestFollower(t *testing.T) {
	t.Parallel()
	known := filtered()
	s := &followed{someFindings: someFindings{known.ID: known}}
	f, err := NewFollower(t.Context(), s, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	tell := func(step, want string, list []Happening, err error) {
		t.Helper()
		if got := whats(list); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", step, got, err, want)
		}
	}
	put := func(x dera.Finding) []Happening { s.someFindings[x.ID] = x; return f.Finding(x) }
	tell("known", "", put(known), nil)
	known.Disposition = dera.Exempt
	tell("decided otherwise", "decision", put(known), nil)
	fresh := filtered()
	fresh.ID = "f-2"
	tell("new", "finding_opened decision", put(fresh), nil)
	fresh.State = dera.FindingUnknown
	tell("in doubt", "finding_unknown", put(fresh), nil)
	fresh.State = dera.FindingOpen
	tell("open again", "finding_opened", put(fresh), nil)
	r := dera.Remediation{ID: "r-1", State: dera.Ready, Findings: []string{"f-2", "f-none"}}
	list, err := f.Remediation(t.Context(), r)
	tell("ready", "remediation", list, err)
	list, err = f.Remediation(t.Context(), r)
	tell("still ready", "", list, err)
	fresh.State, r.State = dera.FindingResolved, dera.Resolved
	s.someFindings["f-2"] = fresh
	list, err = f.Remediation(t.Context(), r)
	tell("fixed", "remediation finding_resolved", list, err)
	fresh.State = dera.FindingOpen
	tell("back", "finding_opened decision", put(fresh), nil)
	fresh.State = dera.FindingResolved
	s.someFindings["f-2"] = fresh
	list, err = f.Closed(t.Context(), dera.Scope{Account: fresh.Account, Region: "elsewhere"})
	tell("elsewhere", "", list, err)
	list, err = f.Closed(t.Context(), dera.Scope{Account: fresh.Account})
	tell("gone with its resource", "finding_resolved", list, err)
	list, err = f.Closed(t.Context(), dera.Scope{Account: fresh.Account})
	tell("gone already", "", list, err)
	s.stops = []dera.Stop{{Reason: "a"}, {Account: "1"}}
	list, err = f.Stops(t.Context())
	tell("stopped", "stop stop", list, err)
	s.stops = []dera.Stop{{Account: "1"}}
	list, err = f.Stops(t.Context())
	tell("one is lifted", "resume", list, err)
	list, err = f.Stops(t.Context())
	tell("nothing new", "", list, err)
}
