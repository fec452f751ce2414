package reason

import (
	"strings"
	"testing"

	"dera.example/dera/iam/eval"
)

// TestPublic_laws tries random external principals on random resource policies: where
// nobody is said to have access, none of them does, and each request that is shown
// is one of an external principal.
func TestPublic_laws(t *testing.T) {
	t.Parallel()
	count := map[Conclusion]int{}
	readings := eval.Readings()
	for seed := range uint64(600) {
		g := newGenerator(seed<<8 | 9)
		g.principals = true
		text, _ := g.pair()
		policies := parsePolicies(t, text)
		got := Public(t.Context(), policies, Config{Arity: cvc5Arity, Known: func(string) bool { return true }})
		count[got.Verdict]++
		for _, o := range got.Open {
			confirmed(t, string(text), Answer{Verdict: Refuted, Witness: o.Witness}, policies, nil)
			if p := o.Witness.Request.Principal; p.Type == eval.Service || strings.Contains(p.ARN, "111111111111") {
				t.Errorf("seed %d: %+v is no external principal", seed, p)
			}
		}
		if got.Verdict != Proved {
			continue
		}
		set := eval.Compile(policies...)
		for range 300 {
			r := g.request()
			r.Principal = eval.Principal{ARN: g.pick("", "arn:aws:iam::999999999999:role/x", "arn:aws:iam::888888888888:user/y", "arn:aws:sts::999999999999:assumed-role/x/y")}
			if _, ok := r.Context["aws:sourceip"]; ok {
				r.Context["aws:sourceip"] = []string{g.pick("200.1.1.1", "9.9.9.9", "2a00::1")}
			}
			for range 16 {
				reading := readings[g.IntN(len(readings))]
				reading.LiteralARNs = true
				if set.Decide(r, reading) == eval.Allowed {
					t.Fatalf("seed %d: said not to be public, but %+v is allowed\n%s", seed, r, text)
				}
			}
		}
	}
	t.Logf("%v", count)
	if count[Proved] < 100 || count[Refuted] < 100 {
		t.Error("the test says little")
	}
}
