package eval

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"dera.example/dera/iam/policy"
)

// The shapes in which yams records its questions.
type (
	yamsPrincipals struct {
		All                     bool
		AWS, Service, Federated []string
		CanonicalUser           []string
	}
	yamsStatement struct {
		Sid, Effect           string
		Principal             *yamsPrincipals
		NotPrincipal          *yamsPrincipals
		Action, NotAction     []string
		Resource, NotResource []string
		Condition             map[string]map[string][]string
	}
	yamsPolicy  struct{ Statement []yamsStatement }
	yamsManaged struct{ Policy yamsPolicy }
	yamsAccount struct {
		OrgNodes []struct{ SCPs, RCPs []yamsManaged }
	}
	yamsPrincipal struct {
		Arn, AccountId     string
		InlinePolicies     []yamsPolicy
		AttachedPolicies   []yamsManaged
		PermissionBoundary *yamsManaged
		Groups             []struct {
			InlinePolicies   []yamsPolicy
			AttachedPolicies []yamsManaged
		}
		Account *yamsAccount
	}
	yamsResource struct {
		Arn, AccountId string
		Policy         *yamsPolicy
		Account        *yamsAccount
	}
	yamsRequest struct {
		Action               string
		Principal            *yamsPrincipal
		Resource             *yamsResource
		Properties           struct{ InnerMap map[string]string }
		MultiValueProperties struct{ InnerMap map[string][]string }
	}
)

func (p *yamsPrincipals) convert() *policy.Principals {
	if p == nil {
		return nil
	}
	out := &policy.Principals{Any: p.All}
	for _, g := range []policy.PrincipalGroup{
		{Kind: policy.PrincipalAWS, Values: p.AWS},
		{Kind: policy.PrincipalService, Values: p.Service},
		{Kind: policy.PrincipalFederated, Values: p.Federated},
		{Kind: policy.PrincipalCanonical, Values: p.CanonicalUser},
	} {
		if g.Values != nil {
			out.Groups = append(out.Groups, g)
		}
	}
	return out
}

func (s yamsStatement) convert() policy.Statement {
	out := policy.Statement{
		Sid: s.Sid, Effect: map[string]policy.Effect{"Allow": policy.Allow, "Deny": policy.Deny}[s.Effect],
		Principals: s.Principal.convert(), NotPrincipals: s.NotPrincipal.convert(),
		Actions: s.Action, NotActions: s.NotAction, Resources: s.Resource, NotResources: s.NotResource,
	}
	for op, keys := range s.Condition {
		for key, values := range keys {
			out.Conditions = append(out.Conditions, policy.Condition{Operator: op, Key: key, Values: values})
		}
	}
	return out
}

func (p yamsPolicy) convert() *policy.Document {
	d := &policy.Document{Version: policy.Version2012}
	for _, s := range p.Statement {
		d.Statements = append(d.Statements, s.convert())
	}
	return d
}

func yamsSet(inline []yamsPolicy, managed []yamsManaged) []*policy.Document {
	var docs []*policy.Document
	for _, p := range inline {
		docs = append(docs, p.convert())
	}
	for _, p := range managed {
		docs = append(docs, p.Policy.convert())
	}
	return docs
}

// levels compiles the policies of an organization. yams writes an organization
// without the policy type as one node with an empty list.
func (a *yamsAccount) levels(rcps bool) []*Set {
	var sets []*Set
	some := false
	for i := range a.OrgNodes {
		managed := a.OrgNodes[i].SCPs
		if rcps {
			managed = a.OrgNodes[i].RCPs
		}
		some = some || len(managed) > 0
		sets = append(sets, Compile(yamsSet(nil, managed)...))
	}
	if !some {
		return nil
	}
	return sets
}

