package cloudtrail

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// matches is EventBridge's matching, as far as exact values go: every member of
// the pattern must stand in the event with one of the values.
func matches(t *testing.T, pattern, event string) bool {
	t.Helper()
	var p, e map[string]any
	for text, into := range map[string]*map[string]any{pattern: &p, event: &e} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("read %s: %v", text, err)
		}
	}
	return matchObject(p, e)
}

func matchObject(pattern, event map[string]any) bool {
	for name, want := range pattern {
		switch want := want.(type) {
		case map[string]any:
			inner, ok := event[name].(map[string]any)
			if !ok || !matchObject(want, inner) {
				return false
			}
		case []any:
			got, ok := event[name].(string)
			if !ok || !slices.ContainsFunc(want, func(v any) bool {
				if o, ok := v.(map[string]any); ok {
					prefix, begins := o["prefix"].(string)
					suffix, ends := o["suffix"].(string)
					return len(o) == 1 && (begins && strings.HasPrefix(got, prefix) || ends && strings.HasSuffix(got, suffix))
				}
				return v == any(got)
			}) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func callEvent(kind, bus, source, name string) string {
	return fmt.Sprintf(`{"version":"0","detail-type":%q,"source":%q,"account":"111122223333","region":"us-east-1","detail":{"eventSource":%q,"eventName":%q,"awsRegion":"us-east-1"}}`, kind, bus, source, name)
}

func everyType() []string { return []string{groups, buckets, accounts} }

// TestRules_let_through_what_is_watched: each watched call passes exactly one
// rule for looks, each compliance change that is a hint the rule for Config, and
// nothing else passes any.
func TestRules_let_through_what_is_watched(t *testing.T) {
	t.Parallel()
	passed := func(rules []Rule, event, purpose string) (n int) {
		for _, r := range rules {
			if r.For == purpose && matches(t, r.Pattern.Text(), event) {
				n++
			}
		}
		return n
	}
	for name, types := range map[string][]string{
		"all": everyType(), "groups": {groups}, "buckets": {buckets}, "block": {accounts}, "none": {"AWS::IAM::Role"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := testWatch().Rules(types)
			seen := map[string]bool{}
			for _, r := range rules {
				if seen[r.Name] || r.Name == "" {
					t.Errorf("rule %q: its name is not its own", r.Name)
				}
				seen[r.Name] = true
				if n := len(r.Pattern.Text()); n > MaxPattern {
					t.Errorf("rule %s has a pattern of %d characters", r.Name, n)
				}
			}
			for _, c := range testWatch().Calls() {
				if len(c.Types) == 0 {
					t.Errorf("%s is a hint for no type", c.Name)
				}
				want := 0
				if slices.ContainsFunc(c.Types, func(typ string) bool { return slices.Contains(types, typ) }) {
					want = 1
				}
				bus := "aws." + c.Source[:len(c.Source)-len(".amazonaws.com")]
				if got := passed(rules, callEvent("AWS API Call via CloudTrail", bus, c.Source, c.Name), ForLooks); got != want {
					t.Errorf("%s %s passes %d rules, want %d", c.Source, c.Name, got, want)
				}
				for why, other := range map[string]string{
					"another_kind":    callEvent("AWS Service Event via CloudTrail", bus, c.Source, c.Name),
					"another_source":  callEvent("AWS API Call via CloudTrail", "aws.rds", c.Source, c.Name),
					"another_service": callEvent("AWS API Call via CloudTrail", bus, "rds.amazonaws.com", c.Name),
					"another_call":    callEvent("AWS API Call via CloudTrail", bus, c.Source, "Describe"+c.Name),
				} {
					if passed(rules, other, ForLooks)+passed(rules, other, ForConfig) > 0 {
						t.Errorf("%s %s of %s passes", c.Source, c.Name, why)
					}
				}
			}
			for _, result := range []string{"COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA"} {
				for _, typ := range []string{groups, buckets, accounts, anAccount, "AWS::Lambda::Function"} {
					event := complianceChange(result, typ, "x")
					c, err := DecodeCompliance([]byte(event))
					if err != nil {
						t.Fatal(err)
					}
					want := 0
					for _, s := range testWatch().HintsOf(c) {
						if slices.Contains(types, s.Type) {
							want = 1
						}
					}
					if got := passed(rules, event, ForConfig); got != want {
						t.Errorf("%s of %s passes %d rules, want %d", result, typ, got, want)
					}
				}
			}
			if name == "none" && rules != nil {
				t.Errorf("no control looks at a watched type: got rules %v, want none", rules)
			}
		})
	}
}

// TestRules_ledger: every call of AWS passes, and nothing that others send under
// the same names.
func TestRules_ledger(t *testing.T) {
	t.Parallel()
	rules := testWatch().Rules(everyType())
	ledger := rules[len(rules)-1]
	if ledger.For != ForLedger {
		t.Fatalf("got %+v last, want the rule of the ledger", ledger)
	}
	for bus, want := range map[string]bool{"aws.iam": true, "aws.ec2": true, "my.app": false, "": false} {
		if got := matches(t, ledger.Pattern.Text(), callEvent("AWS API Call via CloudTrail", bus, "iam.amazonaws.com", "GetRole")); got != want {
			t.Errorf("source %q passes: got %t, want %t", bus, got, want)
		}
	}
	for kind, want := range map[string]bool{"AWS Console Sign In via CloudTrail": true, "AWS Service Event via CloudTrail": true, "EC2 Instance State-change Notification": false} {
		if got := matches(t, ledger.Pattern.Text(), callEvent(kind, "aws.signin", "signin.amazonaws.com", "ConsoleLogin")); got != want {
			t.Errorf("%s passes: got %t, want %t", kind, got, want)
		}
	}
}

// TestRules_split: a service with more calls than a pattern has room for gets
// several rules, and loses no call.
func TestRules_split(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 200 {
		names = append(names, fmt.Sprintf("PutSomethingWithAVeryLongName%03d", i))
	}
	rules := callRules("ec2.amazonaws.com", Calls("ec2.amazonaws.com", nil, names...))
	var got []string
	for _, r := range rules {
		if n := len(r.Pattern.Text()); n > MaxPattern {
			t.Errorf("rule %s has %d characters", r.Name, n)
		}
		got = append(got, r.Pattern.Detail.EventName...)
	}
	if len(rules) < 4 || !slices.Equal(got, names) {
		t.Errorf("got %d rules with %d of %d calls", len(rules), len(got), len(names))
	}
}

// TestRules_places: what only reads needs the wider state, what is global stands
// in one region.
func TestRules_places(t *testing.T) {
	t.Parallel()
	for _, r := range testWatch().Rules(everyType()) {
		if wide := r.State == StateAllCalls; wide != (r.For == ForLedger) {
			t.Errorf("rule %s: got state %s", r.Name, r.State)
		}
		if here := r.Region == "us-east-1"; here != (r.Name == "dera-cloudfront") {
			t.Errorf("rule %s: got region %q", r.Name, r.Region)
		}
	}
}

// TestRules_sign_in: sign-ins to the console are no calls of an API, and arrive as a kind of
// their own.
func TestRules_sign_in(t *testing.T) {
	t.Parallel()
	rules := callRules("signin.amazonaws.com", Calls("signin.amazonaws.com", nil, "ConsoleLogin"))
	if len(rules) != 1 {
		t.Fatalf("got %d rules, want one", len(rules))
	}
	for kind, want := range map[string]bool{"AWS Console Sign In via CloudTrail": true, "AWS API Call via CloudTrail": false} {
		if got := matches(t, rules[0].Pattern.Text(), callEvent(kind, "aws.signin", "signin.amazonaws.com", "ConsoleLogin")); got != want {
			t.Errorf("%s passes: got %t, want %t", kind, got, want)
		}
	}
}
