package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/policy"
)

const (
	trust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	wide   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}]}`
	narrow = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	older  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
)

func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

func version(n int, text string) policy.Version {
	return policy.Version{ID: fmt.Sprintf("v%d", n), Document: text, Created: day(n)}
}

func on(n int) string {
	return strings.ReplaceAll(narrow, `"*"`, fmt.Sprintf(`"arn:aws:s3:::b%d/*"`, n))
}

func sample() *policy.Policy {
	return &policy.Policy{
		Name: "app", Path: "/team/", ID: "ANPA1", Tags: map[string]string{"team": "web"}, Default: version(3, wide),
		Others: []policy.Version{version(2, older), version(1, on(1))},
		Holders: []iam.Holder{
			{ARN: "arn:aws:iam::111122223333:role/svc/web", Kind: iam.RoleKind, Name: "web", Tags: map[string]string{"role": "bastion"}, Trust: trust, Created: day(5)},
			{ARN: "arn:aws:iam::111122223333:user/ann", Kind: iam.UserKind, Name: "ann", Via: "staff", Use: &resource.Use{Seen: day(9)}},
			{ARN: "arn:aws:iam::111122223333:user/ann", Kind: iam.UserKind, Name: "ann", Use: &resource.Use{Seen: day(9)}},
		},
	}
}

// full has as many versions as IAM keeps.
func full(others ...string) *policy.Policy {
	p := sample()
	p.Default, p.Others = version(9, wide), nil
	for i, text := range others {
		p.Others = append(p.Others, version(8-i, text))
	}
	return p
}

func canon(t *testing.T, config any) string {
	t.Helper()
	text, err := policy.Type().Canon(config)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestSetDocument holds the changes that put a document in force against the laws of
// operations: each shows after it is applied and not before, and still when those after
// it are applied; the undos, last first, bring the same policy back.
func TestSetDocument(t *testing.T) {
	t.Parallel()
	typ := policy.Type()
	for name, tc := range map[string]struct {
		policy *policy.Policy
		want   string // the operations
		pruned string // what the first change shows
	}{
		"room":                      {sample(), "Create Set", ""},
		"document_is_a_version":     {func() *policy.Policy { p := sample(); p.Others[1].Document = narrow; return p }(), "Set", ""},
		"no_room":                   {full(on(1), on(2), on(3), on(4)), "Delete Create Set", "- version created 2026-01-05 (not in force)"},
		"no_room_and_a_version":     {full(on(1), on(2), narrow, on(4)), "Set", ""},
		"oldest_is_there_twice":     {full(on(1), on(2), on(4), on(4)), "Delete Create Set", "- version created 2026-01-05 (not in force)"},
		"oldest_says_what_in_force": {full(on(1), on(2), on(3), wide), "Delete Create Set", "- version created 2026-01-05 (not in force)"},
		"all_say_the_same":          {full(wide, wide, wide, wide), "Delete Create Set", "- version created 2026-01-05 (not in force)"},
		"in_force":                  {func() *policy.Policy { p := sample(); p.Default.Document = " " + narrow; return p }(), "", ""},
		"version_nobody_says_when_is": {func() *policy.Policy {
			p := full(on(1), on(2), on(3), on(4))
			p.Others[3].Created = time.Time{}
			return p
		}(), "Delete Create Set", "- version (not in force)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := canon(t, tc.policy)
			changes, err := tc.policy.SetDocument(narrow)
			if err != nil {
				t.Fatal(err)
			}
			var ops []string
			var config any = tc.policy
			outs := make([]map[string]string, len(changes))
			for i, c := range changes {
				op := resource.Of(c)
				ops = append(ops, strings.NewReplacer("iam:", "", "PolicyVersion", "", "Default", "").Replace(op.Name))
				if done, _, err := typ.Effect(config, op); err != nil || done {
					t.Errorf("%s before: shows %t, %v", op.Name, done, err)
				}
				was := canon(t, config)
				next, err := typ.Apply(config, op)
				if err != nil {
					t.Fatal(err)
				}
				if canon(t, config) != was {
					t.Errorf("%s: apply wrote to what it was given", op.Name)
				}
				config = next
				var done bool
				if done, outs[i], err = typ.Effect(config, op); err != nil || !done {
					t.Errorf("%s after: shows %t, %v", op.Name, done, err)
				}
				op.Input = []byte(strings.Replace(string(op.Input), `"team/app"`, `"team/other"`, 1))
				if _, err := typ.Apply(config, op); err == nil {
					t.Errorf("%s of another policy: got no error", op.Name)
				}
			}
			if got := strings.Join(ops, " "); got != tc.want {
				t.Fatalf("operations: got %q, want %q", got, tc.want)
			}
			if len(changes) == 0 {
				return
			}
			if d := changes[0].Diff; tc.pruned != "" && !slices.Equal(d, []string{tc.pruned}) {
				t.Errorf("what goes: got %q, want %q", d, tc.pruned)
			}
			if p := config.(*policy.Policy); p.Default.Document != narrow || 1+len(p.Others) > policy.MostVersions {
				t.Errorf("after: got %+v", p)
			}
			for _, c := range changes {
				if done, _, err := typ.Effect(config, resource.Of(c)); err != nil || !done {
					t.Errorf("%s when all is done: shows %t, %v", c.Operation, done, err)
				}
			}
			for i, c := range slices.Backward(changes) {
				undo, err := resource.OfUndo(*c.Undo, outs[i])
				if err != nil {
					t.Fatal(err)
				}
				if done, _, err := typ.Effect(config, undo); err != nil || done {
					t.Errorf("undo of %s before: shows %t, %v", c.Operation, done, err)
				}
				if config, err = typ.Apply(config, undo); err != nil {
					t.Fatal(err)
				}
				if done, _, err := typ.Effect(config, undo); err != nil || !done {
					t.Errorf("undo of %s after: shows %t, %v", c.Operation, done, err)
				}
			}
			if d := cmp.Diff(want, canon(t, config)); d != "" {
				t.Errorf("undone (-before +now):\n%s", d)
			}
		})
	}
	unread := sample()
	unread.NotRead(policy.PartVersions)
	if _, err := unread.SetDocument(narrow); err == nil {
		t.Error("versions that are not known: got no error")
	}
}

// TestVersionMade: the output of a new version is the ID that IAM gave it.
func TestVersionMade(t *testing.T) {
	t.Parallel()
	p := sample()
	p.Others[0] = version(4, narrow)
	in := fmt.Sprintf(`{"policy":"team/app","document":%q}`, narrow)
	done, out, err := policy.Type().Effect(p, resource.Operation{Name: policy.CreateVersion, Version: 1, Input: []byte(in)})
	if want := map[string]string{"version": "v4"}; err != nil || !done || !cmp.Equal(out, want) {
		t.Errorf("got %t, %v, %v; want %v", done, out, err, want)
	}
}

// TestRefused: what IAM would refuse.
func TestRefused(t *testing.T) {
	t.Parallel()
	five := full(on(1), on(2), on(3), on(4))
	for name, tc := range map[string]struct {
		policy *policy.Policy
		op     string
		input  string
	}{
		"delete_what_is_in_force":  {sample(), policy.DeleteVersion, fmt.Sprintf(`{"policy":"team/app","document":%q}`, wide)},
		"delete_what_is_not_there": {sample(), policy.DeleteVersion, fmt.Sprintf(`{"policy":"team/app","document":%q,"version":"v1"}`, narrow)},
		"sixth_version":            {five, policy.CreateVersion, fmt.Sprintf(`{"policy":"team/app","document":%q}`, narrow)},
		"sixth_version_to_undo":    {five, policy.SetDefault, fmt.Sprintf(`{"policy":"team/app","document":%q,"expect":%q}`, narrow, wide)},
		"member_nobody_knows":      {sample(), policy.SetDefault, `{"policy":"team/app","document":"{}","force":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := policy.Type().Apply(tc.policy, resource.Operation{Name: tc.op, Version: 1, Input: []byte(tc.input)}); err == nil {
				t.Error("got no error")
			}
		})
	}
}

