package wire_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam/iamtest"
	"dera.example/dera/services/iam/role"
	rolewire "dera.example/dera/services/iam/role/wire"
	"dera.example/dera/services/iam/root"
	rootwire "dera.example/dera/services/iam/root/wire"
	"dera.example/dera/services/iam/user"
	userwire "dera.example/dera/services/iam/user/wire"
)

// fromPort is a ledger that knows the last use, and says which use incidents explain.
type fromPort struct {
	seen  map[string]time.Time
	known map[dera.ARN]resource.Explained
	asked []dera.Scope
	err   error
}

func (u *fromPort) Used(_ context.Context, _ string, principals []string) (map[string]resource.Use, error) {
	out := map[string]resource.Use{}
	for _, p := range principals {
		if at, ok := u.seen[p]; ok {
			out[p] = resource.Use{Seen: at}
		}
	}
	return out, nil
}

func (u *fromPort) Attached(_ context.Context, at dera.Scope) (map[dera.ARN]resource.Explained, error) {
	u.asked = append(u.asked, at)
	return u.known, u.err
}

// TestExplained: roles, users and the root user are read with their use and what explains
// it, by their ARN with its path. Without the port, and where it fails, nothing passes.
func TestExplained(t *testing.T) {
	t.Parallel()
	const roleARN, userARN, rootARN = "arn:aws:iam::" + cloudtest.Hub + ":role/ops/break-glass", "arn:aws:iam::" + cloudtest.Hub + ":user/ops/rescue", "arn:aws:iam::" + cloudtest.Hub + ":root"
	at := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	settings := control.Settings{Emergency: control.Emergency{Roles: []string{"break-*"}, Principals: []string{userARN}}}
	answer := func(a cloudtest.Asked) (int, string) {
		switch a.Operation {
		case "GetAccountSummary":
			return iamtest.Answer(a.Operation, "<SummaryMap><entry><key>AccountMFAEnabled</key><value>1</value></entry></SummaryMap>")
		case "GetRole":
			return iamtest.Answer(a.Operation, "<Role><Path>/ops/</Path><RoleName>break-glass</RoleName><RoleId>AROA1</RoleId><Arn>"+roleARN+"</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>%7B%7D</AssumeRolePolicyDocument></Role>")
		case "GetUser":
			return iamtest.Answer(a.Operation, "<User><Path>/ops/</Path><UserName>rescue</UserName><UserId>AIDA1</UserId><Arn>"+userARN+"</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></User>")
		case "ListGroupsForUser":
			return iamtest.Answer(a.Operation, "<Groups/><IsTruncated>false</IsTruncated>")
		case "ListAttachedRolePolicies", "ListAttachedUserPolicies":
			return iamtest.Answer(a.Operation, "<AttachedPolicies/><IsTruncated>false</IsTruncated>")
		case "ListInstanceProfilesForRole":
			return iamtest.Answer(a.Operation, "<InstanceProfiles/><IsTruncated>false</IsTruncated>")
		case "ListVirtualMFADevices":
			return iamtest.Answer(a.Operation, "<VirtualMFADevices/><IsTruncated>false</IsTruncated>")
		}
		return iamtest.Answer(a.Operation, "<PolicyNames/><IsTruncated>false</IsTruncated>")
	}
	for _, of := range []struct {
		arn, typ, id string
		wire         cloud.Wire
		control      control.Control
		explained    func(config any) *resource.Explained
	}{
		{roleARN, role.Name, "break-glass", rolewire.Wire(), role.EmergencyUse(), func(c any) *resource.Explained { return c.(*role.Role).Explained }},
		{userARN, user.Name, "rescue", userwire.Wire(), user.EmergencyUse(), func(c any) *resource.Explained { return c.(*user.User).Explained }},
		{rootARN, root.Name, root.ID, rootwire.Wire(), root.Used(), func(c any) *resource.Explained { return c.(*root.User).Explained }},
	} {
		covered := map[dera.ARN]resource.Explained{dera.ARN(of.arn): {Covered: dera.LastUse{Seen: at}, Reference: "INC-1"}}
		used := map[string]time.Time{of.arn: at}
		for name, tc := range map[string]struct {
			port *fromPort
			want control.Outcome
		}{
			"used":            {&fromPort{seen: used}, control.Fail},
			"explained":       {&fromPort{seen: used, known: covered}, control.Pass},
			"another_is":      {&fromPort{seen: used, known: map[dera.ARN]resource.Explained{"arn:aws:iam::1:root": covered[dera.ARN(of.arn)]}}, control.Fail},
			"not_recorded":    {&fromPort{}, control.NotApplicable},
			"no_port":         {nil, control.UnknownResult},
			"the_port_fails":  {&fromPort{seen: used, err: errors.New("away")}, control.UnknownResult},
			"never_used_open": {&fromPort{known: map[dera.ARN]resource.Explained{dera.ARN(of.arn): {Open: dera.LastUse{Seen: at}}}}, control.Fail},
		} {
			ports := map[string]any{}
			if tc.port != nil {
				ports[resource.PortLedger], ports[resource.PortIncidents] = tc.port, tc.port
			}
			s := cloudtest.NewServer(t, []cloud.Wire{of.wire}, answer, ports)
			scope := dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: dera.GlobalRegion, Type: of.typ, IDs: []string{of.id}}
			page, err := s.Read(t.Context(), scope, true)
			if err != nil || len(page.Resources) != 1 || string(page.Resources[0].ARN) != of.arn {
				t.Fatalf("%s %s: got %+v, %v", of.typ, name, page, err)
			}
			r := page.Resources[0]
			res, err := of.control.Check(r, settings)
			if err != nil || res.Outcome != tc.want || (r.Unread != "") != (name == "the_port_fails") {
				t.Errorf("%s %s: got %+v, %v, unread %q, want %s", of.typ, name, res, err, r.Unread, tc.want)
			}
			if tc.port == nil {
				continue
			}
			scope.IDs = nil
			if d := cmp.Diff([]dera.Scope{scope}, tc.port.asked); d != "" {
				t.Errorf("%s %s: asked (-want +got):\n%s", of.typ, name, d)
			}
			if e := of.explained(r.Config); tc.port.err == nil && (e == nil || string(e.Principal) != of.arn) {
				t.Errorf("%s %s: got %+v, want its ARN in it", of.typ, name, e)
			}
		}
	}
}
