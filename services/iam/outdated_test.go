package iam_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
)

// statement is one of a policy: its effect, actions and resource, and more of it.
func statement(effect string, actions []string, more string) string {
	return fmt.Sprintf(`{"Effect":%q,"Action":["%s"],%s}`, effect, strings.Join(actions, `","`), more)
}

const everywhere = `"Resource":"*"`

func policyOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

const queues = "arn:aws:iam::aws:policy/Queues"

// copyOf is the copy of a policy of AWS, of one version, which says something else now.
func copyOf(version, then, fresh, now string) iam.Copied {
	return iam.Copied{Inline: "Queues-" + version + "-narrowed", ARN: queues, Then: iam.Attached{ARN: queues, Version: version, Document: then}, Now: iam.Attached{ARN: queues, Version: fresh, Document: now}}
}

func updated(t *testing.T, r *role.Role) (control.Result, []dera.Change, *control.Refusal, *role.Role) {
	t.Helper()
	res := r.OutdatedCopies()
	changes, refusal := r.UpdateCopies(iam.RoleKind, res.Failures)
	if refusal != nil || len(changes) == 0 {
		return res, changes, refusal, nil
	}
	after, err := iam.Applied(role.Type(), r, changes)
	if err != nil {
		t.Fatal(err)
	}
	return res, changes, refusal, after
}

func roleOf(inline []iam.Inline, copied ...iam.Copied) *role.Role {
	return &role.Role{Identity: iam.Identity{Name: "r", Path: "/", Inline: inline, Copied: copied}, Account: "111122223333", Trust: policyOf()}
}

// TestTwoCopies: of two copies of one policy of AWS neither loses what the other has not.
func TestTwoCopies(t *testing.T) {
	t.Parallel()
	then, now := policyOf(statement("Allow", []string{"sqs:CreateQueue", "sqs:DeleteQueue"}, everywhere)), policyOf(statement("Allow", []string{"sqs:CreateQueue", "sqs:DeleteQueue", "sqs:TagQueue"}, everywhere))
	r := roleOf([]iam.Inline{
		{Name: "Queues-v1-narrowed", Document: policyOf(statement("Allow", []string{"sqs:CreateQueue"}, everywhere))},
		{Name: "Queues-v2-narrowed", Document: policyOf(statement("Allow", []string{"sqs:DeleteQueue"}, everywhere))},
	}, copyOf("v1", then, "v3", now), copyOf("v2", then, "v3", now))
	res, _, refusal, _ := updated(t, r)
	if len(res.Failures) != 1 || !strings.Contains(res.Failures[0].Why, "v1") || !strings.Contains(res.Failures[0].Why, "Queues-v2-narrowed") {
		t.Errorf("got %v, want one finding about both", res.Failures)
	}
	if refusal == nil || refusal.Code != "two-copies" {
		t.Errorf("got %v, want that two copies are refused", refusal)
	}
	r.Inline = r.Inline[:1] // a person deleted one
	if _, _, refusal, after := updated(t, r); refusal != nil || !strings.Contains(after.Inline[0].Document, "CreateQueue") {
		t.Errorf("of one: got %v", refusal)
	}
}