// TestCanon: what means the same is the same, and an unread part is never none.
func TestCanon(t *testing.T) {
	t.Parallel()
	want := canon(t, sample())
	for name, tc := range map[string]struct {
		edit func(*policy.Policy)
		same bool
	}{
		"order":             {func(p *policy.Policy) { slices.Reverse(p.Others) }, true},
		"ids":               {func(p *policy.Policy) { p.ID, p.Default.ID, p.Others[0].ID = "x", "v7", "v8" }, true},
		"indented":          {func(p *policy.Policy) { p.Others[0].Document = strings.ReplaceAll(older, "{", "{\n ") }, true},
		"holders":           {func(p *policy.Policy) { p.Holders, p.BoundaryOf = nil, []string{"x"} }, true},
		"around_not_read":   {func(p *policy.Policy) { p.Unread = []string{policy.PartAttached, policy.PartHolders, policy.PartUse} }, true},
		"versions_not_read": {func(p *policy.Policy) { p.NotRead(policy.PartVersions) }, false},
		"tags":              {func(p *policy.Policy) { p.Tags = nil }, false},
		"in_force":          {func(p *policy.Policy) { p.Default, p.Others[0] = p.Others[0], p.Default }, false},
		"version_gone":      {func(p *policy.Policy) { p.Others = p.Others[1:] }, false},
		"version_twice":     {func(p *policy.Policy) { p.Others = append(p.Others, p.Others[0]) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sample()
			tc.edit(p)
			if got := canon(t, p); (got == want) != tc.same {
				t.Errorf("same: got %t, want %t:\n%s", got == want, tc.same, got)
			}
		})
	}
}

