package reason

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dera/iam/eval"
)

// TestExtra_pairs prints how the engine does on files of policy pairs that
// others judged, among them AWS.
func TestExtra_pairs(t *testing.T) {
	folder := os.Getenv("DERA_EXTRA_DATA")
	if folder == "" {
		t.Skip("DERA_EXTRA_DATA is not set")
	}
	files := []struct {
		name    string
		reading Reading
	}{
		{"pairs_aws_checknonewaccess.json", Reading{}},
		{"pairs_generated.json", Reading{Reading: eval.Reading{PlainGlobs: true}}},
	}
	t.Logf("%-34s %6s %6s %6s %8s %8s", "file", "pairs", "right", "wrong", "unknown", "mistakes")
	for _, f := range files {
		count := map[string]int{}
		for _, p := range readPairs(t, filepath.Join(folder, "iamcases", f.name)) {
			fresh, known := parsePolicies(t, p.New), parsePolicies(t, p.Existing)
			got := Subset(t.Context(), fresh, known, Config{Readings: []Reading{f.reading}})
			confirmed(t, p.ID, got, fresh, known)
			count["pairs"]++
			switch why := p.mistake(); {
			case got.Verdict == p.want():
				count["right"]++
			case why != "":
				count["mistakes"]++
				t.Logf("%s: %s says %s, but %s", p.ID, f.name, p.Expected, why)
			case got.Verdict == Unknown:
				count["unknown"]++
				t.Errorf("%s: unknown (%v)", p.ID, got.Why)
			default:
				count["wrong"]++
				t.Errorf("%s: got %v, want %v", p.ID, got.Verdict, p.want())
			}
		}
		t.Logf("%-34s %6d %6d %6d %8d %8d", f.name, count["pairs"], count["right"], count["wrong"], count["unknown"], count["mistakes"])
	}
}

// mistake says why a pair of AWS's samples does not say what its text says, or
// nothing.
func (p pair) mistake() string {
	const placeholder = "<ACCOUNT ID>"
	if why, listed := mistakes[p.ID]; listed {
		return why
	}
	if p.Expected == "PASS" && strings.Contains(string(p.Existing), placeholder) && !strings.Contains(string(p.New), placeholder) {
		return "the reference policy has the placeholder " + placeholder
	}
	return ""
}