// TestWhatAWSAdded: a finding names what the copy lacks and nothing else, and the plan is
// proved; what AWS denies now, or does not deny any more, is for a person.
func TestWhatAWSAdded(t *testing.T) {
	t.Parallel()
	const inEurope = `"Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}`
	const secret = `"Resource":"arn:aws:sqs:*:*:secret"`
	both := []string{"sqs:CreateQueue", "sqs:DeleteQueue"}
	more := append(slices.Clone(both), "sqs:TagQueue")
	for name, tt := range map[string]struct {
		own, then, now []string
		adds, unclear  string
	}{
		"a_condition_and_an_action": {
			[]string{statement("Allow", both, everywhere)}, []string{statement("Allow", both, everywhere)},
			[]string{statement("Allow", both, inEurope), statement("Allow", []string{"sqs:TagQueue"}, everywhere)}, "sqs:TagQueue.", "",
		},
		"both_in_one_statement": {
			[]string{statement("Allow", both, everywhere)}, []string{statement("Allow", both, everywhere)}, []string{statement("Allow", more, inEurope)}, "sqs:TagQueue.", "",
		},
		"allowed_and_denied": {
			[]string{statement("Allow", both[:1], everywhere)}, []string{statement("Allow", both[:1], everywhere)},
			[]string{statement("Allow", more, everywhere), statement("Deny", both[1:], everywhere)}, "", "added a denial",
		},
		"denied": {
			[]string{statement("Allow", both, everywhere)}, []string{statement("Allow", both, everywhere)},
			[]string{statement("Allow", both, everywhere), statement("Deny", both[1:], secret)}, "", "added a denial",
		},
		"denied_by_hand": {
			[]string{statement("Allow", both, everywhere), statement("Deny", both[1:], secret)}, []string{statement("Allow", both, everywhere)},
			[]string{statement("Allow", more, everywhere), `{"Sid":"New",` + statement("Deny", both[1:], secret)[1:]}, "sqs:TagQueue.", "",
		},
		"denied_all_along": {
			[]string{statement("Allow", both, everywhere), statement("Deny", []string{"sqs:*"}, secret)}, []string{statement("Allow", both, everywhere), statement("Deny", []string{"sqs:*"}, secret)},
			[]string{statement("Allow", more, everywhere), statement("Deny", []string{"sqs:*"}, secret)}, "sqs:TagQueue.", "",
		},
		"denied_everywhere_all_along": {
			[]string{statement("Allow", both[:1], everywhere), statement("Deny", both[1:], everywhere)}, []string{statement("Allow", both[:1], everywhere), statement("Deny", both[1:], everywhere)},
			[]string{statement("Allow", more, everywhere), statement("Deny", both[1:], everywhere)}, "sqs:TagQueue.", "",
		},
		"not_denied_any_more": {
			[]string{statement("Allow", both, everywhere), statement("Deny", both[1:], secret)}, []string{statement("Allow", both, everywhere), statement("Deny", both[1:], secret)},
			[]string{statement("Allow", both, everywhere)}, "", "took a denial out",
		},
		"not_denied_any_more_by_hand": {
			[]string{statement("Allow", both, everywhere)}, []string{statement("Allow", both, everywhere), statement("Deny", both[1:], secret)},
			[]string{statement("Allow", more, everywhere)}, "sqs:TagQueue.", "",
		},
		"denial_with_another_name": {
			[]string{statement("Allow", both, everywhere), `{"Sid":"A",` + statement("Deny", both[1:], secret)[1:]}, []string{statement("Allow", both, everywhere), `{"Sid":"A",` + statement("Deny", both[1:], secret)[1:]},
			[]string{statement("Allow", both, everywhere), `{"Sid":"B",` + statement("Deny", both[1:], secret)[1:]}, "", "",
		},
		"merged_statements": {
			[]string{statement("Allow", both, secret), statement("Allow", both, `"Resource":"arn:aws:sqs:*:*:open"`)}, []string{statement("Allow", both, secret), statement("Allow", both, `"Resource":"arn:aws:sqs:*:*:open"`)},
			[]string{statement("Allow", more, `"Resource":["arn:aws:sqs:*:*:secret","arn:aws:sqs:*:*:open"]`)}, "sqs:TagQueue.", "",
		},
		"more_resources": {
			[]string{statement("Allow", both, secret)}, []string{statement("Allow", both, secret)}, []string{statement("Allow", both, everywhere)}, "sqs:CreateQueue, sqs:DeleteQueue.", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := roleOf([]iam.Inline{{Name: "Queues-v1-narrowed", Document: policyOf(tt.own...)}}, copyOf("v1", policyOf(tt.then...), "v2", policyOf(tt.now...)))
			res, _, refusal, after := updated(t, r)
			if !strings.Contains(res.Why, tt.unclear) || (tt.unclear == "") != (res.Why == "") {
				t.Errorf("got unclear %q, want %q", res.Why, tt.unclear)
			}
			if tt.adds == "" {
				if len(res.Failures) > 0 {
					t.Errorf("got %v, want no finding", res.Failures)
				}
				return
			}
			if len(res.Failures) != 1 || !strings.HasSuffix(res.Failures[0].Why, "AWS added: "+tt.adds) || refusal != nil {
				t.Fatalf("got %v, %v, want what AWS added: %s", res.Failures, refusal, tt.adds)
			}
			evidence, err := r.ProveCopies(&after.Identity, res.Failures)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range evidence.Claims {
				if c.Verdict != dera.Proved {
					t.Errorf("got %s %s %s, want proved", c.Name, c.Verdict, c.Witness)
				}
			}
		})
	}
}

