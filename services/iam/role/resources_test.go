package role_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/iamtest"
	"dera.example/dera/services/iam/role"
)

// TestResources: every recorded call stays allowed by the evaluator of policies, and
// another resource is denied, in each case in which resources are narrowed.
func TestResources(t *testing.T) {
	t.Parallel()
	iamtest.HoldSeen(t, laws(), role.UnusedPermissions(), "unused_permissions.txtar", texts, [2]int{18, 40})
}

// TestResources_drawn holds drawn policies and calls against the control laws, and the
// plans against the calls.
func TestResources_drawn(t *testing.T) {
	t.Parallel()
	plans, denied, l := 0, 0, laws()
	l.Mutants = nil // of drawn policies one may be of no use, so that it can go too
	for seed := range uint64(200) {
		r, s := drawn(seed)
		if seed%10 == 0 {
			l.Hold(t, role.UnusedPermissions(), l.Resource(r), s)
		}
		for _, after := range iamtest.Located(t, l, role.UnusedPermissions(), control.Settings{NarrowResources: true}, r) {
			plans++
			denied += iamtest.Seen(t, texts(r), texts(after), role.Type().Principals(r))
		}
		if t.Failed() {
			text, _ := json.MarshalIndent(r, "", " ")
			t.Fatalf("role %d: %s", seed, text)
		}
	}
	if plans < 60 || denied < 60 {
		t.Errorf("got %d plans that deny %d actions on another resource, want 60 and 60 at least", plans, denied)
	}
}

// drawn is a role with policies and calls of a few actions on a few resources.
func drawn(seed uint64) (*role.Role, control.Settings) {
	r := rand.New(rand.NewPCG(seed, 17))
	const sqs, athena = "arn:aws:sqs:eu-west-1:111122223333:", "arn:aws:athena:eu-west-1:111122223333:workgroup/"
	some := func(list ...string) string {
		var out []string
		for _, x := range list {
			if r.IntN(3) == 0 && !slices.Contains(out, x) {
				out = append(out, x)
			}
		}
		if len(out) == 0 {
			out = list[r.IntN(len(list)):][:1]
		}
		return `["` + strings.Join(out, `","`) + `"]`
	}
	out := &role.Role{Account: "111122223333", Identity: iam.Identity{Name: "app", Path: "/"}}
	for p := range 1 + r.IntN(2) {
		var statements []string
		for n := range 1 + r.IntN(3) {
			if r.IntN(6) == 0 {
				statements = append(statements, fmt.Sprintf(`{"Sid":"S%d","Effect":"Deny","Action":["sqs:PurgeQueue","athena:*"],"Resource":%q}`, n, sqs+"mail"))
				continue
			}
			more := ""
			switch r.IntN(6) {
			case 0:
				more = `,"Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}`
			case 1:
				more = `,"Condition":{"StringEquals":{"aws:ResourceTag/team":"a"}}`
			}
			actions := some("sqs:PurgeQueue", "sqs:SendMessage", "sqs:GetQueueUrl", "sqs:ListQueues", "athena:GetWorkGroup", "athena:UpdateWorkGroup", "sqs:Purge*", "athena:Update*", "iam:GetRole")
			on := some("*", "*", sqs+"*", sqs+"jobs", sqs+"j*", "arn:aws:*:*:*:*", athena+"*", athena+"reports", "${aws:username}")
			statements = append(statements, fmt.Sprintf(`{"Sid":"S%d","Effect":"Allow","Action":%s,"Resource":%s%s}`, n, actions, on, more))
		}
		out.Inline = append(out.Inline, iam.Inline{Name: fmt.Sprintf("p%d", p), Document: `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",\n ") + `]}`})
	}
	to := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	out.Use = &resource.Use{From: to.AddDate(0, 0, -90), To: to}
	for _, call := range []struct {
		source, name string
		on           []string
	}{
		{"sqs", "PurgeQueue", []string{sqs + "jobs", sqs + "mail"}}, {"sqs", "SendMessage", []string{sqs + "jobs"}}, {"sqs", "GetQueueUrl", []string{sqs + "jobs"}},
		{"sqs", "ListQueues", nil}, {"athena", "GetWorkGroup", []string{athena + "reports", athena + "other"}}, {"athena", "UpdateWorkGroup", []string{athena + "reports"}},
	} {
		if r.IntN(4) == 0 {
			continue
		}
		on := call.on
		if len(on) > 0 {
			on = on[:1+r.IntN(len(on))]
		}
		out.Use.Calls = append(out.Use.Calls, resource.Call{
			Source: call.source + ".amazonaws.com", Name: call.name, Count: 3, First: to.AddDate(0, 0, -50), Last: to.AddDate(0, 0, -5), Resources: on, More: r.IntN(6) == 0,
		})
	}
	if r.IntN(3) == 0 {
		out.Use.Gaps = []resource.Gap{{Kind: resource.GapOfDataEvents, Why: "no selector"}}
	}
	return out, control.Settings{NarrowResources: true}
}
