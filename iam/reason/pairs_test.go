package reason

import (
	"encoding/json"
	"os"
	"testing"

	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/policy"
)

// pair is a case of a file of policy pairs with their verdicts.
type pair struct {
	ID       string          `json:"id"`
	Kind     string          `json:"policyType"`
	Existing json.RawMessage `json:"existing"`
	New      json.RawMessage `json:"new"`
	Expected string          `json:"expected"` // PASS: new is a subset of existing
}

func readPairs(t testing.TB, file string) []pair {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Cases []pair }
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return f.Cases
}

func parsePolicies(t testing.TB, text []byte) Policies {
	t.Helper()
	doc, err := policy.Parse(string(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return Policies{doc}
}

func (p pair) want() Conclusion {
	if p.Expected == "PASS" {
		return Proved
	}
	return Refuted
}

// confirmed checks a refuted answer by asking the evaluator again.
func confirmed(t testing.TB, name string, a Answer, fresh, known Policies) {
	t.Helper()
	if a.Verdict != Refuted {
		return
	}
	reading := a.Witness.Reading.Reading
	for _, docs := range []Policies{fresh, known} {
		for _, d := range docs {
			for _, st := range d.Statements {
				reading.LiteralARNs = reading.LiteralARNs || st.Principals != nil || st.NotPrincipals != nil
			}
		}
	}
	if got := eval.Compile(fresh...).Decide(a.Witness.Request, reading); got != eval.Allowed {
		t.Errorf("%s: the new policy does not allow the witness %+v: %v", name, a.Witness.Request, got)
	}
	if got := eval.Compile(known...).Decide(a.Witness.Request, reading); got == eval.Allowed {
		t.Errorf("%s: the old policy allows the witness %+v", name, a.Witness.Request)
	}
}

// mistakes are the cases of AWS's samples whose documents do not say what
// their text says.
var mistakes = map[string]string{
	"aws/identity-policies/check-access-to-sensitive-resource/ec2-network-acl.md#3": "the candidate names network-acl/acl-123456, " +
		"the reference policy denies network-acl/acl-sensitive only",
	"aws/resource-policies/role-trust-policies/allowlist-federated-access-oidc.md#1": "the reference policy has the placeholder " +
		"<ACCOUNT ID> where the candidate has 111111111111",
}

func TestSubset_agrees_with_aws(t *testing.T) {
	t.Parallel()
	right := 0
	for _, p := range readPairs(t, "testdata/aws_checknonewaccess.json") {
		fresh, known := parsePolicies(t, p.New), parsePolicies(t, p.Existing)
		got := Subset(t.Context(), fresh, known, Config{Readings: AllReadings()[:1]})
		confirmed(t, p.ID, got, fresh, known)
		why, mistaken := mistakes[p.ID]
		switch agree := got.Verdict == p.want(); {
		case agree && mistaken:
			t.Errorf("%s: agrees, although listed as a mistake: %s", p.ID, why)
		case agree:
			right++
		case !mistaken:
			t.Errorf("%s: got %v (%v %s), want %v", p.ID, got.Verdict, got.Why, got.Detail, p.want())
		}
	}
	t.Logf("%d verdicts of AWS agree, %d mistakes in the samples", right, len(mistakes))
}

// TestSubset_aws_under_all_readings shows what the strict setting costs: where
// AWS's analyzer takes one reading, the others may leave a doubt.
func TestSubset_aws_under_all_readings(t *testing.T) {
	t.Parallel()
	count := map[Conclusion]int{}
	for _, p := range readPairs(t, "testdata/aws_checknonewaccess.json") {
		fresh, known := parsePolicies(t, p.New), parsePolicies(t, p.Existing)
		got := Subset(t.Context(), fresh, known, Config{})
		confirmed(t, p.ID, got, fresh, known)
		count[got.Verdict]++
		switch _, mistaken := mistakes[p.ID]; {
		case mistaken:
		case got.Verdict == Unknown && got.Why != Semantics:
			t.Errorf("%s: unknown for another cause: %v %s", p.ID, got.Why, got.Detail)
		case got.Verdict == Unknown:
			t.Logf("%s: %s", p.ID, got.Detail)
		case got.Verdict != p.want():
			t.Errorf("%s: got %v, want %v", p.ID, got.Verdict, p.want())
		}
	}
	if count[Unknown] > 2 {
		t.Errorf("%d unknown answers, want 2 at most", count[Unknown])
	}
}

func BenchmarkSubset_aws(b *testing.B) {
	var pairs [][2]Policies
	for _, p := range readPairs(b, "testdata/aws_checknonewaccess.json") {
		pairs = append(pairs, [2]Policies{parsePolicies(b, p.New), parsePolicies(b, p.Existing)})
	}
	for b.Loop() {
		for _, p := range pairs {
			Subset(b.Context(), p[0], p[1], Config{})
		}
	}
}

func TestSubset_generated_pairs(t *testing.T) {
	t.Parallel()
	reading := Reading{Reading: eval.Reading{PlainGlobs: true}}
	for _, p := range readPairs(t, "testdata/generated.json") {
		fresh, known := parsePolicies(t, p.New), parsePolicies(t, p.Existing)
		got := Subset(t.Context(), fresh, known, Config{Readings: []Reading{reading}})
		confirmed(t, p.ID, got, fresh, known)
		if got.Verdict != p.want() {
			t.Errorf("%s: got %v (%v %s), want %v", p.ID, got.Verdict, got.Why, got.Detail, p.want())
		}
	}
}