// TestHolders: those who have it are what it is attached to, whose permissions it
// decides, and its neighbours, each of them once.
func TestHolders(t *testing.T) {
	t.Parallel()
	typ := policy.Type()
	var got []string
	for _, a := range typ.Attachments(sample()) {
		got = append(got, "attached to "+a.ID+" "+a.Name)
	}
	for _, p := range typ.Principals(sample()) {
		got = append(got, fmt.Sprintf("principal %s human %t %v %s used %t", p.Name, p.Human, p.Services, p.Granted.Format(time.DateOnly), p.Use != nil))
	}
	for _, n := range typ.Neighbours(sample()) {
		got = append(got, "neighbour "+n.Type+" "+n.ID)
	}
	want := []string{
		"attached to role/svc/web web", "attached to user/ann ann",
		"principal web human false [ec2.amazonaws.com] 2026-01-03 used false", "principal ann human true [] 2026-01-03 used true",
		"neighbour AWS::IAM::Role web", "neighbour AWS::IAM::User ann",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestHints: a call names the policy by its ARN; one of AWS's is none of ours.
func TestHints(t *testing.T) {
	t.Parallel()
	watch := cloudtrail.NewWatch(policy.Events())
	const app = "arn:aws-us-gov:iam::111122223333:policy/team/app"
	for name, tc := range map[string]struct{ call, request, answer, want string }{
		"made":          {"CreatePolicy", `{"policyName":"app"}`, `{"policy":{"arn":"` + app + `"}}`, "team/app"},
		"deleted":       {"DeletePolicy", `{"policyArn":"` + app + `"}`, `null`, "team/app"},
		"new_version":   {"CreatePolicyVersion", `{"policyArn":"` + app + `"}`, `null`, "team/app"},
		"version_gone":  {"DeletePolicyVersion", `{"policyArn":"` + app + `","versionId":"v1"}`, `null`, "team/app"},
		"default":       {"SetDefaultPolicyVersion", `{"policyArn":"` + app + `"}`, `null`, "team/app"},
		"tags":          {"TagPolicy", `{"policyArn":"` + app + `"}`, `null`, "team/app"},
		"attached":      {"AttachUserPolicy", `{"policyArn":"` + app + `","userName":"ann"}`, `null`, "team/app"},
		"detached":      {"DetachRolePolicy", `{"policyArn":"` + app + `","roleName":"web"}`, `null`, "team/app"},
		"of_aws":        {"AttachRolePolicy", `{"policyArn":"arn:aws-us-gov:iam::aws:policy/ReadOnlyAccess"}`, `null`, ""},
		"of_others":     {"DeletePolicy", `{"policyArn":"arn:aws-us-gov:iam::444455556666:policy/app"}`, `null`, "*"},
		"new_member":    {"AddUserToGroup", `{"groupName":"staff","userName":"ann"}`, `null`, "*"},
		"name_elided":   {"TagPolicy", `{"policyArn":"..."}`, `null`, "*"},
		"no_parameters": {"AttachGroupPolicy", `null`, `null`, "*"},
		"inline":        {"PutRolePolicy", `{"roleName":"web"}`, `null`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := cloudtrail.Record{Source: "iam.amazonaws.com", Name: tc.call, Account: "111122223333", Region: "us-gov-west-1", Partition: "aws-us-gov", Request: []byte(tc.request), Response: []byte(tc.answer)}
			var want []dera.Scope
			if tc.want != "" {
				want = []dera.Scope{{Partition: "aws-us-gov", Account: "111122223333", Region: dera.GlobalRegion, Type: policy.Name}}
			}
			if tc.want != "" && tc.want != "*" {
				want[0].IDs = []string{tc.want}
			}
			if d := cmp.Diff(want, watch.Hints(r)); d != "" {
				t.Errorf("hints (-want +got):\n%s", d)
			}
		})
	}
	for _, c := range watch.Calls() {
		if c.Region != dera.GlobalRegion {
			t.Errorf("%s: got the region %q, want the home of the partition", c.Name, c.Region)
		}
	}
	if doc := watch.Document(cloudtrail.Record{Source: "iam.amazonaws.com", Name: "CreatePolicyVersion", Request: []byte(`{"policyDocument":"{1}"}`)}); doc != "{1}" {
		t.Errorf("written document: got %q", doc)
	}
}
