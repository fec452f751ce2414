package wire_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/iamtest"
	"dera.example/dera/services/iam/role"
	rolewire "dera.example/dera/services/iam/role/wire"
	"dera.example/dera/services/iam/user"
	userwire "dera.example/dera/services/iam/user/wire"
)

// askedPort tells what was asked to be given back.
type askedPort struct {
	known map[string][]resource.Asked
	at    []dera.Scope
	err   error
}

func (p *askedPort) Asked(_ context.Context, at dera.Scope) (map[string][]resource.Asked, error) {
	p.at = append(p.at, at)
	return p.known, p.err
}

// TestAccesses: roles and users are read with what was asked to be given back, by their name.
// Without the port it is not known, and where it fails the principal is looked at again.
func TestAccesses(t *testing.T) {
	t.Parallel()
	answer := func(a cloudtest.Asked) (int, string) {
		switch a.Operation {
		case "GetRole":
			return iamtest.Answer(a.Operation, "<Role><Path>/ops/</Path><RoleName>app</RoleName><RoleId>AROA1</RoleId><Arn>arn:aws:iam::"+cloudtest.Hub+":role/ops/app</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>%7B%7D</AssumeRolePolicyDocument></Role>")
		case "GetUser":
			return iamtest.Answer(a.Operation, "<User><Path>/ops/</Path><UserName>app</UserName><UserId>AIDA1</UserId><Arn>arn:aws:iam::"+cloudtest.Hub+":user/ops/app</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></User>")
		case "ListGroupsForUser":
			return iamtest.Answer(a.Operation, "<Groups/><IsTruncated>false</IsTruncated>")
		case "ListAttachedRolePolicies", "ListAttachedUserPolicies":
			return iamtest.Answer(a.Operation, "<AttachedPolicies/><IsTruncated>false</IsTruncated>")
		case "ListInstanceProfilesForRole":
			return iamtest.Answer(a.Operation, "<InstanceProfiles/><IsTruncated>false</IsTruncated>")
		}
		return iamtest.Answer(a.Operation, "<PolicyNames/><IsTruncated>false</IsTruncated>")
	}
	asked := []resource.Asked{{Access: dera.Access{ID: "a-1"}, State: dera.AccessAsked}}
	for _, of := range []struct {
		typ      string
		wire     cloud.Wire
		identity func(config any) *own.Identity
	}{
		{role.Name, rolewire.Wire(), func(c any) *own.Identity { return &c.(*role.Role).Identity }},
		{user.Name, userwire.Wire(), func(c any) *own.Identity { return &c.(*user.User).Identity }},
	} {
		for name, tc := range map[string]struct {
			port *askedPort
			want []resource.Asked
		}{
			"asked":          {&askedPort{known: map[string][]resource.Asked{"app": asked}}, asked},
			"nobody_asked":   {&askedPort{known: map[string][]resource.Asked{"app2": asked}}, nil},
			"no_port":        {nil, nil},
			"the_port_fails": {&askedPort{err: errors.New("the database is away")}, nil},
		} {
			ports := map[string]any{}
			if tc.port != nil {
				ports[resource.PortAccess] = tc.port
			}
			s := cloudtest.NewServer(t, []cloud.Wire{of.wire}, answer, ports)
			scope := dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: dera.GlobalRegion, Type: of.typ, IDs: []string{"app"}}
			page, err := s.Read(t.Context(), scope, true)
			if err != nil || len(page.Resources) != 1 {
				t.Fatalf("%s %s: got %+v, %v", of.typ, name, page, err)
			}
			r := page.Resources[0]
			i := of.identity(r.Config)
			if !cmp.Equal(i.Access, tc.want) || (r.Unread != "") != (name == "the_port_fails") || name == "no_port" != slices.Contains(i.Unread, own.PartAccess) && r.Unread == "" {
				t.Errorf("%s %s: got %+v, unread %q and %q, want %+v", of.typ, name, i.Access, r.Unread, i.Unread, tc.want)
			}
			if scope.IDs = nil; tc.port != nil && !cmp.Equal(tc.port.at, []dera.Scope{scope}) {
				t.Errorf("%s %s: asked about %+v, want %+v", of.typ, name, tc.port.at, scope)
			}
		}
	}
}
