package recorded_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam/policy"
	"dera.example/dera/services/iam/recorded"
	"dera.example/dera/services/iam/role"
)

const account = "111122223333"

var begin = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// doc allows some actions.
func doc(actions ...string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"*"}]}`
}

// call is a call of IAM, so many minutes after the begin, with pairs of parameters.
func call(minutes int, name string, parameters ...string) cloudtrail.Call {
	request := map[string]any{}
	for i := 0; i < len(parameters); i += 2 {
		request[parameters[i]] = parameters[i+1]
	}
	raw, err := json.Marshal(request)
	if err != nil {
		panic(err) // a map of texts
	}
	r := cloudtrail.Record{Source: "iam.amazonaws.com", Name: name, Account: account, Partition: "aws", Time: begin.Add(time.Duration(minutes) * time.Minute), Request: raw}
	if name == "CreatePolicy" {
		r.Response = json.RawMessage(fmt.Sprintf(`{"policy":{"arn":%q}}`, arnOf(request["policyName"].(string))))
	}
	if id, ok := request["versionId"].(string); ok && name == "CreatePolicyVersion" {
		r.Response = json.RawMessage(fmt.Sprintf(`{"policyVersion":{"versionId":%q}}`, id))
	}
	return r.Call()
}

func arnOf(name string) string { return "arn:aws:iam::" + account + ":policy/" + name }

func roleARN(name string) string { return "arn:aws:iam::" + account + ":role/" + name }

// TestApply: what principals may do follows the calls; what these do not tell is not known.
func TestApply(t *testing.T) {
	t.Parallel()
	user := "arn:aws:iam::" + account + ":user/eva"
	tests := []struct {
		name  string
		who   string
		calls []cloudtrail.Call
		want  string // actions of the policies
		known bool
		lost  int
	}{
		{"made_with_a_policy", roleARN("app"), []cloudtrail.Call{
			call(0, "CreateRole", "roleName", "app"), call(1, "PutRolePolicy", "roleName", "app", "policyName", "own", "policyDocument", doc("a:B")),
		}, "a:B", true, 0},
		{"replaced_and_taken_away", roleARN("app"), []cloudtrail.Call{
			call(0, "CreateRole", "roleName", "app"), call(1, "PutRolePolicy", "roleName", "app", "policyName", "own", "policyDocument", doc("a:B")),
			call(2, "PutRolePolicy", "roleName", "app", "policyName", "own", "policyDocument", doc("c:D")), call(3, "PutRolePolicy", "roleName", "app", "policyName", "more", "policyDocument", url.PathEscape(doc("e:F"))),
			call(4, "DeleteRolePolicy", "roleName", "app", "policyName", "own"),
		}, "e:F", true, 0},
		{"by_groups_and_managed_policies", user, []cloudtrail.Call{
			call(0, "CreateUser", "userName", "eva"), call(0, "CreateGroup", "groupName", "ops"), call(1, "AddUserToGroup", "userName", "eva", "groupName", "ops"),
			call(2, "CreatePolicy", "policyName", "shared", "policyDocument", doc("a:B")), call(3, "AttachGroupPolicy", "groupName", "ops", "policyArn", arnOf("shared")),
			call(4, "UpdateGroup", "groupName", "ops", "newGroupName", "operators"), call(5, "PutGroupPolicy", "groupName", "operators", "policyName", "own", "policyDocument", doc("c:D")),
		}, "a:B c:D", true, 0},
		{"left_the_group", user, []cloudtrail.Call{
			call(0, "CreateUser", "userName", "eva"), call(0, "CreateGroup", "groupName", "ops"), call(1, "AddUserToGroup", "userName", "eva", "groupName", "ops"),
			call(2, "PutGroupPolicy", "groupName", "ops", "policyName", "own", "policyDocument", doc("c:D")), call(3, "RemoveUserFromGroup", "userName", "eva", "groupName", "ops"),
		}, "", true, 0},
		{"versions", roleARN("app"), []cloudtrail.Call{
			call(0, "CreateRole", "roleName", "app"), call(1, "CreatePolicy", "policyName", "shared", "policyDocument", doc("a:B")), call(2, "AttachRolePolicy", "roleName", "app", "policyArn", arnOf("shared")),
			call(3, "CreatePolicyVersion", "policyArn", arnOf("shared"), "policyDocument", doc("c:D"), "setAsDefault", "true", "versionId", "v2"),
			call(4, "CreatePolicyVersion", "policyArn", arnOf("shared"), "policyDocument", doc("e:F"), "versionId", "v3"),
			call(5, "SetDefaultPolicyVersion", "policyArn", arnOf("shared"), "versionId", "v1"), call(6, "DeletePolicyVersion", "policyArn", arnOf("shared"), "versionId", "v2"),
		}, "a:B", true, 0},
		{"version_that_nobody_knows", roleARN("app"), []cloudtrail.Call{
			call(0, "CreateRole", "roleName", "app"), call(1, "AttachRolePolicy", "roleName", "app", "policyArn", arnOf("old")), call(2, "SetDefaultPolicyVersion", "policyArn", arnOf("old"), "versionId", "v4"),
		}, "", false, 1},
		{"from_before_the_record", roleARN("old"), []cloudtrail.Call{call(1, "PutRolePolicy", "roleName", "old", "policyName", "own", "policyDocument", doc("a:B"))}, "a:B", false, 0},
		{"without_its_document", roleARN("app"), []cloudtrail.Call{call(0, "CreateRole", "roleName", "app"), call(1, "PutRolePolicy", "roleName", "app", "policyName", "own")}, "", false, 1},
		{"replaced_within_a_second", roleARN("app"), []cloudtrail.Call{
			call(0, "CreateRole", "roleName", "app"), call(1, "PutRolePolicy", "roleName", "app", "policyName", "own", "policyDocument", doc("a:B")), call(1, "DeleteRolePolicy", "roleName", "app", "policyName", "own"),
		}, "", false, 1},
		{"replaced_within_a_second_and_put_later", roleARN("app"), []cloudtrail.Call{
			call(0, "CreateRole", "roleName", "app"), call(1, "PutRolePolicy", "roleName", "app", "policyName", "own", "policyDocument", doc("a:B")), call(1, "DeleteRolePolicy", "roleName", "app", "policyName", "own"),
			call(2, "PutRolePolicy", "roleName", "app", "policyName", "own", "policyDocument", doc("c:D")),
		}, "c:D", true, 1},
		{"attached_again_within_a_second", roleARN("app"), []cloudtrail.Call{
			call(0, "CreateRole", "roleName", "app"), call(0, "CreatePolicy", "policyName", "shared", "policyDocument", doc("a:B")), call(1, "AttachRolePolicy", "roleName", "app", "policyArn", arnOf("shared")), call(1, "DetachRolePolicy", "roleName", "app", "policyArn", arnOf("shared")),
		}, "", false, 1},
		{"joined_and_left_within_a_second", user, []cloudtrail.Call{
			call(0, "CreateUser", "userName", "eva"), call(0, "CreateGroup", "groupName", "ops"), call(1, "AddUserToGroup", "userName", "eva", "groupName", "ops"), call(1, "RemoveUserFromGroup", "userName", "eva", "groupName", "ops"),
		}, "", false, 1},
		{"made_again", roleARN("app"), []cloudtrail.Call{
			call(0, "PutRolePolicy", "roleName", "app", "policyName", "own", "policyDocument", doc("a:B")), call(1, "DeleteRole", "roleName", "app"), call(2, "CreateRole", "roleName", "app"),
		}, "", true, 0},
		{"renamed", "arn:aws:iam::" + account + ":user/ann", []cloudtrail.Call{
			call(0, "CreateUser", "userName", "eva"), call(1, "PutUserPolicy", "userName", "eva", "policyName", "own", "policyDocument", doc("a:B")), call(2, "UpdateUser", "userName", "eva", "newUserName", "ann", "newPath", "/team/"),
		}, "a:B", true, 0},
		{"detached", roleARN("app"), []cloudtrail.Call{
			call(0, "CreateRole", "roleName", "app"), call(1, "AttachRolePolicy", "roleName", "app", "policyArn", arnOf("old")), call(2, "DetachRolePolicy", "roleName", "app", "policyArn", arnOf("old")),
		}, "", true, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, lost := recorded.New("aws", account), 0
			for _, c := range tt.calls {
				if err := a.Apply(c); err != nil {
					lost++
				}
			}
			texts, known := a.Texts(tt.who, begin.Add(time.Hour))
			if got := actionsOf(t, texts); got != tt.want || known != tt.known || lost != tt.lost {
				t.Errorf("got %q, known %t, %d calls not followed; want %q, %t, %d", got, known, lost, tt.want, tt.known, tt.lost)
			}
			if unknown := a.Unknown(begin.Add(time.Hour)); slices.ContainsFunc(unknown, func(arn string) bool { return dera.ARN(arn).Name() == dera.ARN(tt.who).Name() }) == tt.known {
				t.Errorf("got the principals %v that are not known, want it there: %t", unknown, !tt.known)
			}
		})
	}
}

// actionsOf are the actions that texts allow.
func actionsOf(t *testing.T, texts []string) string {
	t.Helper()
	var out []string
	for _, text := range texts {
		if text == "" {
			continue
		}
		var d struct{ Statement []struct{ Action []string } }
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, s := range d.Statement {
			out = append(out, s.Action...)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// loaded is an account with what IAM said of it: a role, with a policy of its own and a shared one.
func loaded(t *testing.T) *recorded.Account {
	t.Helper()
	a, err := recorded.Load(strings.NewReader(fmt.Sprintf(`{"RoleDetailList":[{"Path":"/team/","RoleName":"app","Arn":"arn:aws:iam::%[1]s:role/team/app","CreateDate":"2020-01-01T00:00:00+00:00",
		"AssumeRolePolicyDocument":{},"RolePolicyList":[{"PolicyName":"own","PolicyDocument":%[2]s}],"AttachedManagedPolicies":[{"PolicyArn":%[3]q}],"Tags":[{"Key":"team","Value":"a"}],"PermissionsBoundary":{"PermissionsBoundaryArn":%[3]q}}],
		"Policies":[{"PolicyName":"shared","Path":"/","Arn":%[3]q,"DefaultVersionId":"v1","CreateDate":"2020-01-01T00:00:00Z","PolicyVersionList":[{"VersionId":"v1","CreateDate":"2020-01-01T00:00:00Z","Document":%[4]q}]}]}`,
		account, doc("a:B"), arnOf("shared"), url.PathEscape(doc("c:D")))))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestBefore: IAM said how things were after the calls; before each of them they are as they
// were before it, as far as it tells, and else not known.
func TestBefore(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		call   cloudtrail.Call
		before string
		known  bool
		after  string
	}{
		{"nothing_changed", call(1, "CreateUser", "userName", "eva"), "a:B c:D", true, "a:B c:D"},
		{"policy_was_put", call(1, "PutRolePolicy", "roleName", "app", "policyName", "own", "policyDocument", doc("a:B")), "a:B c:D", false, "a:B c:D"},
		{"policy_was_taken_away", call(1, "DeleteRolePolicy", "roleName", "app", "policyName", "other"), "a:B c:D", false, "a:B c:D"},
		{"policy_was_attached", call(1, "AttachRolePolicy", "roleName", "app", "policyArn", arnOf("shared")), "a:B", true, "a:B c:D"},
		{"policy_was_detached", call(1, "DetachRolePolicy", "roleName", "app", "policyArn", arnOf("old")), "a:B c:D", false, "a:B c:D"},
		{"version_was_put_in_force", call(1, "CreatePolicyVersion", "policyArn", arnOf("shared"), "policyDocument", doc("c:D"), "setAsDefault", "true", "versionId", "v1"), "a:B", false, "a:B c:D"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := loaded(t)
			a.Before([]cloudtrail.Call{tt.call})
			texts, known := a.Texts(roleARN("app"), begin)
			if got := actionsOf(t, texts); got != tt.before || known != tt.known {
				t.Errorf("before: got %q, known %t; want %q, %t", got, known, tt.before, tt.known)
			}
			if err := a.Apply(tt.call); err != nil {
				t.Fatal(err)
			}
			texts, known = a.Texts(roleARN("app"), begin.Add(time.Hour))
			if got := actionsOf(t, texts); got != tt.after || !known {
				t.Errorf("after: got %q, known %t; want %q, true", got, known, tt.after)
			}
		})
	}
	t.Run("it_was_made", func(t *testing.T) {
		t.Parallel()
		a := loaded(t)
		a.Before([]cloudtrail.Call{call(1, "CreateRole", "roleName", "app")})
		if got := a.Principals(begin); len(got) > 0 {
			t.Errorf("got the principals %v, want none", got)
		}
	})
}

// TestResources: what was rebuilt is judged as what is read, and a plan changes it and not its
// copy.
func TestResources(t *testing.T) {
	t.Parallel()
	a := loaded(t)
	was := a.Copy()
	arn := "arn:aws:iam::" + account + ":role/team/app"
	used := map[string]resource.Use{arn: {From: begin, To: begin.AddDate(0, 0, 90)}}
	now := begin.AddDate(0, 0, 90)
	list := a.Resources(now, used)
	if len(list) != 2 || list[0].Type != policy.Name || list[1].Type != role.Name || string(list[1].ARN) != arn {
		t.Fatalf("got %+v, want the policy and the role", list)
	}
	p, r := list[0].Config.(*policy.Policy), list[1].Config.(*role.Role)
	if len(p.Holders) != 1 || p.Holders[0].ARN != arn || p.Holders[0].Use == nil || len(p.Holders[0].Beside) != 1 || len(p.BoundaryOf) != 1 || len(p.Unread) > 0 {
		t.Errorf("policy: got %+v, want the role with its own policy beside", p)
	}
	if r.Use == nil || len(r.Inline) != 1 || len(r.Attached) != 1 || r.Attached[0].Document == "" || r.Tags["team"] != "a" || len(r.Unread) > 0 {
		t.Errorf("role: got %+v, want it with its policies and its use", r)
	}
	changes, err := p.SetDocument(doc("c:E"))
	if err != nil {
		t.Fatal(err)
	}
	after, err := policy.Type().ApplyPlan(p, dera.Plan{Changes: changes})
	if err != nil {
		t.Fatal(err)
	}
	a.Take(list[0], after)
	for at, want := range map[*recorded.Account]string{a: "a:B c:E", was: "a:B c:D"} {
		if texts, _ := at.Texts(arn, now); actionsOf(t, texts) != want {
			t.Errorf("got %q, want %q", actionsOf(t, texts), want)
		}
	}
	unknown := a.Copy()
	unknown.Before([]cloudtrail.Call{call(0, "PutRolePolicy", "roleName", "app", "policyName", "own", "policyDocument", doc("a:B"))})
	for _, r := range unknown.Resources(now, used) {
		for _, c := range append(role.Controls(), policy.Controls()...) {
			if c.Type != r.Type || !strings.HasSuffix(c.ID, "-unused-permissions") {
				continue
			}
			if res, err := c.Check(r, control.Settings{}); err != nil || res.Outcome != control.UnknownResult {
				t.Errorf("%s of what is not known: got %v, %v, want unknown", c.ID, res.Outcome, err)
			}
		}
	}
}

// TestTags: tags follow the calls, as guardrails go by them.
func TestTags(t *testing.T) {
	t.Parallel()
	a := recorded.New("aws", account)
	tagged := func(minutes int, name, request string) {
		c := cloudtrail.Record{Source: "iam.amazonaws.com", Name: name, Account: account, Time: begin.Add(time.Duration(minutes) * time.Minute), Request: json.RawMessage(request)}
		if err := a.Apply(c.Call()); err != nil {
			t.Fatal(err)
		}
	}
	tagged(0, "CreateRole", `{"roleName":"app","tags":[{"key":"team","value":"pay"},{"key":"stage","value":"prod"}]}`)
	tagged(1, "TagRole", `{"roleName":"app","tags":[{"key":"team","value":"ops"}]}`)
	tagged(2, "UntagRole", `{"roleName":"app","tagKeys":["stage"]}`)
	list := a.Resources(begin.Add(time.Hour), nil)
	if len(list) != 1 || len(list[0].Tags) != 1 || list[0].Tags["team"] != "ops" {
		t.Errorf("got %+v, want the role with the tag team=ops", list)
	}
}

// TestLoadFaults: what is no answer of IAM, or not all of it, is refused.
func TestLoadFaults(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":                 ``,
		"no_identity":           `{"Policies":[]}`,
		"not_json":              `version: 1`,
		"a_page_is_missing":     `{"UserDetailList":[{"UserName":"eva","Arn":"arn:aws:iam::111122223333:user/eva"}],"IsTruncated":true}`,
		"two_accounts":          `{"UserDetailList":[{"UserName":"eva","Arn":"arn:aws:iam::111122223333:user/eva"},{"UserName":"eva","Arn":"arn:aws:iam::444455556666:user/eva"}]}`,
		"arn_of_another":        `{"UserDetailList":[{"UserName":"eva","Path":"/x/","Arn":"arn:aws:iam::111122223333:user/eva"}]}`,
		"no_account":            `{"UserDetailList":[{"UserName":"eva"}]}`,
		"document_is_no_object": `{"UserDetailList":[{"UserName":"eva","Arn":"arn:aws:iam::111122223333:user/eva","UserPolicyList":[{"PolicyName":"own","PolicyDocument":"%5B%5D"}]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if a, err := recorded.Load(strings.NewReader(text)); err == nil {
				t.Errorf("got %+v, want an error", a)
			}
		})
	}
}
