package role_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
)

// TestResources_claims: each claim falls with what it rests on, whatever the others say.
func TestResources_claims(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*iam.Resources)
		fall   []string
	}{
		"as_it_is":               {func(*iam.Resources) {}, nil},
		"no_proof_of_the_first":  {func(r *iam.Resources) { r.Actions.Certificate = "" }, []string{"nothing_new", "nothing_lost", "finding_gone"}},
		"no_proof_of_the_second": {func(r *iam.Resources) { r.NothingNew, r.NothingLost = "", "" }, []string{"nothing_new", "nothing_lost"}},
		"a_resource_not_seen": {func(r *iam.Resources) {
			r.After[0] = strings.Replace(r.After[0], `:jobs"`, `:jobs","arn:aws:sqs:eu-west-1:111122223333:new"`, 1)
		}, []string{"nothing_new", "nothing_lost", "finding_gone", "resources_seen"}},
		"a_step_without_findings": {func(r *iam.Resources) { r.Actions.Goals = nil }, []string{"nothing_lost"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := certifiedResources(t)
			tt.change(&r)
			ev, err := r.Evidence()
			if err != nil {
				t.Fatal(err)
			}
			var fell []string
			for _, c := range ev.Claims {
				about := []string{"nothing_new", "nothing_lost", "finding_gone", "resources_seen"}
				if slices.Contains(about, c.Name) && c.Verdict != dera.Proved {
					fell = append(fell, c.Name)
				}
			}
			if !slices.Equal(fell, tt.fall) {
				t.Errorf("got %v that do not hold, want %v", fell, tt.fall)
			}
		})
	}
}

// certifiedResources is the body of a proof of both steps.
func certifiedResources(t *testing.T) (out iam.Resources) {
	t.Helper()
	c := role.UnusedPermissions()
	for _, k := range laws().Read(t, c, "unused_permissions.txtar") {
		if k.Name != "resources_and_rare" {
			continue
		}
		res, errCheck := c.Check(k.Resource, k.Settings)
		plan, refusal, errPlan := c.Plan(k.Resource, res.Failures, k.Settings)
		if errCheck != nil || errPlan != nil || refusal != nil {
			t.Fatal(errCheck, errPlan, refusal)
		}
		ev, err := c.Prove(k.Resource, res.Failures, plan, k.Settings)
		if err == nil {
			err = json.Unmarshal(ev.Body, &out)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}
