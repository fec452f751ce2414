package eval

import (
	"fmt"
	"strings"
	"testing"
)

const (
	account = "111122223333"
	foreign = "999988887777"
	alice   = "arn:aws:iam::111122223333:user/alice"
	worker  = "arn:aws:iam::111122223333:role/app/worker"
	session = "arn:aws:sts::111122223333:assumed-role/worker/run-1"
)

// grants asks how closely a Principal element names a caller.
func grants(t *testing.T, principal string, p Principal) grant {
	t.Helper()
	return matchPrincipalOf(t, `"Effect":"Allow","Principal":`+principal, p)
}

func matchPrincipalOf(t *testing.T, members string, p Principal) grant {
	t.Helper()
	set := compile(t, `{"Statement":{`+members+`,"Action":"*","Resource":"*"}}`)
	e := newEvaluation(&Request{Principal: p, Action: "a:b"}, Reading{})
	return set.statements[0].matchPrincipal(&e)
}

func TestTrap07_who_a_principal_element_names(t *testing.T) {
	t.Parallel()
	role := Principal{ARN: worker}
	run := Principal{ARN: session, ID: "AROAWORKER:run-1"}
	user := Principal{ARN: alice, ID: "AIDAALICE", Canonical: "79a59df9"}
	tests := map[string]struct {
		principal string
		caller    Principal
		want      grant
	}{
		"everybody":                        {`"*"`, user, grantDirect},
		"everybody_anonymous":              {`"*"`, Principal{}, grantDirect},
		"everybody_in_aws":                 {`{"AWS":"*"}`, Principal{}, grantDirect},
		"account_id":                       {`{"AWS":"111122223333"}`, user, grantAccount},
		"account_root":                     {`{"AWS":"arn:aws:iam::111122223333:root"}`, run, grantAccount},
		"account_of_a_root_user":           {`{"AWS":"arn:aws:iam::111122223333:root"}`, Principal{ARN: "arn:aws:iam::111122223333:root"}, grantAccount},
		"account_by_number_only":           {`{"AWS":"111122223333"}`, Principal{Account: account}, grantAccount},
		"another_account":                  {`{"AWS":"999988887777"}`, user, noGrant},
		"account_anonymous":                {`{"AWS":"111122223333"}`, Principal{}, noGrant},
		"user":                             {`{"AWS":"arn:aws:iam::111122223333:user/alice"}`, user, grantDirect},
		"user_case":                        {`{"AWS":"arn:aws:iam::111122223333:user/Alice"}`, user, noGrant},
		"no_wildcard_in_an_arn":            {`{"AWS":"arn:aws:iam::111122223333:user/*"}`, user, noGrant},
		"deleted_user":                     {`{"AWS":"AIDAALICE"}`, user, grantDirect},
		"deleted_user_unknown":             {`{"AWS":"AIDAALICE"}`, Principal{ARN: alice}, noGrant},
		"role":                             {`{"AWS":"arn:aws:iam::111122223333:role/app/worker"}`, role, grantRole},
		"role_of_a_session":                {`{"AWS":"arn:aws:iam::111122223333:role/app/worker"}`, run, grantRole},
		"role_in_another_account":          {`{"AWS":"arn:aws:iam::999988887777:role/app/worker"}`, run, noGrant},
		"role_in_another_partition":        {`{"AWS":"arn:aws-cn:iam::111122223333:role/app/worker"}`, run, noGrant},
		"role_with_a_longer_name":          {`{"AWS":"arn:aws:iam::111122223333:role/app/co-worker"}`, run, noGrant},
		"user_named_as_the_role":           {`{"AWS":"arn:aws:iam::111122223333:user/worker"}`, run, noGrant},
		"session":                          {`{"AWS":"arn:aws:sts::111122223333:assumed-role/worker/run-1"}`, run, grantDirect},
		"another_session":                  {`{"AWS":"arn:aws:sts::111122223333:assumed-role/worker/run-2"}`, run, noGrant},
		"session_is_not_its_role":          {`{"AWS":"arn:aws:sts::111122223333:assumed-role/worker/run-1"}`, role, noGrant},
		"deleted_role_of_a_session":        {`{"AWS":"AROAWORKER"}`, run, grantRole},
		"deleted_role_another":             {`{"AWS":"AROAOTHER"}`, run, noGrant},
		"federated_user":                   {`{"AWS":"arn:aws:sts::111122223333:federated-user/bob"}`, Principal{ARN: "arn:aws:sts::111122223333:federated-user/bob"}, grantDirect},
		"the_closest_counts":               {`{"AWS":["111122223333","arn:aws:iam::111122223333:user/alice"]}`, user, grantDirect},
		"service":                          {`{"Service":"sns.amazonaws.com"}`, Principal{ARN: "sns.amazonaws.com"}, grantDirect},
		"another_service":                  {`{"Service":["sns.amazonaws.com","s3.amazonaws.com"]}`, Principal{ARN: "sqs.amazonaws.com"}, noGrant},
		"any_service":                      {`{"Service":"*"}`, Principal{Type: Service, ARN: "sqs.amazonaws.com"}, grantDirect},
		"any_service_is_not_a_user":        {`{"Service":"*"}`, user, noGrant},
		"provider":                         {`{"Federated":"cognito-identity.amazonaws.com"}`, Principal{Type: Provider, ARN: "cognito-identity.amazonaws.com"}, grantDirect},
		"a_service_is_no_provider":         {`{"Federated":"cognito-identity.amazonaws.com"}`, Principal{ARN: "cognito-identity.amazonaws.com"}, noGrant},
		"canonical_user":                   {`{"CanonicalUser":"79a59df9"}`, user, grantDirect},
		"another_canonical_user":           {`{"CanonicalUser":"79a59df0"}`, user, noGrant},
		"no_canonical_user_is_not_the_one": {`{"CanonicalUser":""}`, role, noGrant},
		"nobody":                           {`{"AWS":[]}`, user, noGrant},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			is(t, tt.principal, grants(t, tt.principal, tt.caller), tt.want)
		})
	}
}

