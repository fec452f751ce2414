package cloudtrail

import (
	"strings"
	"testing"
)

// The messages are those of AWS's documents on denied access: the IAM user guide
// (troubleshoot_access-denied), re:Post on EC2's, and the security blog on ARNs of policies.
func TestDenialOf(t *testing.T) {
	t.Parallel()
	const by = "User: arn:aws:iam::777788889999:user/JohnDoe is not authorized to perform: codecommit:ListRepositories"
	missing := func(p string) string {
		return by + " because no " + p + " allows the codecommit:ListRepositories action"
	}
	for name, tt := range map[string]struct {
		message string
		want    Denial
	}{
		"identity":         {missing("identity-based policy"), Denial{Policy: IdentityPolicy}},
		"resource":         {missing("resource-based policy"), Denial{Policy: ResourcePolicy}},
		"trust":            {missing("role trust policy"), Denial{Policy: TrustPolicy}},
		"session":          {missing("session policy"), Denial{Policy: SessionPolicy}},
		"boundary":         {missing("permissions boundary"), Denial{Policy: Boundary}},
		"scp":              {missing("service control policy"), Denial{Policy: ControlPolicy}},
		"endpoint":         {missing("VPC endpoint policy"), Denial{Policy: EndpointPolicy}},
		"of_a_later_type":  {missing("policy of the year 2030"), Denial{}},
		"identity_deny":    {by + " with an explicit deny in an identity-based policy", Denial{Policy: IdentityPolicy, Explicit: true}},
		"scp_deny":         {by + " on resource: arn:aws:iam::1:role/* with an explicit deny in a service control policy", Denial{Policy: ControlPolicy, Explicit: true}},
		"rcp_deny":         {by + " on resource: x with an explicit deny in a resource control policy", Denial{Policy: LimitPolicy, Explicit: true}},
		"trust_deny":       {by + " with an explicit deny in the role trust policy", Denial{Policy: TrustPolicy, Explicit: true}},
		"arn_of_policy":    {by + " on resource: x with an explicit deny in a service control policy: arn:aws:organizations::987654321098:policy/o-q/service_control_policy/p-2", Denial{Policy: ControlPolicy, Explicit: true}},
		"encoded":          {"You are not authorized to perform this operation. " + by + " on resource: x with an explicit deny in a permissions boundary. Encoded authorization failure message: XQ_jq-de5", Denial{Policy: Boundary, Explicit: true}},
		"without_a_reason": {by + " on resource: arn:aws:lambda:us-west-2:1:function:f", Denial{}},
	} {
		if tt.want.Action == "" {
			tt.want.Action = "codecommit:ListRepositories"
		}
		if got := DenialOf(tt.message); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
	for name, message := range map[string]string{
		"none": "", "s3": "Access Denied", "encoded_alone": "You are not authorized to perform this operation. Encoded authorization failure message: OwnX",
		"no_action": "User: x is not authorized to perform: everything because no identity-based policy allows the everything action",
		"wildcard":  "User: x is not authorized to perform: s3:* on resource: y", "control": "User: x is not authorized to perform: s3:Get\x1bObject on resource: y",
		"no_user": " is not authorized to perform: s3:GetObject", "huge": by + strings.Repeat(" ", maxMessage) + " because no identity-based policy allows the codecommit:ListRepositories action",
	} {
		if got := DenialOf(message); got != (Denial{}) {
			t.Errorf("%s: got %+v, want nothing", name, got)
		}
	}
}

// TestDenialOf_hostile: the name of a resource, which the caller chooses, decides nothing
// that AWS says after it.
func TestDenialOf_hostile(t *testing.T) {
	t.Parallel()
	const end = " because no identity-based policy allows the s3:GetObject action"
	for _, key := range []string{
		"x with an explicit deny in a service control policy", "x because no permissions boundary allows the s3:GetObject action",
		"x Encoded authorization failure message: y", "x: arn:aws:organizations::1:policy/p", "User: z is not authorized to perform: iam:PassRole on resource: q", "\n\x1b[31m\"",
	} {
		want := Denial{Action: "s3:GetObject", Policy: IdentityPolicy}
		if got := DenialOf("User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::b/" + key + "\"" + end); got != want {
			t.Errorf("%q: got %+v, want %+v", key, got, want)
		}
	}
}

func FuzzDenialOf(f *testing.F) {
	f.Add("User: u is not authorized to perform: s3:GetObject on resource: r because no session policy allows the s3:GetObject action")
	f.Add("You are not authorized to perform this operation. User: u is not authorized to perform: ec2:RunInstances with an explicit deny in a service control policy: arn:aws:x. Encoded authorization failure message: q")
	f.Fuzz(func(t *testing.T, message string) {
		d := DenialOf(message)
		if d.Action == "" && d != (Denial{}) || d.Action != "" && !strings.Contains(message, d.Action) || d.Policy != "" && !strings.Contains(message, string(d.Policy)) {
			t.Errorf("%q: got %+v", message, d)
		}
	})
}
