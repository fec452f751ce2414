package eval

import (
	"reflect"
	"testing"
)

const (
	allowAll  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	allowEC2  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*"}}`
	denyS3    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`
	bucketKey = "arn:aws:s3:::b/k"
)

// toward is a resource policy for one principal.
func toward(t *testing.T, principal string) *Set {
	t.Helper()
	return compile(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":`+principal+`,"Action":"s3:*","Resource":"*"}}`)
}

func TestTrap16_layers_within_and_across_accounts(t *testing.T) {
	t.Parallel()
	full, ec2, no := compile(t, allowAll), compile(t, allowEC2), compile(t, denyS3)
	byUser, byRole := toward(t, `{"AWS":"`+alice+`"}`), toward(t, `{"AWS":"`+worker+`"}`)
	bySession, byAccount, public := toward(t, `{"AWS":"`+session+`"}`), toward(t, `{"AWS":"`+account+`"}`), toward(t, `"*"`)
	service := toward(t, `{"Service":"sns.amazonaws.com"}`)
	root := "arn:aws:iam::111122223333:root"
	type layered = Input
	tests := map[string]struct {
		in      layered
		caller  string
		owner   string
		want    Outcome
		missing []Layer
	}{
		"nothing":                           {layered{}, alice, account, ImplicitDeny, []Layer{IdentityLayer}},
		"identity":                          {layered{Identity: full}, alice, account, Allowed, nil},
		"identity_denies":                   {layered{Identity: no, Resource: byUser}, alice, account, ExplicitDeny, nil},
		"resource_denies":                   {layered{Identity: full, Resource: no}, alice, account, ExplicitDeny, nil},
		"boundary_denies":                   {layered{Identity: full, Boundary: no, Resource: byUser}, alice, account, ExplicitDeny, nil},
		"session_denies":                    {layered{Identity: full, Session: no, Resource: bySession}, session, account, ExplicitDeny, nil},
		"boundary_limits":                   {layered{Identity: full, Boundary: ec2}, alice, account, ImplicitDeny, []Layer{BoundaryLayer}},
		"boundary_grants_nothing":           {layered{Boundary: full}, alice, account, ImplicitDeny, []Layer{IdentityLayer}},
		"session_limits":                    {layered{Identity: full, Session: ec2}, session, account, ImplicitDeny, []Layer{SessionLayer}},
		"all_that_is_missing":               {layered{Boundary: ec2, Session: ec2, SCPs: []*Set{ec2}}, session, account, ImplicitDeny, []Layer{SCPLayer, IdentityLayer, BoundaryLayer, SessionLayer}},
		"resource_to_user":                  {layered{Resource: byUser}, alice, account, Allowed, nil},
		"resource_to_user_beats_boundary":   {layered{Resource: byUser, Boundary: ec2}, alice, account, Allowed, nil},
		"resource_to_session_beats_session": {layered{Resource: bySession, Boundary: ec2, Session: ec2}, session, account, Allowed, nil},
		"resource_to_role":                  {layered{Resource: byRole}, session, account, Allowed, nil},
		"resource_to_role_within_boundary":  {layered{Resource: byRole, Boundary: ec2}, session, account, ImplicitDeny, []Layer{BoundaryLayer}},
		"resource_to_role_within_session":   {layered{Resource: byRole, Session: ec2}, session, account, ImplicitDeny, []Layer{SessionLayer}},
		"resource_to_everybody":             {layered{Resource: public, Boundary: ec2, Session: ec2}, session, account, Allowed, nil},
		"resource_to_account_delegates":     {layered{Resource: byAccount}, alice, account, ImplicitDeny, []Layer{IdentityLayer}},
		"resource_to_account_and_identity":  {layered{Resource: byAccount, Identity: full}, alice, account, Allowed, nil},

		"across_nothing":           {layered{}, alice, foreign, ImplicitDeny, []Layer{ResourceLayer, IdentityLayer}},
		"across_identity_only":     {layered{Identity: full}, alice, foreign, ImplicitDeny, []Layer{ResourceLayer}},
		"across_resource_only":     {layered{Resource: byUser}, alice, foreign, ImplicitDeny, []Layer{IdentityLayer}},
		"across_public_only":       {layered{Resource: public}, alice, foreign, ImplicitDeny, []Layer{IdentityLayer}},
		"across_both":              {layered{Identity: full, Resource: byAccount}, alice, foreign, Allowed, nil},
		"across_boundary_counts":   {layered{Identity: full, Resource: byUser, Boundary: ec2}, alice, foreign, ImplicitDeny, []Layer{BoundaryLayer}},
		"across_session_counts":    {layered{Identity: full, Resource: bySession, Session: ec2}, session, foreign, ImplicitDeny, []Layer{SessionLayer}},
		"across_root":              {layered{}, root, foreign, ImplicitDeny, []Layer{ResourceLayer}},
		"across_root_and_resource": {layered{Resource: byAccount}, root, foreign, Allowed, nil},

		"root":                   {layered{}, root, account, Allowed, nil},
		"root_and_resource_deny": {layered{Resource: no}, root, account, ExplicitDeny, nil},
		"root_and_scp":           {layered{SCPs: []*Set{full, ec2}}, root, account, ImplicitDeny, []Layer{SCPLayer}},
		"anonymous":              {layered{Identity: full}, "", account, ImplicitDeny, []Layer{ResourceLayer}},
		"anonymous_and_public":   {layered{Resource: public, SCPs: []*Set{no}}, "", account, Allowed, nil},
		"service":                {layered{Resource: service, SCPs: []*Set{no}}, "sns.amazonaws.com", account, Allowed, nil},
		"service_unnamed":        {layered{Resource: byUser}, "sns.amazonaws.com", account, ImplicitDeny, []Layer{ResourceLayer}},

		"scp_levels":                {layered{Identity: full, SCPs: []*Set{full, full}}, alice, account, Allowed, nil},
		"scp_level_without_allow":   {layered{Identity: full, SCPs: []*Set{full, ec2, full}}, alice, account, ImplicitDeny, []Layer{SCPLayer}},
		"scp_empty_level":           {layered{Identity: full, SCPs: []*Set{full, nil}}, alice, account, ImplicitDeny, []Layer{SCPLayer}},
		"scp_denies_what_is_public": {layered{Resource: public, SCPs: []*Set{full, no}}, alice, account, ExplicitDeny, nil},
		"scp_management_account":    {layered{Identity: full, SCPs: []*Set{no}, ManagementAccount: account}, alice, account, Allowed, nil},
		"scp_service_linked":        {layered{Identity: full, SCPs: []*Set{no}}, "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX", account, Allowed, nil},

		"rcp_denies":               {layered{Identity: full, RCPs: []*Set{no}}, alice, account, ExplicitDeny, nil},
		"rcp_level_without_allow":  {layered{Identity: full, RCPs: []*Set{full, ec2}}, alice, account, ImplicitDeny, []Layer{RCPLayer}},
		"rcp_binds_services_too":   {layered{Resource: service, RCPs: []*Set{no}}, "sns.amazonaws.com", account, ExplicitDeny, nil},
		"rcp_management_account":   {layered{Identity: full, Resource: byUser, RCPs: []*Set{no}, ManagementAccount: foreign}, alice, foreign, Allowed, nil},
		"rcp_service_linked":       {layered{Identity: full, RCPs: []*Set{no}}, "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX", account, Allowed, nil},
		"rcp_of_the_other_account": {layered{Identity: full, Resource: byUser, RCPs: []*Set{no}, ManagementAccount: account}, alice, foreign, ExplicitDeny, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := tt.in
			in.Request = Request{Principal: Principal{ARN: tt.caller}, Action: "s3:GetObject", Resource: bucketKey}
			in.ResourceAccount = tt.owner
			got := Evaluate(in)
			is(t, "decision", got.Decision, tt.want)
			is(t, "without reasons", in.Decide(), tt.want)
			if !reflect.DeepEqual(got.Missing, tt.missing) {
				t.Errorf("missing: got %v, want %v", got.Missing, tt.missing)
			}
		})
	}
}

