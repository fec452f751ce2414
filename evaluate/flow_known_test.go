package evaluate

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"dera.example/dera"
	"dera.example/dera/netset"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/ec2/securitygroup"
)

// TestFlowsKnown: what is cut because nobody used it is cut only where the flow logs tell of
// each day of each interface; silence of a log that is about others, old, of refused packets
// or with gaps is no proof.
func TestFlowsKnown(t *testing.T) {
	t.Parallel()
	now := atNoon().Unix()
	line := func(iface string, daysAgo float64, what string) string {
		end := now - int64(daysAgo*86400)
		if what == "NODATA" || what == "SKIPDATA" {
			return fmt.Sprintf("2 111122223333 %s - - - - - - - %d %d - %s\n", iface, end-600, end, what)
		}
		return fmt.Sprintf("2 111122223333 %s 10.0.0.1 10.0.0.9 40000 443 6 5 300 %d %d %s OK\n", iface, end-600, end, what)
	}
	days := func(iface, what string, from, to int) (out string) {
		for d := from; d < to; d++ {
			out += line(iface, float64(d)+0.5, what)
		}
		return out
	}
	for name, tc := range map[string]struct {
		log    string
		unused bool
		none   bool
		want   dera.Disposition
	}{
		"each_day":            {days("eni-1", "NODATA", 0, 14) + line("eni-1", 3, "ACCEPT"), true, false, dera.Auto},
		"of_another":          {days("eni-2", "ACCEPT", 0, 14), true, false, dera.Review},
		"empty":               {"", true, false, dera.Review},
		"none_configured":     {"", true, true, dera.Review},
		"old":                 {days("eni-1", "ACCEPT", 2, 30), true, false, dera.Review},
		"new":                 {days("eni-1", "ACCEPT", 0, 9), true, false, dera.Review},
		"gap":                 {days("eni-1", "ACCEPT", 0, 5) + days("eni-1", "ACCEPT", 6, 14), true, false, dera.Review},
		"skipped":             {days("eni-1", "ACCEPT", 0, 14) + line("eni-1", 4.5, "SKIPDATA"), true, false, dera.Review},
		"skipped_before":      {line("eni-1", 4.5, "SKIPDATA") + days("eni-1", "ACCEPT", 0, 14), true, false, dera.Review},
		"refused_alone":       {days("eni-1", "REJECT", 0, 14) + days("eni-1", "NODATA", 0, 14), true, false, dera.Review},
		"whatever_was_used":   {"", false, false, dera.Auto},
		"without_any_of_them": {"", false, true, dera.Auto},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "flows.log")
			if err := os.WriteFile(path, []byte(tc.log), 0o600); err != nil {
				t.Fatal(err)
			}
			g := InUse{Now: atNoon}
			if !tc.none {
				log, err := ReadFlowLogs(path)
				if err != nil {
					t.Fatal(err)
				}
				g.Flows = log
			}
			c := caseOf(attachedTo(securitygroup.Interface{ID: "eni-1", Addresses: []string{"10.0.0.9"}}))
			c.Unused = tc.unused
			body, err := dera.CanonicalJSON(evidence.Network{Old: netset.Product(netset.EveryTraffic(), netset.Everywhere())})
			if err != nil {
				t.Fatal(err)
			}
			c.Type, c.Evidence = securitygroup.Type(), dera.Evidence{Kind: evidence.NetworkKind, Body: body}
			if got, err := g.Check(t.Context(), c); err != nil || got.Disposition != tc.want {
				t.Errorf("got %+v, %v, want %s", got, err, tc.want)
			}
		})
	}
}
