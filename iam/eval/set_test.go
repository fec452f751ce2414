package eval

import (
	"strings"
	"sync"
	"testing"

	"dera.example/dera/iam/policy"
)

// slowMatch is the definition of a pattern, without a thought for speed.
func slowMatch(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case pattern[0] == '*':
		return slowMatch(pattern[1:], s) || s != "" && slowMatch(pattern, s[1:])
	case s == "" || pattern[0] != '?' && pattern[0] != s[0]:
		return false
	default:
		return slowMatch(pattern[1:], s[1:])
	}
}

// texts lists all texts of up to n letters.
func texts(letters string, n int) []string {
	all := []string{""}
	for from := 0; n > 0; n-- {
		end := len(all)
		for _, prefix := range all[from:end] {
			for _, c := range letters {
				all = append(all, prefix+string(c))
			}
		}
		from = end
	}
	return all
}

func TestGlob_is_what_the_definition_says(t *testing.T) {
	t.Parallel()
	subjects := texts("ab", 5)
	for _, pattern := range texts("ab*?", 5) {
		g := newGlob(parseTemplate(pattern, syntax{wildcards: true}).pieces)
		for _, s := range subjects {
			want := slowMatch(pattern, s)
			if g.match(s, nil) != want {
				t.Fatalf("%q on %q: got %v, want %v", pattern, s, !want, want)
			}
			if g.matchFold(strings.ToUpper(s)) != want {
				t.Fatalf("%q on %q in capitals: got %v, want %v", pattern, s, !want, want)
			}
		}
	}
}

func TestGlob_counts_characters_not_bytes(t *testing.T) {
	t.Parallel()
	g := newGlob(parseTemplate("?*é?", syntax{wildcards: true}).pieces)
	is(t, "four characters", g.match("ßüé世", nil), true)
	is(t, "too few", g.match("é世", nil), false)
	g = newGlob(parseTemplate("*??", syntax{wildcards: true}).pieces)
	is(t, "the bytes of one character", g.match("世", nil), false)
}

// TestArnPattern_by_segment holds the patterns against the definition: the
// segments of pattern and ARN match one by one.
func TestArnPattern_by_segment(t *testing.T) {
	t.Parallel()
	parts := []string{"", "a", "*", "?", "a*"}
	for _, p := range parts {
		for _, q := range parts {
			for _, last := range []string{"x", "*", "x:*", "?:y"} {
				pattern := "arn:aws:s:" + p + ":" + q + ":" + last
				r := newResourcePattern(pattern, true)
				for _, arn := range []string{"arn:aws:s:::x", "arn:aws:s:a::x", "arn:aws:s:a:a:x:y", "arn:aws:s::ab:x:y:z", "arn:aws:s:a:x", "arn:aws:s:ab:a:", "other"} {
					want := true
					got := strings.SplitN(arn, ":", 6)
					for i, segment := range strings.SplitN(pattern, ":", 6) {
						want = want && i < len(got) && slowMatch(segment, got[i])
					}
					is(t, pattern+" on "+arn, r.match(arn, nil, Reading{}), want)
					is(t, "plain "+pattern+" on "+arn, r.match(arn, nil, Reading{PlainGlobs: true}), slowMatch(pattern, arn))
				}
			}
		}
	}
}

func TestTemplate_with_many_variables(t *testing.T) {
	t.Parallel()
	const five = `{"StringEquals":{"k":"${a}${b}${c}${d}${e}"}}`
	context := Context{"k": {"12345"}, "a": {"1"}, "b": {"2"}, "c": {"3"}, "d": {"4"}, "e": {"5"}}
	is(t, "five variables", conditional(t, five, context), true)
	delete(context, "e")
	is(t, "one of them without value", conditional(t, five, context), false)
	is(t, "empty name", conditional(t, `{"StringEquals":{"k":"${}"}}`, Context{"k": {""}}), false)
	is(t, "name in another case", conditional(t, `{"StringLike":{"k":"${AWS:UserName}*"}}`, Context{"k": {"ab"}, "aws:username": {"a"}}), true)
}

func TestCompile_leaves_out_what_has_no_effect(t *testing.T) {
	t.Parallel()
	star := []string{"*"}
	for name, st := range map[string]policy.Statement{
		"no_effect":          {Actions: star, Resources: star},
		"no_action":          {Effect: policy.Allow, Resources: star},
		"empty_action":       {Effect: policy.Allow, Actions: []string{}, Resources: star},
		"empty_not_action":   {Effect: policy.Allow, NotActions: []string{}, Resources: star},
		"empty_resource":     {Effect: policy.Allow, Actions: star, Resources: []string{}},
		"empty_not_resource": {Effect: policy.Allow, Actions: star, NotResources: []string{}},
		"empty_principal":    {Effect: policy.Allow, Actions: star, Principals: &policy.Principals{}},
		"unknown_operator":   {Effect: policy.Allow, Actions: star, Conditions: []policy.Condition{{Operator: "StringNotIs", Key: "k", Values: []string{"x"}}}},
		"unknown_set":        {Effect: policy.Allow, Actions: star, Conditions: []policy.Condition{{Operator: "ForAnyValues:Bool", Key: "k", Values: []string{"true"}}}},
	} {
		set := Compile(&policy.Document{Version: policy.Version2012, Statements: []policy.Statement{st}})
		for _, context := range []Context{nil, {"k": {"true"}}} {
			decision, refs := set.Explain(Request{Action: "s3:GetObject", Resource: bucketKey, Context: context}, Reading{})
			if decision != ImplicitDeny || refs != nil {
				t.Errorf("%s: got %v %v", name, decision, refs)
			}
		}
	}
}

func TestSet_may_be_asked_by_many(t *testing.T) {
	t.Parallel()
	set, all := compile(t, typical), requests()
	want := []Outcome{Allowed, Allowed, Allowed, Allowed, ImplicitDeny, ExplicitDeny}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i, r := range all {
				if got := set.Decide(r, Reading{}); got != want[i] {
					t.Errorf("%s: got %v, want %v", r.Action, got, want[i])
				}
			}
		})
	}
	wg.Wait()
}
