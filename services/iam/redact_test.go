package iam_test

import (
	"encoding/json"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/group"
	"dera.example/dera/services/iam/policy"
	"dera.example/dera/services/iam/role"
	"dera.example/dera/services/iam/user"
)

// TestRedact: no type of IAM shows the values of conditions that can be secret, neither
// in the changes of a plan nor in their diff.
func TestRedact(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-external-id"
	doc := func(action string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"` + action + `","Condition":{"StringEquals":{"sts:ExternalId":"` + secret + `"}}}]}`
	}
	old, fresh := doc("sts:AssumeRole"), doc("sts:TagSession")
	identity := iam.Identity{Name: "app", Path: "/", Inline: []iam.Inline{{Name: "own", Document: old}}, Attached: []iam.Attached{{ARN: "arn:aws:iam::111122223333:policy/x", Document: old}}}
	r := &role.Role{Identity: identity, Trust: old}
	p := &policy.Policy{Name: "app", Path: "/", Default: policy.Version{Document: old}, Others: []policy.Version{{Document: doc("a:b")}, {Document: doc("a:c")}, {Document: doc("a:d")}, {Document: doc("a:e")}}}
	versions, err := p.SetDocument(fresh)
	if err != nil {
		t.Fatal(err)
	}
	one := func(c dera.Change, err error) dera.Change {
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for name, tc := range map[string]struct {
		typ     resource.Type
		changes []dera.Change
	}{
		"role":   {role.Type(), []dera.Change{one(r.SetTrust(fresh)), one(r.SetInline(iam.RoleKind, "own", fresh)), one(r.DetachManaged(iam.RoleKind, identity.Attached[0].ARN))}},
		"user":   {user.Type(), []dera.Change{one(identity.SetInline(iam.UserKind, "own", ""))}},
		"group":  {group.Type(), []dera.Change{one(identity.SetInline(iam.GroupKind, "new", fresh))}},
		"policy": {policy.Type(), versions},
	} {
		before, err := json.Marshal(tc.changes)
		if err != nil || !strings.Contains(string(before), secret) {
			t.Fatalf("%s: the plan holds no secret: %v", name, err)
		}
		shown, err := json.Marshal(tc.typ.Redact(dera.Plan{Changes: tc.changes}))
		if err != nil || strings.Contains(string(shown), secret) || !strings.Contains(string(shown), "redacted-1") {
			t.Errorf("%s: got %s, %v", name, shown, err)
		}
		if after, err := json.Marshal(tc.changes); err != nil || string(after) != string(before) {
			t.Errorf("%s: the plan itself changed", name)
		}
	}
}
