package aws

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/securitygroup"
)

// planOf is a plan on the group: revoke its first inbound rule.
func (f *fixture) planOf(t *testing.T, id string) (dera.Plan, resource.Operation) {
	t.Helper()
	g := f.one(t, id)
	c, err := g.Revoke(g.Ingress[0])
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{
		Partition: "aws", Account: hub, Region: east, Type: securitygroup.Name,
		Resource: dera.NewARN("aws", "ec2", east, hub, "security-group/"+id), Changes: []dera.Change{c},
	}
	return p, resource.Of(c)
}

func yes(context.Context) error { return nil }

// A write has one attempt, whatever it answers: what became of it is read.
func TestWriteHasOneAttempt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answer  *http.Response
		err     error
		refused bool
		passing bool
		problem Problem
	}{
		{name: "server_error", answer: failure(500, "InternalError", "x"), problem: Other},
		{name: "service_unavailable", answer: failure(503, "Unavailable", "x"), problem: Other},
		{name: "no_xml_from_a_proxy", answer: failure(502, "", ""), problem: Other},
		{name: "throttled", answer: failure(503, "RequestLimitExceeded", "x"), refused: true, passing: true, problem: Throttled},
		{name: "expired", answer: failure(400, "RequestExpired", "x"), refused: true, passing: true, problem: Expired},
		{name: "denied", answer: failure(403, "UnauthorizedOperation", "x"), refused: true, problem: Denied},
		{name: "invalid", answer: failure(400, "InvalidParameterValue", "x"), refused: true, problem: Other},
		{name: "broken_connection", err: errors.New("connection reset by peer"), problem: Other},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			id := f.group(t, "web", ssh())
			p, op := f.planOf(t, id)
			asked := 0
			f.wire.before = func(form url.Values) error {
				if form.Get("Action") == "RevokeSecurityGroupIngress" {
					return tt.err
				}
				return nil
			}
			f.wire.answer = func(form url.Values) *http.Response {
				if form.Get("Action") == "RevokeSecurityGroupIngress" {
					return tt.answer
				}
				return nil
			}
			_, err := f.Do(t.Context(), p, op, func(context.Context) error { asked++; return nil })
			var e *Error
			if !errors.As(err, &e) || e.Problem != tt.problem || e.Refused() != tt.refused || e.Passing() != tt.passing {
				t.Fatalf("got %v (%+v), want %s, refused %t, passing %t", err, e, tt.problem, tt.refused, tt.passing)
			}
			if n := len(f.wire.sent("RevokeSecurityGroupIngress")); n != 1 || asked != 1 {
				t.Errorf("got %d requests and %d questions to the guard, want 1 and 1", n, asked)
			}
			last := f.calls[len(f.calls)-1]
			if !last.Write || last.Operation != "RevokeSecurityGroupIngress" || last.Account != hub || last.Region != east || last.Service != "ec2" {
				t.Errorf("observed: got %+v, want the write", last)
			}
		})
	}
}

// The guard is asked last, and its error comes back as it is, with nothing sent.
func TestGuardStopsTheRequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	id := f.group(t, "web", ssh())
	p, op := f.planOf(t, id)
	stopped := errors.New("dera is stopped")
	if _, err := f.Do(t.Context(), p, op, func(context.Context) error { return stopped }); !errors.Is(err, stopped) {
		t.Errorf("got %v, want the guard's own error in it", err)
	}
	if n := len(f.wire.sent("RevokeSecurityGroupIngress")); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
	unknown := resource.Operation{Name: "ec2:DeleteSecurityGroup", Version: 1}
	if _, err := f.Do(t.Context(), p, unknown, yes); err == nil || len(f.wire.sent("DeleteSecurityGroup")) != 0 {
		t.Errorf("an operation that nobody planned: got %v, want an error and nothing sent", err)
	}
	odd := resource.Operation{Name: op.Name, Version: op.Version, Input: []byte(`{"group_id":"` + id + `","rule_id":"sgr-1","all":true}`)}
	if _, err := f.Do(t.Context(), p, odd, yes); err == nil || len(f.wire.sent("RevokeSecurityGroupIngress")) != 0 {
		t.Errorf("an input with an unknown field: got %v, want an error and nothing sent", err)
	}
}

