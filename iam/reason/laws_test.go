package reason

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"

	"dera.example/dera/iam/eval"
)

// request returns a random request of the kind that the policies of the
// generator are about.
func (g *generator) request() eval.Request {
	word := func() string {
		if g.mixed && g.oneIn(2) {
			return g.pick("true", "TRUE", "falſe", "1", "1.0", "+1", "1e0", "-3", "1.5", "2026", "2026-01-01", "2026-01-01T00:00:00.5Z", "10.1.2.3",
				"2001:db8::1", "fe80::1%x", "arn:aws:iam::1:a", "", "temp", "10.1.2.3/32")
		}
		out := ""
		for range g.IntN(5) {
			out += g.pick("a", "b", "c", "ab", "B", "x")
		}
		return out
	}
	r := eval.Request{
		Action:   g.pick("s3:GetObject", "s3:PutObject", "s3:Get", "s3:ListBucket", "ec2:RunInstances", "ec2:Run", "ec2:StopInstances", "sqs:SendMessage"),
		Resource: word(),
		Context:  eval.Context{},
	}
	if g.oneIn(3) {
		r.Resource = "arn:aws:" + g.pick("s3", "ec2", "sx") + ":" + g.pick("", "a") + ":" + g.pick("", "a", "b1") + ":" + g.pick("a", "b", "abc", "a:b")
	}
	if g.principals {
		r.Principal.ARN = g.pick("", "arn:aws:iam::111111111111:role/a", "arn:aws:iam::111111111111:user/b", "arn:aws:iam::333333333333:user/c",
			"arn:aws:sts::111111111111:assumed-role/a/s", "ec2.amazonaws.com", "arn:aws:iam::222222222222:root")
	}
	set := func(key string, values ...string) {
		if g.oneIn(2) {
			r.Context[key] = values
		}
	}
	set("k:s", word())
	set("k:v", g.pick("a", "ab", "b", ""))
	set("k:b", g.pick("true", "false"))
	set("k:n", g.pick("1", "2", "1.25", "-4", "100"))
	set("k:d", g.pick("2025-06-01T00:00:00Z", "2026-01-01", "2026-03-01T10:00:00Z", "2027-01-01"))
	set("k:a", "arn:aws:iam::"+g.pick("1", "2")+":"+word())
	set("aws:sourceip", g.pick("10.0.0.1", "10.1.2.3", "200.1.1.1", "2001:db8::7", "::1"))
	set("k:m", word())
	if g.oneIn(2) {
		r.Context["k:m"] = []string{"1" + word(), "2" + word()}
	}
	return r
}

