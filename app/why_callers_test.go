package app_test

import (
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
	"dera.example/dera/services/s3"
	"dera.example/dera/services/s3/account"
	"dera.example/dera/services/s3/bucket"
)

// TestWhyCallers: who calls, and under which name of a resource, is not taken for somebody
// or something else.
func TestWhyCallers(t *testing.T) {
	t.Parallel()
	const (
		other     = "arn:aws:iam::444455556666:role/x"
		federated = `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity"}`
		saml      = `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:saml-provider/x"},"Action":"sts:AssumeRoleWithSAML"}`
		service   = `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`
		closed    = `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`
	)
	trusted := func(of string) func() (dera.Change, error) {
		r := &role.Role{Identity: iam.Identity{Name: "app"}, Account: own, Trust: policyText(of)}
		return func() (dera.Change, error) { return r.SetTrust(policyText(closed)) }
	}
	open := &bucket.Bucket{Name: "b", Owner: own, OwnerID: "o", Region: "eu-west-1", Policy: policyText(`{"Effect":"Allow","Principal":{"AWS":"` + other + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`)}
	dropped := func() (dera.Change, error) { return dropPolicy(open) }
	blocked := func() (dera.Change, error) { return open.SetBlock(s3.FullBlock()) }
	all := func() (dera.Change, error) { return (&account.AccountBlock{Account: own}).SetBlock(s3.FullBlock()) }
	inline := func() (dera.Change, error) {
		i := iam.Identity{Name: "app", Inline: []iam.Inline{{Name: "p", Document: policyText(getPut)}}}
		return i.SetInline(iam.RoleKind, "p", policyText(putOne))
	}
	bucketARN := dera.NewARN("aws", "s3", "", "", "b")
	accountARN := account.ARNOf("aws", own)
	call := func(principal, action, resource, by string) app.Question {
		return app.Question{Call: &app.DeniedCall{Principal: principal, Action: action, Resource: resource, Policy: by, Authorization: true}}
	}
	const identity, resourceBased = "identity-based policy", "resource-based policy"
	tests := []struct {
		name   string
		typ    string
		arn    dera.ARN
		change func() (dera.Change, error)
		ask    app.Question
		want   app.Blame
	}{
		{"web_identity_signs_nothing", role.Name, appRole, trusted(federated), call("anonymous", "sts:AssumeRoleWithWebIdentity", appRole, ""), app.BlameUnknown},
		{"web_identity_asked_by_the_role", role.Name, appRole, trusted(federated), call(appRole, "sts:AssumeRoleWithWebIdentity", appRole, ""), app.BlameUnknown},
		{"saml", role.Name, appRole, trusted(saml), call("anonymous", "sts:AssumeRoleWithSAML", appRole, ""), app.BlameUnknown},
		{"service_without_a_name", role.Name, appRole, trusted(service), call("anonymous", "sts:AssumeRole", appRole, ""), app.BlameUnknown},
		{"service_and_a_role", role.Name, appRole, trusted(service), call(other, "sts:AssumeRole", appRole, ""), app.BlameNo},
		{"web_identity_and_a_role", role.Name, appRole, trusted(federated), call(other, "sts:AssumeRole", appRole, ""), app.BlameNo},
		{"bucket_policy_of_another_account_and_no_identity_policy", bucket.Name, bucketARN, dropped, call(other, "s3:GetObject", object, identity), app.BlameUnknown},
		{"bucket_policy_of_another_account", bucket.Name, bucketARN, dropped, call(other, "s3:GetObject", object, resourceBased), app.BlameYes},
		{"bucket_policy_by_an_alias", bucket.Name, bucketARN, dropped, call(other, "s3:GetObject", "arn:aws:s3:::ap-1a2b3c4d5e-s3alias/k", resourceBased), app.BlameUnknown},
		{"bucket_policy_by_an_alias_of_a_lambda", bucket.Name, bucketARN, dropped, call(other, "s3:GetObject", "arn:aws:s3:::ap-1a2b3c4d5e--ol-s3/k", resourceBased), app.BlameUnknown},
		{"block_and_an_access_point_of_another_account", bucket.Name, bucketARN, blocked, call(other, "s3:GetObject", "arn:aws:s3:eu-west-1:444455556666:accesspoint/ap/object/k", resourceBased), app.BlameUnknown},
		{"account_block_and_an_access_point_of_another_account", account.Name, accountARN, all, call(other, "s3:GetObject", "arn:aws:s3:eu-west-1:444455556666:accesspoint/ap/object/k", resourceBased), app.BlameUnknown},
		{"name_in_other_letters", role.Name, appRole, inline, call("arn:aws:sts::111122223333:assumed-role/App/i-1", "s3:GetObject", object, identity), app.BlameYes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBook()
			b.made(t, dera.Remediation{ID: "r-1", Control: "c", Plan: plan(t, tt.typ, tt.arn, tt.change)}, ago(3))
			tt.ask.At = at(noon())
			if w := b.ask(t, tt.ask); w.Answer != tt.want {
				t.Errorf("got %s, %+v %+v %+v; want %s", w.Answer, w.Did, w.Perhaps, w.RuledOut, tt.want)
			}
		})
	}
	b := newBook()
	b.made(t, narrowed(t, "r-1", "app", policyText(getPut), policyText(putOne)), ago(3))
	for action, want := range map[string]string{"s3:HeadObject": "s3:GetObject", "s3:ReadObject": "no action", "s3:DeleteObject": ""} {
		q := call(session, action, object, "")
		q.Call.Authorization = false
		w := b.ask(t, q)
		if text := strings.Join(w.Missing, "\n"); (w.Answer == app.BlameNo) != (want == "") || !strings.Contains(text, want) {
			t.Errorf("%s: got %s, %q; want %q", action, w.Answer, text, want)
		}
	}
	for _, principal := range []string{"arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:role/ap?", "arn:aws:iam::111122223333:role/"} {
		if err := call(principal, "s3:GetObject", "", "").Validate(); err == nil || !strings.Contains(err.Error(), "--principal") {
			t.Errorf("%s: got %v, want it refused", principal, err)
		}
	}
}

// TestReadDenial_cut: of a message that was cut the resource is not known.
func TestReadDenial_cut(t *testing.T) {
	t.Parallel()
	const head = "User: arn:aws:iam::123456789012:user/x is not authorized to perform: s3:GetObject on resource: "
	long := head + `arn:aws:s3:::b/` + strings.Repeat("k", 1024-len(head)-len(`arn:aws:s3:::b/`))
	for name, tt := range map[string]struct{ text, resource string }{
		"quote":             {head + `"arn:aws:s3:::b/file.t`, ""},
		"dots":              {head + `arn:aws:s3:::b/file...`, ""},
		"ellipsis":          {head + `arn:aws:s3:::b/file…`, ""},
		"cloudtrail_limit":  {long, ""},
		"no_arn":            {head + `bucket because no identity-based policy allows the s3:GetObject action`, ""},
		"whole":             {head + `arn:aws:s3:::b/file`, "arn:aws:s3:::b/file"},
		"trailer_in_a_name": {head + `"arn:aws:s3:::b/a (Service: x" because no identity-based policy allows the s3:GetObject action`, ""},
	} {
		got, err := app.ReadDenial(tt.text)
		if err != nil || got.Resource != tt.resource {
			t.Errorf("%s: got %q, %v; want %q", name, got.Resource, err, tt.resource)
		}
	}
}