// What is authorized again is the rule as it was, in each of its forms.
func TestAuthorizeWritesTheRuleBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	own := f.group(t, "own")
	list, err := f.region.CreatePrefixList(t.Context(), "offices", 10, "203.0.113.0/24")
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]securitygroup.Rule{
		"tcp":          {Protocol: "tcp", From: 22, To: 23, CIDR: netip.MustParsePrefix("0.0.0.0/0"), Description: "a (b)", Tags: map[string]string{"team": "x", "env": "lab"}},
		"udp_v6":       {Protocol: "udp", From: 53, To: 53, CIDR: netip.MustParsePrefix("2001:db8::/32")},
		"all":          {Protocol: "-1", From: -1, To: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")},
		"icmp":         {Protocol: "icmp", From: 8, To: -1, CIDR: netip.MustParsePrefix("10.0.0.0/8")},
		"icmpv6":       {Protocol: "icmpv6", From: -1, To: -1, CIDR: netip.MustParsePrefix("::/0")},
		"esp":          {Protocol: "50", From: -1, To: -1, CIDR: netip.MustParsePrefix("10.0.0.0/8")},
		"group":        {Protocol: "tcp", From: 1, To: 2, Group: &securitygroup.GroupRef{ID: own}, Description: "peers"},
		"prefix_list":  {Protocol: "tcp", From: 1, To: 2, PrefixList: &securitygroup.PrefixList{ID: list}, Description: "offices"},
		"ports_0":      {Protocol: "tcp", From: 0, To: 0, CIDR: netip.MustParsePrefix("10.0.0.0/8")},
		"zero_to_most": {Protocol: "tcp", From: 0, To: 65535, CIDR: netip.MustParsePrefix("10.0.0.0/8")},
	}
	for name, want := range rules {
		id := f.group(t, name)
		input, err := json.Marshal(securitygroup.AuthorizeIngressInput{GroupID: id, Rule: want})
		if err != nil {
			t.Fatal(err)
		}
		p := dera.Plan{Partition: "aws", Account: hub, Region: east, Type: securitygroup.Name}
		if _, err := f.Do(t.Context(), p, resource.Operation{Name: securitygroup.AuthorizeIngress, Version: 1, Input: input}, yes); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := f.one(t, id).Ingress
		if len(got) != 1 || !got[0].SamePermission(want) || got[0].Description != want.Description || len(got[0].Tags) != len(want.Tags) || got[0].Tags["team"] != want.Tags["team"] {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

// The remediator's session can do the plan, its undo, and nothing else (design
// §6.1.11); the roles are assumed with the external ID.
func TestWritesGoThroughANarrowSession(t *testing.T) {
	t.Parallel()
	cloud := awssim.New(awssim.Config{Seed: 3})
	reads := cloud.Account(member).AddRole("reader", hub, "xid-7", "ec2:Describe*", "ec2:Get*")
	writes := cloud.Account(member).AddRole("fixer", hub, "xid-7", "ec2:*")
	there := cloud.Account(member).Region(east)
	group, err := there.CreateSecurityGroup(t.Context(), "web", ssh())
	if err != nil {
		t.Fatal(err)
	}
	other, err := there.CreateSecurityGroup(t.Context(), "other", ssh())
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(c *Config) {
		c.Accounts = []Account{{ID: member, RoleARN: reads, ExternalID: "xid-7", WriteRoleARN: writes}}
	})
	f.cloud = cloud
	f.wire.cloud = cloud
	hubUser := cloud.Account(hub).Credentials()
	f.Client, err = New(t.Context(), Config{
		Region: east, HTTPClient: &http.Client{Transport: f.wire}, Endpoint: "https://aws.sim", Timeout: 10 * time.Second, SessionName: "dera-test",
		Credentials: static(hubUser), Accounts: []Account{{ID: member, RoleARN: reads, ExternalID: "xid-7", WriteRoleARN: writes}},
	})
	if err != nil {
		t.Fatal(err)
	}
	scope := dera.Scope{Partition: "aws", Account: member, Region: east, Type: securitygroup.Name, IDs: []string{group, other}}
	page, err := f.Read(t.Context(), scope, true)
	if err != nil || len(page.Resources) != 2 {
		t.Fatalf("read: got %+v, %v, want 2 groups", page, err)
	}
	plan := func(id string) (dera.Plan, resource.Operation) {
		i := slices.IndexFunc(page.Resources, func(r dera.Resource) bool { return r.ID == id })
		g := page.Resources[i].Config.(*securitygroup.Group)
		c, err := g.Revoke(g.Ingress[0])
		if err != nil {
			t.Fatal(err)
		}
		return dera.Plan{Partition: "aws", Account: member, Region: east, Type: securitygroup.Name, Resource: page.Resources[i].ARN, Changes: []dera.Change{c}}, resource.Of(c)
	}
	mine, _ := plan(group)
	_, theirs := plan(other)
	if _, err := f.Do(t.Context(), mine, theirs, yes); !Is(err, Denied) {
		t.Errorf("a write to another group under the plan's session: got %v, want a denial", err)
	}
	_, op := plan(group)
	if _, err := f.Do(t.Context(), mine, op, yes); err != nil {
		t.Errorf("the plan's own write: %v", err)
	}
	assumed := f.wire.sent("AssumeRole")
	if len(assumed) != 3 {
		t.Fatalf("assumed roles: got %d, want the reader once and the fixer for each write", len(assumed))
	}
	for _, form := range assumed {
		if form.Get("ExternalId") != "xid-7" || form.Get("RoleSessionName") != "dera-test" {
			t.Errorf("assume role: got %v, want the external ID and the session name", form)
		}
	}
	if assumed[0].Get("RoleArn") != reads || assumed[0].Get("Policy") != "" || assumed[1].Get("RoleArn") != writes {
		t.Errorf("roles: got %q then %q, want the reader, then the fixer", assumed[0].Get("RoleArn"), assumed[1].Get("RoleArn"))
	}
	want := `{"Statement":[{"Effect":"Allow","Action":["ec2:AuthorizeSecurityGroupIngress","ec2:RevokeSecurityGroupIngress"],` +
		`"Resource":["arn:aws:ec2:us-east-1:` + member + `:security-group/` + group + `","arn:aws:ec2:us-east-1:` + member + `:security-group-rule/*"]},` +
		`{"Effect":"Allow","Action":["ec2:CreateTags"],"Resource":["arn:aws:ec2:us-east-1:` + member + `:security-group-rule/*"]}],"Version":"2012-10-17"}`
	if got := assumed[1].Get("Policy"); got != want || len(got) > 2048 {
		t.Errorf("session policy: got %s, want %s", got, want)
	}
	// A wrong external ID is an error that names credentials, not silence.
	wrong, err := New(t.Context(), Config{
		Region: east, HTTPClient: &http.Client{Transport: f.wire}, Endpoint: "https://aws.sim", Timeout: 10 * time.Second,
		Credentials: static(hubUser), Accounts: []Account{{ID: member, RoleARN: reads, ExternalID: "guess"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.Read(t.Context(), scope, true); !Is(err, Expired) {
		t.Errorf("wrong external ID: got %v, want a problem with credentials", err)
	}
	if strings.Contains(want, hubUser.SecretAccessKey) {
		t.Error("the policy holds a secret")
	}
}
