package eval

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/iam/policy"
)

// The shapes in which IAMSpy records accounts.
type (
	spyInline struct{ PolicyDocument json.RawMessage }
	spyEntity struct {
		Arn                     string
		RolePolicyList          []spyInline
		UserPolicyList          []spyInline
		AttachedManagedPolicies []struct{ PolicyArn string }
		PermissionsBoundary     *struct{ PermissionsBoundaryArn string }
	}
	spyAccount struct {
		UserDetailList, RoleDetailList []spyEntity
		Policies                       []struct {
			Arn               string
			PolicyVersionList []struct {
				Document         json.RawMessage
				IsDefaultVersion bool
			}
		}
	}
	spyResource struct {
		Resource, Account string
		Policy            json.RawMessage
	}
	spyNode struct {
		ID, Arn  string
		Policies []struct{ Content json.RawMessage }
		Children []spyNode
	}
	spyFiles struct {
		Gaads     []spyAccount
		Resources [][]spyResource
		Scps      []spyNode
	}
)

func TestExtra_decisions_iamspy(t *testing.T) {
	t.Parallel()
	var file struct {
		Cases []struct {
			ID, Fn   string
			Input    []json.RawMessage
			Expected json.RawMessage
			Files    spyFiles
		}
	}
	extraFile(t, "decisions_iamspy.json", &file)
	var cases []extraCase
	for _, c := range file.Cases {
		if c.Fn == "test_can_i" {
			ask := spyQuestion(t, c.Input[1:])
			got := words(c.Files.can(t, text(t, c.Input[0]), ask.resources[0], ask))
			cases = append(cases, extraCase{c.ID, got, map[string]string{"true": "yes", "false": "no"}[string(c.Expected)]})
			continue
		}
		cases = append(cases, extraCase{c.ID, c.Files.who(t, c.Fn, spyQuestion(t, c.Input)), spyNames(t, c.Expected)})
	}
	report(t, "decisions_iamspy.json", cases, nil)
}

// spyAsk is one question. Without strict it is whether some context exists
// with which the request is allowed.
type spyAsk struct {
	action    string
	resources []string
	context   Context
	strict    bool
}

// spyQuestion reads action, resources, [key=value ...], _, strict.
func spyQuestion(t *testing.T, args []json.RawMessage) spyAsk {
	t.Helper()
	ask := spyAsk{action: text(t, args[0]), context: Context{}}
	var resources looseList
	if err := json.Unmarshal(args[1], &resources); err != nil {
		t.Fatal(err)
	}
	ask.resources = resources
	if len(args) > 2 {
		var pairs []string
		if err := json.Unmarshal(args[2], &pairs); err != nil {
			t.Fatal(err)
		}
		for _, pair := range pairs {
			key, value, _ := strings.Cut(pair, "=")
			ask.context[key] = []string{value}
		}
	}
	ask.strict = len(args) > 4 && string(args[4]) == "true"
	return ask
}

// can asks for one principal and resource.
func (f *spyFiles) can(t *testing.T, principal, resource string, ask spyAsk) bool {
	t.Helper()
	for i := range f.Gaads {
		account := &f.Gaads[i]
		for _, e := range slices.Concat(account.UserDetailList, account.RoleDetailList) {
			if e.Arn == principal {
				in := f.input(t, account, e, resource)
				in.Request.Action, in.Request.Context = ask.action, ask.context
				return in.Decide() == Allowed || !ask.strict && len(ask.context) == 0 && someContext(in)
			}
		}
	}
	return false
}

// someContext reports whether a context made of the values of the identity
// policies' own conditions gets the request through: enough for these cases,
// whose conditions are all positive.
func someContext(in *Input) bool {
	context := Context{}
	for i := range in.Identity.statements {
		for j := range in.Identity.statements[i].conditions {
			c := &in.Identity.statements[i].conditions[j]
			if st, ok := c.test.(*stringTest); ok {
				context[c.key.lower] = st.exact
			}
		}
	}
	in.Request.Context = context
	return in.Decide() == Allowed
}

// who lists the principals, or pairs of principal and resource, that can.
func (f *spyFiles) who(t *testing.T, fn string, ask spyAsk) string {
	t.Helper()
	var found []string
	for i := range f.Gaads {
		for _, e := range slices.Concat(f.Gaads[i].UserDetailList, f.Gaads[i].RoleDetailList) {
			for _, r := range ask.resources {
				switch {
				case !f.can(t, e.Arn, r, ask):
				case fn == "test_who_can":
					found = append(found, e.Arn)
				default:
					found = append(found, e.Arn+" "+r)
				}
			}
		}
	}
	slices.Sort(found)
	return strings.Join(found, ", ")
}

// spyNames reads the expected principals or pairs.
func spyNames(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var entries []looseList
	if err := json.Unmarshal(raw, &entries); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.Join(e, " "))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func (f *spyFiles) input(t *testing.T, account *spyAccount, e spyEntity, resource string) *Input {
	t.Helper()
	in := &Input{Request: Request{Principal: Principal{ARN: e.Arn}, Resource: resource}}
	var docs []json.RawMessage
	for _, p := range slices.Concat(e.RolePolicyList, e.UserPolicyList) {
		docs = append(docs, p.PolicyDocument)
	}
	for _, p := range e.AttachedManagedPolicies {
		docs = append(docs, account.managed(t, p.PolicyArn))
	}
	in.Identity = Compile(parseAll(t, docs...)...)
	if b := e.PermissionsBoundary; b != nil {
		in.Boundary = Compile(parseAll(t, account.managed(t, b.PermissionsBoundaryArn))...)
	}
	for _, r := range slices.Concat(f.Resources...) {
		if resource == r.Resource || strings.HasPrefix(resource, r.Resource+"/") {
			in.Resource = Compile(parseAll(t, r.Policy)...)
			in.ResourceAccount = r.Account
		}
	}
	_, id, _ := splitARN(e.Arn)
	for _, root := range f.Scps {
		in.SCPs = append(in.SCPs, root.levels(t, id)...)
		_, in.ManagementAccount, _ = splitARN(root.Arn)
	}
	return in
}

func (a *spyAccount) managed(t *testing.T, arn string) json.RawMessage {
	t.Helper()
	for _, p := range a.Policies {
		for _, v := range p.PolicyVersionList {
			if p.Arn == arn && v.IsDefaultVersion {
				return v.Document
			}
		}
	}
	t.Fatalf("no policy %s", arn)
	return nil
}

// levels returns the SCPs on the way from a node down to an account, or nil.
func (n *spyNode) levels(t *testing.T, account string) []*Set {
	t.Helper()
	var docs []*policy.Document
	for _, p := range n.Policies {
		docs = append(docs, parseAll(t, p.Content)...)
	}
	if n.ID == account {
		return []*Set{Compile(docs...)}
	}
	for i := range n.Children {
		if below := n.Children[i].levels(t, account); below != nil {
			return append([]*Set{Compile(docs...)}, below...)
		}
	}
	return nil
}
