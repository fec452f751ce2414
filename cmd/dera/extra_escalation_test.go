package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/app"
)

// recordedIdentity is an identity of the recorded state of an environment.
type recordedIdentity struct {
	ARN       string `json:"Arn"`
	GroupList []string
	Attached  []struct {
		ARN string `json:"PolicyArn"`
	} `json:"AttachedManagedPolicies"`
}

// holders are those who have each policy of an environment, as “role app”; of a group its
// users.
func holders(t *testing.T, env string) map[string][]string {
	t.Helper()
	states := extraLines[struct {
		Details struct{ RoleDetailList, UserDetailList, GroupDetailList []recordedIdentity } `json:"iam.AccountAuthorizationDetails"`
	}](t, "envs", env+".state.json.gz")
	if len(states) != 1 {
		t.Fatalf("%s: got %d states, want one", env, len(states))
	}
	d := states[0].Details
	groups, out := map[string][]string{}, map[string][]string{}
	for _, g := range d.GroupDetailList {
		for _, p := range g.Attached {
			groups[dera.ARN(g.ARN).Name()] = append(groups[dera.ARN(g.ARN).Name()], dera.ARN(p.ARN).Name())
		}
	}
	for _, x := range slices.Concat(d.RoleDetailList, d.UserDetailList) {
		kind, _, _ := strings.Cut(dera.ARN(x.ARN).Resource(), "/")
		var has []string
		for _, p := range x.Attached {
			has = append(has, dera.ARN(p.ARN).Name())
		}
		for _, g := range x.GroupList {
			has = append(has, groups[g]...)
		}
		for _, p := range has {
			out[p] = append(out[p], kind+" "+dera.ARN(x.ARN).Name())
		}
	}
	return out
}

// found are the findings of a control on identities and policies that were made, as “role
// app”, by the end of its ID.
func foundOn(r app.ScanReport, made map[string]bool, controls ...string) map[string]bool {
	out := map[string]bool{}
	for _, f := range r.Findings {
		kind, which, _ := strings.Cut(strings.TrimPrefix(f.Control, "iam-"), "-")
		if made[f.ResourceName] && slices.Contains(controls, which) {
			out[kind+" "+f.ResourceName] = true
		}
	}
	return out
}

// powers compares what the labels and another scanner say of administrators and of ways to
// more permissions.
func powers(t *testing.T, expected map[string]environment, made map[string]map[string]bool, r app.ScanReport) {
	t.Helper()
	admins := newScore("Administrators of misconfigured accounts, built in moto", administratorDiffers)
	direct := newScore("Users with policies of their own there", nil)
	passing := newScore("Policies there that pass any role", passRoleDiffers)
	ways := newScore("Labelled ways to more permissions, built in moto", escalationDiffers)
	theirs := newScore("Prowler's verdicts on administrators and escalation there", prowlerDiffers)
	for _, env := range sortedKeys(expected) {
		has := holders(t, env)
		admin := foundOn(r, made[env], "administrator")
		strong := union(admin, foundOn(r, made[env], "escalation"))
		byPolicy := func(policy string) bool {
			return strong["policy "+policy] || slices.ContainsFunc(has[policy], func(who string) bool { return strong[who] })
		}
		want, own := map[string]bool{}, map[string]bool{}
		for _, f := range expected[env].Findings {
			parts := strings.Split(f.Resource, "/")
			switch f.Kind {
			case "iam-admin-star", "iam-service-star", "iam-notaction-allow":
				want[parts[0]+" "+parts[1]] = true
			case "iam-role-admin":
				want["role "+f.Resource] = true
			case "iam-user-attached-policy", "iam-user-inline-policy":
				own["user "+f.Resource] = true
			case "iam-passrole-star":
				passing.cases++
				passing.judge(env+" "+f.Resource, true, byPolicy(parts[1]) || strong["role "+parts[1]])
			}
		}
		admins.both(env, want, admin)
		direct.both(env, own, foundOn(r, made[env], "direct-policies"))
		theirs.ofPolicies(t, env, byPolicy, strong)
	}
	strong := foundOn(r, made["iam-vulnerable"], "administrator", "escalation")
	text, err := os.ReadFile(extraData(t, "iam", "iam_vulnerable_labels.json"))
	if err != nil {
		t.Fatal(err)
	}
	var labels struct {
		Cases []struct {
			Case, Label  string
			Users, Roles []string
		}
	}
	if err := json.Unmarshal(text, &labels); err != nil {
		t.Fatal(err)
	}
	for _, c := range labels.Cases {
		ways.cases++
		for _, u := range c.Users {
			ways.judge("user "+u, strings.HasPrefix(c.Label, "privesc"), strong["user "+u])
		}
		for _, u := range c.Roles {
			ways.judge("role "+u, strings.HasPrefix(c.Label, "privesc"), strong["role "+u])
		}
	}
	for _, s := range []*score{admins, direct, passing, ways, theirs} {
		s.done(t)
	}
}