// TestCopiesWithoutRoomForBoth: a copy that does not fit beside its update gets what it
// lacks, and is found no more.
func TestCopiesWithoutRoomForBoth(t *testing.T) {
	t.Parallel()
	long := func(n int) string {
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("arn:aws:sqs:eu-west-1:111122223333:a-queue-whose-name-is-rather-long-%04d", i))
		}
		return `"Resource":["` + strings.Join(names, `","`) + `"]`
	}
	for name, tt := range map[string]struct {
		queues, inline int
		refused        string
	}{"both_fit": {50, 2, ""}, "one_fits": {100, 1, ""}, "none_fits": {139, 0, "no-space"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			then := policyOf(statement("Allow", []string{"sqs:CreateQueue"}, long(tt.queues)))
			now := policyOf(statement("Allow", []string{"sqs:CreateQueue"}, long(tt.queues)), statement("Allow", []string{"sqs:TagQueue", "sqs:UntagQueue", "sqs:SetQueueAttributes"}, everywhere))
			c := copyOf("v1", then, "v2", now)
			r := roleOf([]iam.Inline{{Name: c.Inline, Document: then}}, c)
			res, changes, refusal, after := updated(t, r)
			if got := ""; refusal != nil || tt.refused != "" {
				if refusal != nil {
					got = refusal.Code
				}
				if got != tt.refused {
					t.Errorf("got %v, want %q", refusal, tt.refused)
				}
				return
			}
			if len(changes) != tt.inline {
				t.Errorf("got %d changes, want %d", len(changes), tt.inline)
			}
			evidence, err := r.ProveCopies(&after.Identity, res.Failures)
			if err != nil || slices.ContainsFunc(evidence.Claims, func(c dera.Claim) bool { return c.Verdict != dera.Proved }) {
				t.Errorf("got %v, %v, want all proved", evidence.Claims, err)
			}
			if len(after.Inline) != 1 || !strings.Contains(after.Inline[0].Document, "TagQueue") {
				t.Errorf("got %d inline policies, want the copy with what AWS added", len(after.Inline))
			}
			if after.Inline[0].Name == c.Inline && len(after.OutdatedCopies().Failures) > 0 {
				t.Error("it is found again")
			}
		})
	}
}

// TestCopyOf: what can be no ARN of AWS is the name of no copy.
func TestCopyOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"X-v10-narrowed": "arn:aws:iam::aws:policy/X", "service-role.X-v1-narrowed": "arn:aws:iam::aws:policy/service-role/X",
		"a..b-v1-narrowed": "", ".a-v1-narrowed": "", "a.-v1-narrowed": "", "X-narrowed": "", "X-v0-narrowed": "", "-v1-narrowed": "",
	} {
		if got, _, ok := iam.CopyOf("aws", name); got != want || ok != (want != "") {
			t.Errorf("%s: got %q, %t, want %q", name, got, ok, want)
		}
	}
}
