package reason

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dera.example/dera/iam/eval"
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

// TestExtra_public judges the policies of recorded API calls of which a rule of
// others says whether they made a resource public.
func TestExtra_public(t *testing.T) {
	folder := os.Getenv("DERA_EXTRA_DATA")
	if folder == "" {
		t.Skip("DERA_EXTRA_DATA is not set")
	}
	data, err := os.ReadFile(filepath.Join(folder, "panther/aws_resource_made_public.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rule struct {
		Tests []struct {
			Name     string
			Expected bool
			Log      struct {
				ErrorCode         string
				RequestParameters map[string]any
			}
		}
	}
	if err := json.Unmarshal(data, &rule); err != nil {
		t.Fatal(err)
	}
	judged := 0
	for _, c := range rule.Tests {
		text := policyIn(c.Log.RequestParameters)
		if text == nil || c.Log.ErrorCode != "" {
			continue // no policy, or a call that changed nothing
		}
		judged++
		if got := Public(t.Context(), parsePolicies(t, text), Config{}); (got.Verdict == Refuted) != c.Expected || got.Verdict == Unknown {
			t.Errorf("%s: got %v, want public %v", c.Name, got.Verdict, c.Expected)
		}
	}
	t.Logf("%d recorded policies judged right", judged)
	if judged < 8 {
		t.Errorf("only %d policies: the test says little", judged)
	}
}

// policyIn finds the policy among the parameters of a call.
func policyIn(parameters map[string]any) []byte {
	for _, v := range parameters {
		switch v := v.(type) {
		case string:
			if strings.Contains(v, `"Statement"`) {
				return []byte(v)
			}
		case map[string]any:
			if _, ok := v["Statement"]; ok {
				text, _ := json.Marshal(v) // was read from JSON
				return text
			}
		}
	}
	return nil
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
