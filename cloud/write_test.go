package cloud_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/services/ec2/securitygroup"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
)

// planOf is a plan on the group: revoke its first inbound rule.
func (f fixture) planOf(t *testing.T, id string) (dera.Plan, resource.Operation) {
	t.Helper()
	g := f.one(t, id)
	c, err := g.Revoke(g.Ingress[0])
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{
		Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: securitygroup.Name,
		Resource: dera.NewARN("aws", "ec2", cloudtest.East, cloudtest.Hub, "security-group/"+id), Changes: []dera.Change{c},
	}
	return p, resource.Of(c)
}

// A write has one attempt, whatever it answers: what became of it is read.
func TestWriteHasOneAttempt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answer  *http.Response
		err     error
		refused bool
		passing bool
		problem cloud.Problem
	}{
		{name: "server_error", answer: cloudtest.Failure(500, "InternalError", "x"), problem: cloud.Other},
		{name: "service_unavailable", answer: cloudtest.Failure(503, "Unavailable", "x"), problem: cloud.Other},
		{name: "no_xml_from_a_proxy", answer: cloudtest.Failure(502, "", ""), problem: cloud.Other},
		{name: "throttled", answer: cloudtest.Failure(503, "RequestLimitExceeded", "x"), refused: true, passing: true, problem: cloud.Throttled},
		{name: "expired", answer: cloudtest.Failure(400, "RequestExpired", "x"), refused: true, passing: true, problem: cloud.Expired},
		{name: "denied", answer: cloudtest.Failure(403, "UnauthorizedOperation", "x"), refused: true, problem: cloud.Denied},
		{name: "invalid", answer: cloudtest.Failure(400, "InvalidParameterValue", "x"), refused: true, problem: cloud.Other},
		{name: "broken_connection", err: errors.New("connection reset by peer"), problem: cloud.Other},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			id := f.group(t, "web", ssh())
			p, op := f.planOf(t, id)
			asked := 0
			f.Wire.Before = func(form url.Values) error {
				if form.Get("Action") == "RevokeSecurityGroupIngress" {
					return tt.err
				}
				return nil
			}
			f.Wire.Answer = func(form url.Values) *http.Response {
				if form.Get("Action") == "RevokeSecurityGroupIngress" {
					return tt.answer
				}
				return nil
			}
			_, err := f.Do(t.Context(), p, op, func(context.Context) error { asked++; return nil })
			var e *cloud.Error
			if !errors.As(err, &e) || e.Problem != tt.problem || e.Refused() != tt.refused || e.Passing() != tt.passing {
				t.Fatalf("got %v (%+v), want %s, refused %t, passing %t", err, e, tt.problem, tt.refused, tt.passing)
			}
			if n := len(f.Wire.Sent("RevokeSecurityGroupIngress")); n != 1 || asked != 1 {
				t.Errorf("got %d requests and %d questions to the guard, want 1 and 1", n, asked)
			}
			last := f.Calls[len(f.Calls)-1]
			if !last.Write || last.Operation != "RevokeSecurityGroupIngress" || last.Account != cloudtest.Hub || last.Region != cloudtest.East || last.Service != "ec2" {
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
	if n := len(f.Wire.Sent("RevokeSecurityGroupIngress")); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
	unknown := resource.Operation{Name: "ec2:DeleteSecurityGroup", Version: 1}
	if _, err := f.Do(t.Context(), p, unknown, cloudtest.Allow); err == nil || len(f.Wire.Sent("DeleteSecurityGroup")) != 0 {
		t.Errorf("an operation that nobody planned: got %v, want an error and nothing sent", err)
	}
	odd := resource.Operation{Name: op.Name, Version: op.Version, Input: []byte(`{"group_id":"` + id + `","rule_id":"sgr-1","all":true}`)}
	if _, err := f.Do(t.Context(), p, odd, cloudtest.Allow); err == nil || len(f.Wire.Sent("RevokeSecurityGroupIngress")) != 0 {
		t.Errorf("an input with an unknown field: got %v, want an error and nothing sent", err)
	}
}

// The remediator's session can do the plan, its undo, and nothing else (design
// §6.1.11); the roles are assumed with the external ID.
func TestWritesGoThroughANarrowSession(t *testing.T) {
	t.Parallel()
	sim := awssim.New(awssim.Config{Seed: 3})
	reads := sim.Account(cloudtest.Member).AddRole("reader", cloudtest.Hub, "xid-7", "ec2:Describe*", "ec2:Get*")
	writes := sim.Account(cloudtest.Member).AddRole("fixer", cloudtest.Hub, "xid-7", "ec2:*")
	there := sim.Account(cloudtest.Member).Region(cloudtest.East)
	group, err := there.CreateSecurityGroup(t.Context(), "web", ssh())
	if err != nil {
		t.Fatal(err)
	}
	other, err := there.CreateSecurityGroup(t.Context(), "other", ssh())
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(c *cloud.Config) {
		c.Accounts = []cloud.Account{{ID: cloudtest.Member, RoleARN: reads, ExternalID: "xid-7", WriteRoleARN: writes}}
	})
	f.Cloud = sim
	f.Wire.Cloud = sim
	hubUser := sim.Account(cloudtest.Hub).Credentials()
	f.Client, err = cloud.New(t.Context(), cloud.Config{Wires: wires(),
		Region: cloudtest.East, HTTPClient: &http.Client{Transport: f.Wire}, Endpoint: "https://aws.sim", Timeout: 10 * time.Second, SessionName: "dera-test",
		Credentials: cloudtest.Static(hubUser), Accounts: []cloud.Account{{ID: cloudtest.Member, RoleARN: reads, ExternalID: "xid-7", WriteRoleARN: writes}},
	})
	if err != nil {
		t.Fatal(err)
	}
	scope := dera.Scope{Partition: "aws", Account: cloudtest.Member, Region: cloudtest.East, Type: securitygroup.Name, IDs: []string{group, other}}
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
		return dera.Plan{Partition: "aws", Account: cloudtest.Member, Region: cloudtest.East, Type: securitygroup.Name, Resource: page.Resources[i].ARN, Changes: []dera.Change{c}}, resource.Of(c)
	}
	mine, _ := plan(group)
	_, theirs := plan(other)
	if _, err := f.Do(t.Context(), mine, theirs, cloudtest.Allow); !cloud.Is(err, cloud.Denied) {
		t.Errorf("a write to another group under the plan's session: got %v, want a denial", err)
	}
	_, op := plan(group)
	if _, err := f.Do(t.Context(), mine, op, cloudtest.Allow); err != nil {
		t.Errorf("the plan's own write: %v", err)
	}
	assumed := f.Wire.Sent("AssumeRole")
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
	arn := "arn:aws:ec2:us-east-1:" + cloudtest.Member + ":security-group"
	want := `{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Allow","Action":["ec2:AuthorizeSecurityGroupIngress"],"Resource":["` + arn + `/` + group + `","` + arn + `-rule/*"]},` +
		`{"Effect":"Allow","Action":["ec2:CreateTags"],"Resource":["` + arn + `-rule/*"]},` +
		`{"Effect":"Allow","Action":["ec2:RevokeSecurityGroupIngress"],"Resource":["` + arn + `/` + group + `"]}]}`
	if got := assumed[1].Get("Policy"); got != want || len(got) > 2048 {
		t.Errorf("session policy: got %s, want %s", got, want)
	}
	// A wrong external ID is an error that names credentials, not silence.
	wrong, err := cloud.New(t.Context(), cloud.Config{Wires: wires(),
		Region: cloudtest.East, HTTPClient: &http.Client{Transport: f.Wire}, Endpoint: "https://aws.sim", Timeout: 10 * time.Second,
		Credentials: cloudtest.Static(hubUser), Accounts: []cloud.Account{{ID: cloudtest.Member, RoleARN: reads, ExternalID: "guess"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.Read(t.Context(), scope, true); !cloud.Is(err, cloud.Expired) {
		t.Errorf("wrong external ID: got %v, want a problem with credentials", err)
	}
	if strings.Contains(want, hubUser.SecretAccessKey) {
		t.Error("the policy holds a secret")
	}
}
