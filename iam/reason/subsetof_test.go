package reason

import (
	"slices"
	"strings"
	"testing"

	"dera.example/dera/iam/lang"
	"dera.example/dera/iam/policy"
)

// TestSubsetOf_is_subset_beside_a_denial holds that asking about some actions is
// asking about the policies beside a denial of all others.
func TestSubsetOf_is_subset_beside_a_denial(t *testing.T) {
	t.Parallel()
	lists := [][]string{
		{"s3:GetObject"}, {"S3:getobject", "ec2:RunInstances", "s3:PutObject", "s3:"}, {"s3:Get*"}, {"s3:*", "ec2:StopInstances"},
		{"*"}, {"s3:Put*", "ec2:*", "sqs:SendMessage"}, {"s3:G*t*", "s3:?ist*"}, {"glue:*"},
	}
	count := map[Conclusion]int{}
	for seed := range uint64(400) {
		g := newGenerator(seed)
		a, b := g.pair()
		fresh, known := parsePolicies(t, a), parsePolicies(t, b)
		actions := lists[g.IntN(len(lists))]
		others := &policy.Document{Version: policy.Version2012, Statements: []policy.Statement{
			{Effect: policy.Deny, NotActions: actions, Resources: []string{"*"}},
		}}
		if slices.ContainsFunc(fresh[0].Statements, func(st policy.Statement) bool { return st.Principals != nil || st.NotPrincipals != nil }) {
			others.Statements[0].Principals = &policy.Principals{Any: true}
		}
		cfg := Config{Readings: []Reading{{}}}
		got := SubsetOf(t.Context(), actions, fresh, known, cfg)
		want := Subset(t.Context(), append(slices.Clone(fresh), others), known, cfg)
		if got.Verdict != want.Verdict && got.Verdict != Unknown && want.Verdict != Unknown {
			t.Errorf("seed %d, %q: got %v, want %v\n%s\n%s", seed, actions, got, want, a, b)
		}
		if got.Verdict == Refuted {
			confirmed(t, "subset of "+strings.Join(actions, " "), got, fresh, known)
		}
		count[got.Verdict]++
	}
	if count[Refuted] < 50 || count[Proved] < 50 {
		t.Errorf("the questions are too much alike: %v", count)
	}
}

func TestSubsetOf_spells_actions_as_they_are_asked(t *testing.T) {
	t.Parallel()
	a := SubsetOf(t.Context(), []string{"s3:GetObject"}, policyOf(t, allow("*", "*")), policyOf(t, allow("s3:PutObject", "*")), Config{})
	if a.Verdict != Refuted || a.Witness.Request.Action != "s3:GetObject" {
		t.Errorf("got %+v, want a request with s3:GetObject", a)
	}
}

// TestConfig_remember asks several questions with one memory, and finds each list
// read once.
func TestConfig_remember(t *testing.T) {
	t.Parallel()
	doc, other := policyOf(t, allow("s3:*", "*")), policyOf(t, allow("s3:Get*", "*"))
	cfg := Config{}.Remember()
	if a := Subset(t.Context(), other, doc, cfg); a.Verdict != Proved {
		t.Errorf("got %v, want proved", a)
	}
	kept := cfg.memory[&doc[0].Statements[0]]
	if a := Subset(t.Context(), doc, other, cfg); a.Verdict != Refuted {
		t.Errorf("got %v, want refuted", a)
	}
	if kept == nil || cfg.memory[&doc[0].Statements[0]] != kept {
		t.Error("the list was read again")
	}
}

func TestActionSet_beyond_ascii(t *testing.T) {
	t.Parallel()
	s := actionSet([]string{"S3:GetObject", "iam:Bloc\u212a", "ec2:*Ü", "x:"})
	for _, a := range []string{"s3:getobject", "iam:block", "ec2:zü"} {
		if !s.Contains(a) {
			t.Errorf("%q is not in the set", a)
		}
	}
	for _, a := range []string{"s3:GetObject", "x:", "ec2:u"} {
		if s.Contains(a) {
			t.Errorf("%q is in the set", a)
		}
	}
}

func TestLowered_long_lists(t *testing.T) {
	t.Parallel()
	var list []string
	for i := range 700 {
		list = append(list, "S3:"+strings.Repeat("Ab", i%23)+"[@`{Z")
	}
	list = append(list, strings.Repeat("X", 10_000), "", "y")
	for i, got := range lowered(list) {
		if want := strings.ToLower(list[i]); got != want {
			t.Fatalf("entry %d: got %q, want %q", i, got, want)
		}
	}
}

func TestActionSet_agrees_with_single_globs(t *testing.T) {
	t.Parallel()
	entries := []string{"*", "*:*", "s3:*", "S3:Get*", "s3:G?t*", "s3:*t", "s3:**", ":*", "a*", "*:a*", "s3:a*b*", "s3:x", "s3", "s3*:a", "?:*"}
	for _, e := range entries {
		got, want := actionSet([]string{e}), lang.Union()
		if g := actionGlob(e); g != nil {
			want = lang.Union(g)
		}
		if got.Key() != want.Key() {
			t.Errorf("%q: got %q, want %q", e, got.Key(), want.Key())
		}
	}
}