// input turns a recorded question into an Input.
func (r *yamsRequest) input() *Input {
	in := &Input{Request: Request{Action: r.Action, Context: Context{}}}
	for k, v := range r.Properties.InnerMap {
		in.Request.Context[k] = []string{v}
	}
	for k, v := range r.MultiValueProperties.InnerMap {
		in.Request.Context[k] = v
	}
	if p := r.Principal; p != nil {
		in.Request.Principal = Principal{ARN: p.Arn, Account: p.AccountId}
		docs := yamsSet(p.InlinePolicies, p.AttachedPolicies)
		for _, g := range p.Groups {
			docs = append(docs, yamsSet(g.InlinePolicies, g.AttachedPolicies)...)
		}
		in.Identity = Compile(docs...)
		if p.PermissionBoundary != nil {
			in.Boundary = Compile(p.PermissionBoundary.Policy.convert())
		}
		if p.Account != nil {
			in.SCPs = p.Account.levels(false)
		}
	}
	if res := r.Resource; res != nil {
		in.Request.Resource, in.ResourceAccount = res.Arn, res.AccountId
		if res.Policy != nil {
			in.Resource = Compile(res.Policy.convert())
		}
		if res.Account != nil {
			in.RCPs = res.Account.levels(true)
		}
		if res.AccountId != "" {
			in.Request.Context["aws:resourceaccount"] = []string{res.AccountId}
		}
	}
	in.Request = in.Request.WithDerived()
	return in
}

func TestExtra_conditions_yams(t *testing.T) {
	t.Parallel()
	var file struct {
		Cases []struct {
			ID        string
			Context   *yamsRequest
			Condition map[string]map[string][]string
			Matches   bool
		}
	}
	extraFile(t, "conditions_yams.json", &file)
	listed := map[string]difference{
		"yams/TestStatementBase/half_empty_condition": {
			`an operator without keys restricts nothing: "Empty object condition: This condition block is empty and it does not affect the policy"`,
			"https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html",
		},
		"yams/TestForAnyValues/simple_equals": {
			`the operator is ForAnyValue, there is no "ForAnyValues"`,
			"https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html",
		},
	}
	var cases []extraCase
	for _, c := range file.Cases {
		if c.Context == nil {
			c.Context = &yamsRequest{}
		}
		in := c.Context.input()
		in.Request.Action = "a:b"
		st := yamsStatement{Effect: "Allow", Action: []string{"*"}, Condition: c.Condition}
		set := Compile(yamsPolicy{[]yamsStatement{st}}.convert())
		got := set.Decide(in.Request, Reading{}) == Allowed
		cases = append(cases, extraCase{c.ID, words(got), words(c.Matches)})
	}
	report(t, "conditions_yams.json", cases, listed)
}

func TestExtra_match_yams(t *testing.T) {
	t.Parallel()
	var file struct {
		Cases []struct {
			ID    string
			Input struct {
				Ac   yamsRequest
				Stmt yamsStatement
			}
			Want bool
		}
	}
	extraFile(t, "match_yams.json", &file)
	listed := map[string]difference{
		"yams/TestStatementMatchesAction/missing_action": {
			`no such request exists, and "*" excepts nothing: the request context always has "The actions or operations that the principal wants to perform"`,
			"https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-reqcontext.html",
		},
		"yams/TestStatementMatchesPrincipal/missing_principal": {
			`a request without a principal is an anonymous one: a wildcard "grants access to all users, including anonymous users (public access)"`,
			"https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous",
		},
		"yams/TestStatementMatchesResource/missing_resource_unexpected": {
			`no such request exists: ListBucket always has its bucket as resource (required resource type "bucket*"); which actions have one is the catalogue's to say`,
			"https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html",
		},
	}
	var cases []extraCase
	for _, c := range file.Cases {
		in := c.Input.Ac.input()
		c.Input.Stmt.Effect = "Allow"
		if c.Input.Stmt.Action == nil && c.Input.Stmt.NotAction == nil {
			c.Input.Stmt.Action = []string{"*"} // a statement without actions has no effect
		}
		st := newStatement(ptr(c.Input.Stmt.convert()), true, Ref{}, nil)
		e := newEvaluation(&in.Request, Reading{})
		var got bool
		switch kind := strings.Split(c.ID, "/")[1]; kind {
		case "TestStatementMatchesAction":
			got = st.matchesAction(&e.action)
		case "TestStatementMatchesPrincipal":
			got = st.matchPrincipal(&e) != noGrant
		case "TestStatementIsDelegated":
			got = st.matchPrincipal(&e) == grantAccount
		case "TestStatementMatchesResource":
			got = st.matchesResource(&e)
		default:
			t.Fatalf("no adapter for %s", kind)
		}
		cases = append(cases, extraCase{c.ID, words(got), words(c.Want)})
	}
	report(t, "match_yams.json", cases, listed)
}