// ofPolicies compares with a scanner that says so of policies, and of identities with
// policies of their own. It was run on some of the accounts.
func (s *score) ofPolicies(t *testing.T, env string, byPolicy func(string) bool, strong map[string]bool) {
	t.Helper()
	text, err := os.ReadFile(extraData(t, "envs", env+".prowler.json"))
	if os.IsNotExist(err) {
		return
	}
	var theirs struct {
		Findings []struct{ Check, Resource string }
	}
	if err == nil {
		err = json.Unmarshal(text, &theirs)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.cases++
	for _, f := range theirs.Findings {
		if !strings.HasSuffix(f.Check, "administrative_privileges") && !strings.HasSuffix(f.Check, "privilege_escalation") {
			continue
		}
		kind, _, _ := strings.Cut(dera.ARN(f.Resource).Resource(), "/")
		name := dera.ARN(f.Resource).Name()
		s.judge(env+" "+f.Check+" "+name, true, strong[kind+" "+name] || kind == "policy" && byPolicy(name))
	}
}

const (
	denied    = "miss: the same policy denies what it allows"
	whoHasIt  = "alarm: the label names the policy, dera names who has it too"
	otherKind = "miss: it can make others stronger, but it is none of these, and can become none: it has no credentials of theirs, and no role trusts it"
)

// administratorDiffers says why dera's verdict on administrators is not the label's.
var administratorDiffers = map[string]string{
	"cloudgoat-beanstalk_secrets user cg01_admin_user":                 whoHasIt,
	"cloudgoat-iam_privesc_by_attachment role cg-ec2-mighty-role-cg01": whoHasIt,
	"iam-vulnerable group privesc-sre-group":                           whoHasIt,
	"iam-vulnerable role privesc-sre-role":                             whoHasIt,
	"iam-vulnerable user privesc-sre-user":                             whoHasIt,
	"iam-vulnerable role fn4-exploitableNotAction-role":                whoHasIt,
	"iam-vulnerable user fn4-exploitableNotAction-user":                whoHasIt,
	"iam-vulnerable role privesc-AssumeRole-ending-role":               whoHasIt,
	"iam-vulnerable role privesc-high-priv-service-role":               whoHasIt,
	"sadcloud group sadcloud_superuser":                                whoHasIt,
	"iam-vulnerable policy fp1-allow-and-deny":                         denied,
}

// passRoleDiffers says why nobody is found who has a policy that passes any role.
var passRoleDiffers = map[string]string{
	"cloudgoat-s3_version_rollback_via_cfn role/CloudFormationRole-cg01/CloudFormationInlinePolicy-cg01": "miss: it may make functions, but nothing that runs one (lambda:InvokeFunction, an event source, a permission)",
	"iam-vulnerable policy/fp1-allow-and-deny":                                                           denied,
}

// escalationDiffers says why dera's verdict on ways to more permissions is not the label's.
var escalationDiffers = map[string]string{
	"role privesc7-AttachUserPolicy-role":  otherKind,
	"role privesc8-AttachGroupPolicy-role": otherKind,
	"user privesc9-AttachRolePolicy-user":  otherKind,
	"user privesc12-PutRolePolicy-user":    otherKind,
}

// prowlerDiffers says why dera's verdict on a policy is not the scanner's.
var prowlerDiffers = map[string]string{
	"iam-vulnerable iam_policy_allows_privilege_escalation fp4-nonExploitableResourceConstraint":  "miss: the policies that it may change are AWS's, which nobody may",
	"iam-vulnerable iam_policy_allows_privilege_escalation fp5-nonExploitableConditionConstraint": "miss: for sessions from before 2020 alone, of which none runs",
}