func TestTrap16_rcps_bind_some_services_only(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]bool{
		"s3:GetObject": true, "STS:AssumeRole": true, "kms:Decrypt": true, "sqs:SendMessage": true, "secretsmanager:GetSecretValue": true,
		"sns:Publish": false, "iam:GetRole": false, "ec2:RunInstances": false, "": false,
	} {
		is(t, action, RCPApplies(action), want)
	}
	in := Input{
		Request:  Request{Principal: Principal{ARN: alice}, Action: "sns:Publish", Resource: "arn:aws:sns:eu-west-1:111122223333:t"},
		Identity: compile(t, allowAll), RCPs: []*Set{compile(t, `{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}`)},
	}
	is(t, "a topic is not bound", in.Decide(), Allowed)
}

func TestEvaluate_names_the_statements_that_decided(t *testing.T) {
	t.Parallel()
	two := compile(t, allowEC2, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:Put*","Resource":"*"},{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}`)
	full := compile(t, allowAll)
	in := Input{
		Request:  Request{Principal: Principal{ARN: alice}, Action: "s3:GetObject", Resource: bucketKey},
		Identity: two, Boundary: full, SCPs: []*Set{full, full}, Resource: toward(t, `{"Service":"sns.amazonaws.com"}`),
	}
	got := Evaluate(in)
	want := Result{Decision: Allowed, Because: []Reason{
		{SCPLayer, 0, Ref{0, 0}}, {SCPLayer, 1, Ref{0, 0}},
		{IdentityLayer, 0, Ref{1, 0}}, {IdentityLayer, 0, Ref{1, 2}}, {BoundaryLayer, 0, Ref{0, 0}},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("allowed: got %+v, want %+v", got, want)
	}
	in.Request.Action = "s3:PutObject"
	in.RCPs = []*Set{compile(t, denyS3)}
	got = Evaluate(in)
	want = Result{Decision: ExplicitDeny, Because: []Reason{{RCPLayer, 0, Ref{0, 1}}, {IdentityLayer, 0, Ref{1, 1}}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("denied: got %+v, want %+v", got, want)
	}
	in = Input{Request: in.Request, Resource: toward(t, `"*"`)}
	got = Evaluate(in)
	want = Result{Decision: Allowed, Because: []Reason{{ResourceLayer, 0, Ref{0, 0}}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("public: got %+v, want %+v", got, want)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	set := compile(t, allowEC2, denyS3)
	for action, want := range map[string]struct {
		decision Outcome
		refs     []Ref
	}{
		"ec2:A": {Allowed, []Ref{{0, 0}, {1, 0}}},
		"s3:A":  {ExplicitDeny, []Ref{{1, 1}}},
	} {
		decision, refs := set.Explain(Request{Action: action}, Reading{})
		if decision != want.decision || !reflect.DeepEqual(refs, want.refs) {
			t.Errorf("%s: got %v %v, want %v %v", action, decision, refs, want.decision, want.refs)
		}
	}
	decision, refs := compile(t, allowEC2).Explain(Request{Action: "s3:A"}, Reading{})
	is(t, "nothing matches", decision, ImplicitDeny)
	is(t, "no statement", len(refs), 0)
	var nothing *Set
	is(t, "nil set", nothing.Decide(Request{Action: "a:b"}, Reading{}), ImplicitDeny)
}

func TestNames(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		Allowed.String(): "allowed", ExplicitDeny.String(): "explicit deny", ImplicitDeny.String(): "implicit deny",
		SCPLayer.String(): "service control policy", RCPLayer.String(): "resource control policy", ResourceLayer.String(): "resource-based policy",
		IdentityLayer.String(): "identity-based policy", BoundaryLayer.String(): "permissions boundary", SessionLayer.String(): "session policy",
		Layer(layers).String(): "unknown layer", Outcome(9).String(): "unknown decision",
	} {
		is(t, "name", got, want)
	}
}
