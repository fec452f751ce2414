package detect

import (
	"testing"
	"time"

	"dera.example/dera"
)

// TestReopened: a finding says when it was last found open again, whoever had closed it.
func TestReopened(t *testing.T) {
	t.Parallel()
	first, now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	found := dera.Finding{State: dera.FindingOpen, FirstSeen: now, LastSeen: now}
	for name, test := range map[string]struct {
		old  dera.Finding
		want time.Time
	}{
		"was open":             {dera.Finding{State: dera.FindingOpen, FirstSeen: first}, time.Time{}},
		"was resolved":         {dera.Finding{State: dera.FindingResolved, FirstSeen: first}, now},
		"came back before":     {dera.Finding{State: dera.FindingOpen, FirstSeen: first, Reopened: first}, first},
		"was not known":        {dera.Finding{State: dera.FindingUnknown, FirstSeen: first}, time.Time{}},
		"came back twice over": {dera.Finding{State: dera.FindingResolved, FirstSeen: first, Reopened: first}, now},
	} {
		if got := carryOver(found, test.old); !got.Reopened.Equal(test.want) || !got.FirstSeen.Equal(first) {
			t.Errorf("%s: got %s, first seen %s, want %s", name, got.Reopened, got.FirstSeen, test.want)
		}
	}
}