func TestExtra_decisions_yams(t *testing.T) {
	t.Parallel()
	var file struct {
		Cases []struct {
			ID        string
			Input     json.RawMessage
			Want      json.RawMessage
			ShouldErr bool
		}
	}
	extraFile(t, "decisions_yams.json", &file)
	listed := map[string]difference{
		"yams/TestOverallAccess_SameAccount/same_account_strict_allow": {
			`its trust policy has no actions: "Statements must include either an Action or NotAction element"`,
			"https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html",
		},
		"yams/TestSimulate/invalid_auth_context": {
			`a queue's action on a bucket is not an error but a request that nothing allows: "By default, all requests are implicitly denied with the exception of the AWS account root user"; which action has which resource is the catalogue's to say`,
			"https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html",
		},
	}
	var cases []extraCase
	for _, c := range file.Cases {
		in := yamsLookup(t, strings.Split(c.ID, "/")[1], c.Input)
		got, want := yamsAnswer(t, strings.Split(c.ID, "/")[1], in, c.Want)
		if c.ShouldErr {
			want = "error"
		}
		cases = append(cases, extraCase{c.ID, got, want})
	}
	report(t, "decisions_yams.json", cases, listed)
}

func yamsWord(allowed bool) string { return map[bool]string{true: "allowed", false: "denied"}[allowed] }

// yamsAnswer asks the layer that a test is about, or all.
func yamsAnswer(t *testing.T, kind string, in *Input, raw json.RawMessage) (got, want string) {
	t.Helper()
	layer := map[string]Layer{
		"TestPermissionsBoundary": BoundaryLayer, "TestPrincipalAccess": IdentityLayer,
		"TestResourceAccess": ResourceLayer, "TestSCP": SCPLayer, "TestRCP": RCPLayer,
	}
	l, single := layer[kind]
	if !single {
		var allowed bool
		if err := json.Unmarshal(raw, &allowed); err != nil {
			t.Fatal(err)
		}
		if in == nil {
			return "error", yamsWord(allowed)
		}
		return yamsWord(in.Decide() == Allowed), yamsWord(allowed)
	}
	var pair struct{ Allow, Deny bool }
	if err := json.Unmarshal(raw, &pair); err != nil {
		t.Fatal(err)
	}
	decision := Allowed
	e := newEvaluation(&in.Request, in.Reading)
	if l != SCPLayer && l != RCPLayer || l == RCPLayer && in.applicable(&e).has(l) || l == SCPLayer && in.SCPs != nil {
		decision, _ = in.ask(l, &e)
	}
	switch {
	case pair.Deny:
		want = ExplicitDeny.String()
	case pair.Allow:
		want = Allowed.String()
	default:
		want = ImplicitDeny.String()
	}
	return decision.String(), want
}

// yamsLookup reads a question, by names where it is recorded so; nil when the
// records lack a name: of the principal, the resource, or an SCP.
func yamsLookup(t *testing.T, kind string, raw json.RawMessage) *Input {
	t.Helper()
	if kind != "TestSimulateByArn" {
		var r yamsRequest
		if err := json.Unmarshal(raw, &r); err != nil {
			t.Fatal(err)
		}
		return r.input()
	}
	var q struct {
		Action, PrincipalArn, ResourceArn string
		UV                                struct{ Principals, Resources map[string]json.RawMessage }
	}
	if err := json.Unmarshal(raw, &q); err != nil {
		t.Fatal(err)
	}
	p, known := q.UV.Principals[q.PrincipalArn]
	res, alsoKnown := q.UV.Resources[q.ResourceArn]
	if !known || !alsoKnown || strings.Contains(string(raw), "policy/o-aaa/service_control_policy") {
		return nil
	}
	var r yamsRequest
	whole := fmt.Sprintf(`{"Action":%q,"Principal":%s,"Resource":%s}`, q.Action, p, res)
	if err := json.Unmarshal([]byte(whole), &r); err != nil {
		t.Fatal(err)
	}
	return r.input()
}
