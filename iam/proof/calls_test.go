package proof_test

import (
	"strings"
	"testing"

	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
)

// TestCalls decides recorded calls: what is certain from the call and the policies, and
// what is not.
func TestCalls(t *testing.T) {
	t.Parallel()
	const jobs, mail = "arn:aws:sqs:eu-west-1:111122223333:jobs", "arn:aws:sqs:eu-west-1:111122223333:mail"
	allow := func(on string, actions string, more ...string) string {
		return `{"Effect":"Allow","Action":["` + strings.ReplaceAll(actions, " ", `","`) + `"],"Resource":"` + on + `"` + strings.Join(more, "") + `}`
	}
	mfa := `,"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`
	all := allow("*", "sqs:* lambda:CreateFunction s3:ListAllMyBuckets")
	tests := []struct {
		name        string
		old, fresh  string
		beside      string
		source, cmd string
		resources   []string
		granted     bool
		want        proof.Fate
		action      string
		lost        bool
		why         string
	}{
		{name: "kept", old: all, fresh: allow("*", "sqs:DeleteQueue"), source: "sqs", cmd: "DeleteQueue", granted: true},
		{name: "never_granted", old: allow("*", "s3:ListAllMyBuckets"), fresh: "", source: "sqs", cmd: "DeleteQueue"},
		{name: "another_policy_grants_it", old: all, fresh: "", beside: allow("*", "sqs:DeleteQueue"), source: "sqs", cmd: "DeleteQueue", resources: []string{jobs}, granted: true},
		{name: "lost_whole", old: all, fresh: allow("*", "sqs:ListQueues"), source: "sqs", cmd: "DeleteQueue", granted: true, want: proof.Undecided, action: "sqs:DeleteQueue", lost: true, why: "no statement allows sqs:DeleteQueue"},
		{name: "lost_on_a_resource", old: all, fresh: allow(mail, "sqs:*"), source: "sqs", cmd: "DeleteQueue", resources: []string{jobs}, granted: true, want: proof.WouldBeDenied, action: "sqs:DeleteQueue", why: "no statement allows sqs:DeleteQueue"},
		{name: "lost_somewhere", old: all, fresh: allow(mail, "sqs:*"), source: "sqs", cmd: "DeleteQueue", granted: true, want: proof.Undecided, action: "sqs:DeleteQueue", why: "no statement allows sqs:DeleteQueue"},
		{name: "left_where_it_was_used", old: all, fresh: allow(jobs, "sqs:*"), source: "sqs", cmd: "DeleteQueue", resources: []string{jobs}, granted: true},
		{name: "where_the_condition_holds", old: all, fresh: allow("*", "sqs:*", mfa), source: "sqs", cmd: "DeleteQueue", resources: []string{jobs}, granted: true, want: proof.Undecided, action: "sqs:DeleteQueue", why: "no statement allows sqs:DeleteQueue"},
		{name: "was_under_a_condition", old: allow("*", "sqs:*", mfa), fresh: "", source: "sqs", cmd: "DeleteQueue", resources: []string{jobs}, granted: true, want: proof.Undecided, action: "sqs:DeleteQueue", why: "no statement allows sqs:DeleteQueue"},
		{name: "denied_by_a_statement", old: all, fresh: all + `,{"Effect":"Deny","Action":"sqs:Delete*","Resource":"` + jobs + `"}`, source: "sqs", cmd: "DeleteQueue", resources: []string{mail, jobs}, granted: true, want: proof.WouldBeDenied, action: "sqs:DeleteQueue", why: "statement 2 denies sqs:DeleteQueue"},
		{name: "denied_by_a_named_one", old: all, fresh: `{"Sid":"No","Effect":"Deny","Action":"sqs:*","Resource":"*"}`, source: "sqs", cmd: "DeleteQueue", resources: []string{jobs}, granted: true, want: proof.WouldBeDenied, action: "sqs:DeleteQueue", lost: true, why: `statement 1 "No" denies sqs:DeleteQueue`},
		{name: "a_pattern_is_no_resource", old: all, fresh: "", source: "sqs", cmd: "DeleteQueue", resources: []string{"arn:aws:sqs:*"}, granted: true, want: proof.Undecided, action: "sqs:DeleteQueue", lost: true, why: "no statement allows sqs:DeleteQueue"},
		{name: "under_another_name", old: all, fresh: allow("*", "sqs:*"), source: "s3", cmd: "ListBuckets", granted: true, want: proof.Undecided, action: "s3:ListAllMyBuckets", lost: true, why: "no statement allows s3:ListAllMyBuckets"},
		{name: "event_that_nobody_knows", old: all, fresh: allow("*", "sqs:*"), source: "sqs", cmd: "FrobnicateQueue", granted: true},
		{name: "event_that_nobody_knows_of_what_loses", old: all, fresh: allow("*", "sqs:DeleteQueue"), source: "sqs", cmd: "FrobnicateQueue", granted: true, want: proof.Undecided, action: "sqs:*", why: "no statement allows sqs:*"},
		{name: "source_that_nobody_knows", old: all, fresh: "", source: "frobnicator", cmd: "Frobnicate", granted: true, want: proof.Undecided, action: "*", why: "no statement allows *"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			parse := func(statements string) (out []*policy.Document) {
				if statements == "" {
					return nil
				}
				doc, err := policy.Parse(`{"Version":"2012-10-17","Statement":[` + statements + `]}`)
				if err != nil {
					t.Fatal(err)
				}
				return append(out, doc)
			}
			call := proof.Call{Principal: "arn:aws:iam::111122223333:role/app", Source: tt.source + ".amazonaws.com", Name: tt.cmd, Resources: tt.resources}
			c := proof.NewCalls(parse(tt.old), parse(tt.fresh)).Beside(parse(tt.beside))
			if got := c.Grants(call); got != tt.granted {
				t.Errorf("granted before: got %t, want %t", got, tt.granted)
			}
			got, action := c.Decide(call)
			if got != tt.want || action != tt.action {
				t.Errorf("fate: got %d of %q, want %d of %q", got, action, tt.want, tt.action)
			}
			if got == proof.AllowedStill {
				return
			}
			if _, lost := c.Lost(call); lost != tt.lost {
				t.Errorf("lost whatever the resource: got %t, want %t", lost, tt.lost)
			}
			if why := c.Why(call, action); why != tt.why {
				t.Errorf("why: got %q, want %q", why, tt.why)
			}
		})
	}
}