// reordered writes a document differently without changing what it says, so
// that nothing is equal at a glance.
func reordered(t testing.TB, text []byte) []byte {
	t.Helper()
	var doc struct {
		Version   string
		Statement []map[string]any
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(doc.Statement)
	for _, st := range doc.Statement {
		for _, key := range []string{"Action", "NotAction", "Resource", "NotResource"} {
			if list, ok := st[key].([]any); ok {
				slices.Reverse(list)
				st[key] = append(list, list[0])
			}
		}
	}
	return document(doc.Statement)
}

// contradicts looks for a random request that the answer excludes.
func contradicts(t testing.TB, g *generator, reading Reading, fresh, known Policies, tries int) *eval.Request {
	t.Helper()
	for _, docs := range []Policies{fresh, known} {
		for _, st := range docs[0].Statements {
			reading.LiteralARNs = reading.LiteralARNs || st.Principals != nil || st.NotPrincipals != nil
		}
	}
	a, b := eval.Compile(fresh...), eval.Compile(known...)
	for range tries {
		r := g.request()
		if a.Decide(r, reading.Reading) == eval.Allowed && b.Decide(r, reading.Reading) != eval.Allowed {
			return &r
		}
	}
	return nil
}

func TestSubset_laws(t *testing.T) {
	t.Parallel()
	cfg := Config{Arity: cvc5Arity}
	count := map[string]int{}
	for seed := range uint64(600) {
		g := newGenerator(seed<<8 | 7)
		textA, textB := g.pair()
		textC := document(g.change(asObjects(t, textB)))
		a, b, c := parsePolicies(t, textA), parsePolicies(t, textB), parsePolicies(t, textC)
		if got := Subset(t.Context(), parsePolicies(t, reordered(t, textA)), a, cfg); got.Verdict != Proved {
			t.Errorf("seed %d: a policy is not within itself: %v (%v) %s\n%s", seed, got.Verdict, got.Why, got.Detail, textA)
		}
		ab, bc := Subset(t.Context(), a, b, cfg), Subset(t.Context(), b, c, cfg)
		confirmed(t, string(textA), ab, a, b)
		if ab.Verdict == Proved && bc.Verdict == Proved {
			count["transitive"]++
			if ac := Subset(t.Context(), a, c, cfg); ac.Verdict == Refuted {
				t.Errorf("seed %d: not transitive\n%s\n%s\n%s", seed, textA, textB, textC)
			}
		}
		if ab.Verdict == Proved {
			count["proved"]++
			for _, r := range ab.Readings {
				if w := contradicts(t, g, r, a, b, 200); w != nil {
					t.Errorf("seed %d: proved, but %+v contradicts under %v\n%s\n%s", seed, w, r, textA, textB)
				}
			}
		}
		if !hasDenials(b) {
			count["monotone"]++
			if got := Subset(t.Context(), parsePolicies(t, reordered(t, textA)), Policies{a[0], b[0]}, cfg); got.Verdict != Proved {
				t.Errorf("seed %d: a policy is not within its union with another: %v %s\n%s\n%s", seed, got.Verdict, got.Detail, textA, textB)
			}
		}
	}
	t.Logf("%v", count)
	for _, law := range []string{"transitive", "proved", "monotone"} {
		if count[law] < 50 {
			t.Errorf("%s: only %d cases, the test says little", law, count[law])
		}
	}
}

func asObjects(t testing.TB, text []byte) []object {
	t.Helper()
	var doc struct{ Statement []object }
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Statement
}

func hasDenials(p Policies) bool {
	for _, st := range p[0].Statements {
		if st.Effect.String() == "Deny" {
			return true
		}
	}
	return false
}

func TestSubset_is_safe_for_concurrent_use(t *testing.T) {
	t.Parallel()
	g := newGenerator(5)
	textA, textB := g.pair()
	a, b := parsePolicies(t, textA), parsePolicies(t, textB)
	want := Subset(t.Context(), a, b, Config{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := Subset(t.Context(), a, b, Config{}); got.Verdict != want.Verdict {
				t.Errorf("got %v, want %v", got.Verdict, want.Verdict)
			}
		})
	}
	wg.Wait()
}

func TestSubset_caps_and_cancellation(t *testing.T) {
	t.Parallel()
	hard := func(tail string) Policies {
		return policyOf(t,
			`{"Effect":"Allow","Action":"*","Resource":["*a????????????????b`+tail+`"]}`,
			`{"Effect":"Deny","Action":"*","Resource":["*a??????????????b*","*b??????????????a*"]}`)
	}
	fresh, known := hard(""), policyOf(t, `{"Effect":"Allow","Action":"*","Resource":["*b?????????????a??b","*a?????????????b??b"]}`)
	if got := Subset(t.Context(), fresh, known, Config{MaxStates: 40}); got.Verdict != Unknown || got.Why != Limit || got.Detail == "" {
		t.Errorf("40 states: got %v (%v), want unknown (limit)", got.Verdict, got.Why)
	}
	if got := Subset(t.Context(), fresh, known, Config{MaxNodes: -1}); got.Verdict != Unknown || got.Why != Limit {
		t.Errorf("no nodes: got %v (%v), want unknown (limit)", got.Verdict, got.Why)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := Subset(ctx, fresh, known, Config{}); got.Verdict != Unknown || got.Why != Cancelled {
		t.Errorf("cancelled: got %v (%v), want unknown (cancelled)", got.Verdict, got.Why)
	}
	if got := Public(ctx, policyOf(t, statementOf("Allow", everybody, "")), Config{}); got.Verdict != Unknown || len(got.Unsure) != 1 {
		t.Errorf("public, cancelled: got %v %v, want unknown", got.Verdict, got.Unsure)
	}
}

func FuzzSubset(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, seed+100)
	}
	f.Fuzz(func(t *testing.T, seed, other uint64) {
		g := newGenerator(seed)
		textA, textB := g.pair()
		a, b := parsePolicies(t, textA), parsePolicies(t, textB)
		reading := g.reading()
		got := Subset(t.Context(), a, b, Config{Arity: cvc5Arity, Readings: []Reading{reading}})
		confirmed(t, "fuzz", got, a, b)
		h := newGenerator(other)
		h.principals = g.principals
		if got.Verdict == Proved {
			if w := contradicts(t, h, reading, a, b, 20); w != nil {
				t.Errorf("proved, but %+v contradicts under %v\n%s\n%s", w, reading, textA, textB)
			}
		}
	})
}
