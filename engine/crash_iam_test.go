package engine_test

import (
	"os"
	"testing"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/policy"
	"dera.example/dera/services/iam/role"
)

// crashAll asks for a death at every step of the rows of IAM too (make long).
const crashAll = "DERA_CRASH_ALL"

// stride is how far apart the steps lie at which an engine dies. A look at a role or a
// policy proves something each time, so that theirs lie further apart.
func (tt crash) stride() int {
	switch {
	case testing.Short():
		return 5
	case tt.far > 0 && os.Getenv(crashAll) == "":
		return tt.far
	}
	return 1
}

// identityCrashes are the rows of IAM: a policy gets another version in force where there is no
// room for one (the oldest goes, one is made, and it is put in force), an inline policy is
// narrowed, a managed one detached, a copy takes the place of one of AWS (the copy is put, then
// that one detached), a trust policy narrowed.
func identityCrashes() []crash {
	full := func() dera.Resource {
		r := newPolicy(0, policy.MostVersions-1)
		r.Config.(*policy.Policy).Default.Document = bucketPolicy(permits("First", usedAction, unusedAction))
		return r
	}
	inline := func() dera.Resource {
		r := newRole(0)
		r.Config.(*role.Role).Inline = []iam.Inline{{Name: "own", Document: bucketPolicy(permits("First", usedAction, unusedAction))}}
		return r
	}
	with := func(op resource.Operation, err error) []resource.Operation {
		if err != nil {
			panic(err) // it can be written
		}
		return []resource.Operation{op}
	}
	app := func() dera.Resource { return newRole(0) }
	attached := with(attach(newRole(0).Config.(*role.Role), managed("reports", unusedAction)))
	owning := func() dera.Resource { // an inline policy of its own stays as it is
		r := newRole(0)
		r.Config.(*role.Role).Inline = []iam.Inline{{Name: "own", Document: bucketPolicy(permits("First", usedAction))}}
		return r
	}
	aws := with(attach(newRole(0).Config.(*role.Role), ofAWS()))
	stays := []string{"inline " + iam.CopyName(ofAWS().ARN, ofAWS().Version) + " statement Only allows " + usedAction, "inline own statement First allows " + usedAction}
	trusted := with(trusting(newRole(0).Config.(*role.Role), "Outsider", `{"AWS":"arn:aws:iam::`+outsider+`:root"}`))
	return []crash{
		{name: "apply_of_a_version", kind: policyChaos{}, make: full, far: 3},
		{name: "undo_of_a_failed_version", kind: policyChaos{}, make: full, denied: policy.SetDefault, far: 3},
		{name: "rollback_of_a_version", kind: policyChaos{}, make: full, rollback: true, far: 3},
		{name: "apply_of_an_inline_policy", kind: roleChaos{}, make: inline, far: 3},
		{name: "rollback_of_an_inline_policy", kind: roleChaos{}, make: inline, rollback: true, far: 3},
		{name: "apply_of_a_detach", kind: roleChaos{}, make: app, rules: attached, far: 3},
		{name: "rollback_of_a_detach", kind: roleChaos{}, make: app, rules: attached, rollback: true, far: 3},
		{name: "apply_of_a_copy", kind: roleChaos{}, make: owning, rules: aws, ofAWS: true, needs: stays, far: 3},
		{name: "undo_of_a_failed_copy", kind: roleChaos{}, make: owning, rules: aws, denied: iam.RoleKind.Detach(), ofAWS: true, needs: stays, far: 3},
		{name: "rollback_of_a_copy", kind: roleChaos{}, make: owning, rules: aws, rollback: true, ofAWS: true, needs: stays, far: 3},
		{name: "apply_of_a_trust", kind: roleChaos{}, make: app, rules: trusted, far: 3},
		{name: "rollback_of_a_trust", kind: roleChaos{}, make: app, rules: trusted, rollback: true, far: 3},
	}
}