func TestTrap07_not_principal(t *testing.T) {
	t.Parallel()
	role := `"arn:aws:iam::111122223333:role/app/worker"`
	tests := map[string]struct {
		effect, names string
		caller        string
		matches       bool
	}{
		"allow_spares_the_named":          {"Allow", `{"AWS":"` + alice + `"}`, alice, false},
		"allow_is_nearly_public":          {"Allow", `{"AWS":"` + alice + `"}`, session, true},
		"allow_reaches_anonymous":         {"Allow", `{"AWS":"` + alice + `"}`, "", true},
		"allow_spares_by_account":         {"Allow", `{"AWS":"111122223333"}`, alice, false},
		"allow_nobody":                    {"Allow", `"*"`, alice, false},
		"deny_user_without_account":       {"Deny", `{"AWS":"` + alice + `"}`, alice, true},
		"deny_user_with_account":          {"Deny", `{"AWS":["` + alice + `","111122223333"]}`, alice, false},
		"deny_account_alone":              {"Deny", `{"AWS":"111122223333"}`, alice, true},
		"deny_root_needs_the_account":     {"Deny", `{"AWS":"111122223333"}`, "arn:aws:iam::111122223333:root", false},
		"deny_session_without_role":       {"Deny", `{"AWS":["` + session + `","111122223333"]}`, session, true},
		"deny_session_without_session":    {"Deny", `{"AWS":[` + role + `,"111122223333"]}`, session, true},
		"deny_session_role_and_account":   {"Deny", `{"AWS":["` + session + `",` + role + `,"111122223333"]}`, session, false},
		"deny_role":                       {"Deny", `{"AWS":[` + role + `,"111122223333"]}`, worker, false},
		"deny_service":                    {"Deny", `{"Service":"sns.amazonaws.com"}`, "sns.amazonaws.com", false},
		"deny_reaches_unnamed_service":    {"Deny", `{"AWS":"111122223333"}`, "sns.amazonaws.com", true},
		"deny_reaches_anonymous":          {"Deny", `{"AWS":"` + alice + `"}`, "", true},
		"deny_nobody":                     {"Deny", `"*"`, "", false},
		"deny_reaches_everybody_of_other": {"Deny", `{"AWS":["` + alice + `","111122223333"]}`, "arn:aws:iam::999988887777:user/alice", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			members := fmt.Sprintf(`"Effect":%q,"NotPrincipal":%s`, tt.effect, tt.names)
			is(t, members, matchPrincipalOf(t, members, Principal{ARN: tt.caller}) != noGrant, tt.matches)
		})
	}
	byID := `"Effect":"Deny","NotPrincipal":{"AWS":["AIDAALICE","111122223333"]}`
	is(t, "named by ID", matchPrincipalOf(t, byID, Principal{ARN: alice, ID: "AIDAALICE"}), noGrant)
}

func TestTrap08_keys_and_roles_are_their_own_policys_to_give(t *testing.T) {
	t.Parallel()
	full := compile(t, allowAll)
	key, role := "arn:aws:kms:eu-west-1:111122223333:key/k", worker
	toAccount := `{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*"}}`
	toAlice := strings.Replace(toAccount, `"111122223333"`, `"`+alice+`"`, 1)
	for name, tt := range map[string]struct {
		action, resource string
		identity, own    *Set
		want             Outcome
	}{
		"key_without_policy":             {"kms:Decrypt", key, full, nil, ImplicitDeny},
		"key_policy_to_account":          {"kms:Decrypt", key, full, compile(t, toAccount), Allowed},
		"key_policy_to_account_only":     {"kms:Decrypt", key, nil, compile(t, toAccount), ImplicitDeny},
		"key_policy_to_user_only":        {"kms:Decrypt", key, nil, compile(t, toAlice), Allowed},
		"alias_has_no_policy":            {"kms:CreateAlias", "arn:aws:kms:eu-west-1:111122223333:alias/a", full, nil, Allowed},
		"role_without_trust":             {"sts:AssumeRole", role, full, nil, ImplicitDeny},
		"role_trusts_account":            {"STS:AssumeRole", role, full, compile(t, toAccount), Allowed},
		"role_trusts_account_only":       {"sts:AssumeRole", role, nil, compile(t, toAccount), ImplicitDeny},
		"role_trusts_user":               {"sts:TagSession", role, nil, compile(t, toAlice), Allowed},
		"role_is_otherwise_a_resource":   {"iam:GetRole", role, full, nil, Allowed},
		"bucket_policy_is_not_needed":    {"s3:GetObject", "arn:aws:s3:::b/k", full, nil, Allowed},
		"trust_policy_needs_no_resource": {"sts:AssumeRole", role, nil, compile(t, toAlice), Allowed},
	} {
		in := Input{Request: Request{Principal: Principal{ARN: alice}, Action: tt.action, Resource: tt.resource}, Identity: tt.identity, Resource: tt.own}
		is(t, name, Evaluate(in).Decision, tt.want)
	}
	root := Input{Request: Request{Principal: Principal{ARN: "arn:aws:iam::111122223333:root"}, Action: "kms:Decrypt", Resource: key}}
	is(t, "a key policy can lock out root", root.Decide(), ImplicitDeny)
}
