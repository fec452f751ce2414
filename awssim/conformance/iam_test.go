package conformance_test

import (
	"fmt"
	"strings"
	"testing"

	"dera.example/dera/awssim/moto"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

const (
	docsEntities     = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html"
	docsQuotas       = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
	docsGroup        = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroup.html"
	docsDeletePolicy = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html"
)

// TestConformanceIAM holds IAM against moto.
func TestConformanceIAM(t *testing.T) {
	t.Parallel()
	server := moto.Start(t, moto.Config{})
	var ours, theirs fieldLog
	for _, r := range iamRows() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			compare(t, r, onAwssim(t, &ours), onMoto(t, server, &theirs))
		})
	}
}

// iamWorld is a world with a client of IAM and a policy, a role, a user and a group.
type iamWorld struct {
	*world
	*iam.Client
	policy, role, user, group *string
}

const trustEC2 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// allowOn is a document with characters that IAM encodes.
func allowOn(name string) *string {
	return aws.String(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::%s+é 100%%25/*"}]}`, name))
}

func (w *world) iam() *iamWorld {
	w.t.Helper()
	i := &iamWorld{world: w, Client: iam.NewFromConfig(w.config), role: aws.String("web"), user: aws.String("ann"), group: aws.String("staff")}
	made, err := i.CreatePolicy(w.ctx, &iam.CreatePolicyInput{PolicyName: aws.String("app"), Path: aws.String("/team/"), PolicyDocument: allowOn("one"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
	if err != nil {
		w.t.Fatal(err)
	}
	i.policy = made.Policy.Arn
	for _, err := range []error{
		second(i.CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: i.role, Path: aws.String("/svc/"), AssumeRolePolicyDocument: aws.String(trustEC2), MaxSessionDuration: aws.Int32(7200), PermissionsBoundary: i.policy})),
		second(i.CreateUser(w.ctx, &iam.CreateUserInput{UserName: i.user, Tags: []types.Tag{{Key: aws.String("c"), Value: aws.String("d")}}})),
		second(i.CreateGroup(w.ctx, &iam.CreateGroupInput{GroupName: i.group})),
		second(i.AddUserToGroup(w.ctx, &iam.AddUserToGroupInput{GroupName: i.group, UserName: i.user})),
	} {
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return i
}

func second[T any](_ T, err error) error { return err }

func (i *iamWorld) version(label string, text *string, inForce bool) {
	out, err := i.CreatePolicyVersion(i.ctx, &iam.CreatePolicyVersionInput{PolicyArn: i.policy, PolicyDocument: text, SetAsDefault: inForce})
	if err == nil {
		out.PolicyVersion.Document = nil // IAM does not repeat it, moto does
	}
	i.see(label)(out, err)
}

func iamRows() []row {
	return []row{
		{name: "policy", run: func(w *world) {
			i := w.iam()
			w.see("get")(i.GetPolicy(w.ctx, &iam.GetPolicyInput{PolicyArn: i.policy}))
			w.see("version")(i.GetPolicyVersion(w.ctx, &iam.GetPolicyVersionInput{PolicyArn: i.policy, VersionId: aws.String("v1")}))
			w.see("no_version")(i.GetPolicyVersion(w.ctx, &iam.GetPolicyVersionInput{PolicyArn: i.policy, VersionId: aws.String("v9")}))
			w.see("absent")(i.GetPolicy(w.ctx, &iam.GetPolicyInput{PolicyArn: aws.String(*i.policy + "x")}))
			w.see("again")(i.CreatePolicy(w.ctx, &iam.CreatePolicyInput{PolicyName: aws.String("app"), Path: aws.String("/team/"), PolicyDocument: allowOn("one")}))
			w.see("malformed")(i.CreatePolicy(w.ctx, &iam.CreatePolicyInput{PolicyName: aws.String("bad"), PolicyDocument: aws.String("{")}))
		}, differ: []difference{{"get", "moto does not count whose boundary it is: " + docsEntities}}},
		{name: "versions", run: func(w *world) {
			i := w.iam()
			i.version("second", allowOn("two"), false)
			i.version("third", allowOn("three"), true)
			list, err := i.ListPolicyVersions(w.ctx, &iam.ListPolicyVersionsInput{PolicyArn: i.policy})
			if err == nil {
				for n := range list.Versions {
					list.Versions[n].Document = nil // as above
				}
			}
			w.see("list")(list, err)
			i.version("fourth", allowOn("four"), false)
			i.version("fifth", allowOn("five"), false)
			i.version("sixth", allowOn("six"), false)
			w.see("delete_default")(i.DeletePolicyVersion(w.ctx, &iam.DeletePolicyVersionInput{PolicyArn: i.policy, VersionId: aws.String("v3")}))
			w.see("delete")(i.DeletePolicyVersion(w.ctx, &iam.DeletePolicyVersionInput{PolicyArn: i.policy, VersionId: aws.String("v1")}))
			w.see("delete_again")(i.DeletePolicyVersion(w.ctx, &iam.DeletePolicyVersionInput{PolicyArn: i.policy, VersionId: aws.String("v1")}))
			i.version("after_a_gap", allowOn("six"), false)
			w.see("set")(i.SetDefaultPolicyVersion(w.ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: i.policy, VersionId: aws.String("v2")}))
			w.see("set_absent")(i.SetDefaultPolicyVersion(w.ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: i.policy, VersionId: aws.String("v1")}))
			w.see("get")(i.GetPolicyVersion(w.ctx, &iam.GetPolicyVersionInput{PolicyArn: i.policy, VersionId: aws.String("v2")}))
		}},
		{name: "inline", run: func(w *world) {
			i := w.iam()
			name := aws.String("own")
			w.see("role_put")(i.PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: i.role, PolicyName: name, PolicyDocument: allowOn("r")}))
			w.see("role_get")(i.GetRolePolicy(w.ctx, &iam.GetRolePolicyInput{RoleName: i.role, PolicyName: name}))
			w.see("role_list")(i.ListRolePolicies(w.ctx, &iam.ListRolePoliciesInput{RoleName: i.role}))
			w.see("role_delete")(i.DeleteRolePolicy(w.ctx, &iam.DeleteRolePolicyInput{RoleName: i.role, PolicyName: name}))
			w.see("role_gone")(i.GetRolePolicy(w.ctx, &iam.GetRolePolicyInput{RoleName: i.role, PolicyName: name}))
			w.see("user_put")(i.PutUserPolicy(w.ctx, &iam.PutUserPolicyInput{UserName: i.user, PolicyName: name, PolicyDocument: allowOn("u")}))
			w.see("user_get")(i.GetUserPolicy(w.ctx, &iam.GetUserPolicyInput{UserName: i.user, PolicyName: name}))
			w.see("user_list")(i.ListUserPolicies(w.ctx, &iam.ListUserPoliciesInput{UserName: i.user}))
			w.see("group_put")(i.PutGroupPolicy(w.ctx, &iam.PutGroupPolicyInput{GroupName: i.group, PolicyName: name, PolicyDocument: allowOn("g")}))
			w.see("group_get")(i.GetGroupPolicy(w.ctx, &iam.GetGroupPolicyInput{GroupName: i.group, PolicyName: name}))
			w.see("group_list")(i.ListGroupPolicies(w.ctx, &iam.ListGroupPoliciesInput{GroupName: i.group}))
			w.see("of_nobody")(i.PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: aws.String("nobody"), PolicyName: name, PolicyDocument: allowOn("r")}))
			w.see("malformed")(i.PutUserPolicy(w.ctx, &iam.PutUserPolicyInput{UserName: i.user, PolicyName: name, PolicyDocument: aws.String("nonsense")}))
			w.see("delete_absent")(i.DeleteGroupPolicy(w.ctx, &iam.DeleteGroupPolicyInput{GroupName: i.group, PolicyName: aws.String("none")}))
		}},
		{name: "attached", run: func(w *world) {
			i := w.iam()
			w.see("role")(i.AttachRolePolicy(w.ctx, &iam.AttachRolePolicyInput{RoleName: i.role, PolicyArn: i.policy}))
			w.see("role_again")(i.AttachRolePolicy(w.ctx, &iam.AttachRolePolicyInput{RoleName: i.role, PolicyArn: i.policy}))
			w.see("user")(i.AttachUserPolicy(w.ctx, &iam.AttachUserPolicyInput{UserName: i.user, PolicyArn: i.policy}))
			w.see("group")(i.AttachGroupPolicy(w.ctx, &iam.AttachGroupPolicyInput{GroupName: i.group, PolicyArn: i.policy}))
			w.see("of_role")(i.ListAttachedRolePolicies(w.ctx, &iam.ListAttachedRolePoliciesInput{RoleName: i.role}))
			w.see("of_user")(i.ListAttachedUserPolicies(w.ctx, &iam.ListAttachedUserPoliciesInput{UserName: i.user}))
			w.see("of_group")(i.ListAttachedGroupPolicies(w.ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: i.group}))
			w.see("entities")(i.ListEntitiesForPolicy(w.ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: i.policy, PolicyUsageFilter: types.PolicyUsageTypePermissionsPolicy}))
			w.see("boundary_of")(i.ListEntitiesForPolicy(w.ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: i.policy, PolicyUsageFilter: types.PolicyUsageTypePermissionsBoundary}))
			w.see("detach")(i.DetachUserPolicy(w.ctx, &iam.DetachUserPolicyInput{UserName: i.user, PolicyArn: i.policy}))
			w.see("detach_again")(i.DetachUserPolicy(w.ctx, &iam.DetachUserPolicyInput{UserName: i.user, PolicyArn: i.policy}))
			w.see("absent")(i.AttachRolePolicy(w.ctx, &iam.AttachRolePolicyInput{RoleName: i.role, PolicyArn: aws.String(*i.policy + "x")}))
			w.see("delete_attached")(i.DeletePolicy(w.ctx, &iam.DeletePolicyInput{PolicyArn: i.policy}))
		}, differ: []difference{
			{"boundary_of", "moto takes no usage filter: " + docsEntities},
			{"delete_attached", "moto deletes what is attached: " + docsDeletePolicy},
		}},
		{name: "identities", run: func(w *world) {
			i := w.iam()
			w.see("role")(i.GetRole(w.ctx, &iam.GetRoleInput{RoleName: i.role}))
			w.see("user")(i.GetUser(w.ctx, &iam.GetUserInput{UserName: i.user}))
			w.see("group")(i.GetGroup(w.ctx, &iam.GetGroupInput{GroupName: i.group}))
			w.see("groups")(i.ListGroupsForUser(w.ctx, &iam.ListGroupsForUserInput{UserName: i.user}))
			w.see("roles")(i.ListRoles(w.ctx, &iam.ListRolesInput{}))
			w.see("trust")(i.UpdateAssumeRolePolicy(w.ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: i.role, PolicyDocument: aws.String(strings.ReplaceAll(trustEC2, "ec2", "lambda"))}))
			out, err := i.GetRole(w.ctx, &iam.GetRoleInput{RoleName: i.role})
			if err != nil {
				w.t.Fatal(err)
			}
			w.fact("trust_now", out.Role.AssumeRolePolicyDocument)
			w.see("no_role")(i.GetRole(w.ctx, &iam.GetRoleInput{RoleName: aws.String("nobody")}))
			w.see("no_user")(i.GetUser(w.ctx, &iam.GetUserInput{UserName: aws.String("nobody")}))
			w.see("no_group")(i.GetGroup(w.ctx, &iam.GetGroupInput{GroupName: aws.String("nobody")}))
			w.see("left")(i.RemoveUserFromGroup(w.ctx, &iam.RemoveUserFromGroupInput{GroupName: i.group, UserName: i.user}))
			w.see("group_now")(i.GetGroup(w.ctx, &iam.GetGroupInput{GroupName: i.group}))
		}, differ: []difference{{"group", "moto tells the tags of members, IAM of none that it lists: " + docsGroup}}},
		{name: "walk", run: func(w *world) {
			i := w.iam()
			for _, err := range []error{
				second(i.AttachRolePolicy(w.ctx, &iam.AttachRolePolicyInput{RoleName: i.role, PolicyArn: i.policy})),
				second(i.PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: i.role, PolicyName: aws.String("own"), PolicyDocument: allowOn("r")})),
				second(i.PutUserPolicy(w.ctx, &iam.PutUserPolicyInput{UserName: i.user, PolicyName: aws.String("own"), PolicyDocument: allowOn("u")})),
			} {
				if err != nil {
					w.t.Fatal(err)
				}
			}
			out, err := i.GetAccountAuthorizationDetails(w.ctx, &iam.GetAccountAuthorizationDetailsInput{})
			if err != nil {
				w.t.Fatal(err)
			}
			w.fact("users", out.UserDetailList)
			w.fact("groups", out.GroupDetailList)
			w.fact("roles", out.RoleDetailList)
			for n := range out.Policies { // what moto leaves out, and counts otherwise
				p := &out.Policies[n]
				p.PolicyName, p.PolicyId, p.AttachmentCount, p.PermissionsBoundaryUsageCount = nil, nil, nil, nil
			}
			w.fact("policies", out.Policies)
			some, err := i.GetAccountAuthorizationDetails(w.ctx, &iam.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{types.EntityTypeUser}})
			if err != nil {
				w.t.Fatal(err)
			}
			w.fact("filtered", []int{len(some.UserDetailList), len(some.RoleDetailList), len(some.GroupDetailList), len(some.Policies)})
		}},
		{name: "quotas", run: func(w *world) {
			i := w.iam()
			long := allowOn(strings.Repeat("x", 6144))
			i.version("policy", long, false)
			w.see("user")(i.PutUserPolicy(w.ctx, &iam.PutUserPolicyInput{UserName: i.user, PolicyName: aws.String("own"), PolicyDocument: long}))
		}, differ: []difference{{"policy", "moto takes any size: " + docsQuotas}, {"user", "moto takes any size: " + docsQuotas}}},
	}
}
