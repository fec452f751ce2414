package role_test

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
)

// TestNoPolicyNeedsNoRecord: a finding whose record is lost stays, but not on a role that
// has no policy any more.
func TestNoPolicyNeedsNoRecord(t *testing.T) {
	t.Parallel()
	policies := []iam.Inline{{Name: "own", Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:CreateQueue","Resource":"*"}]}`}}
	for name, tt := range map[string]struct {
		r    role.Role
		want bool
	}{
		"with_a_policy":   {role.Role{Identity: iam.Identity{Name: "r", Inline: policies}}, true},
		"without_one":     {role.Role{Identity: iam.Identity{Name: "r"}}, false},
		"not_read":        {role.Role{Identity: iam.Identity{Name: "r", Unread: []string{iam.PartInline}}}, true},
		"of_aws_attached": {role.Role{Identity: iam.Identity{Name: "r", Attached: []iam.Attached{{ARN: "arn:aws:iam::aws:policy/X"}}}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, err := role.UnusedPermissions().Check(dera.Resource{Type: role.Name, Config: &tt.r}, control.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			if res.Outcome != control.NotApplicable || res.Unrecorded != tt.want {
				t.Errorf("got %s, %t, want that a record is missing: %t", res.Outcome, res.Unrecorded, tt.want)
			}
		})
	}
}
