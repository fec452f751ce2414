package main

import (
	"encoding/json"
	"slices"
	"testing"

	"dera.example/dera"
	"dera.example/dera/resource/role"
	"dera.example/dera/services"
)

// TestSessionsOfWrites: for each write of each type a session can be limited to the resource,
// by the ARN that AWS gives it, or to the action where AWS knows no resource.
func TestSessionsOfWrites(t *testing.T) {
	t.Parallel()
	for _, typ := range services.Types().Types() {
		region := "eu-west-1"
		ids := typ.SampleIDs
		if typ.Global {
			region = dera.GlobalRegion
		}
		if len(ids) == 0 {
			ids = []string{"111122223333"}
		}
		for _, op := range typ.Operations {
			arn := typ.ARN("aws", "111122223333", region, ids[0])
			if name := arn.Whole().Name(); !typ.Global && name != ids[0] && len(typ.Settings) > 0 {
				t.Errorf("%s is read again as %q, want %q", arn, name, ids[0])
			}
			on := arn
			p := dera.Plan{Partition: "aws", Account: "111122223333", Region: region, Resource: arn, Type: typ.Name, Changes: []dera.Change{{Operation: op.Name}}}
			for _, w := range wires() {
				if w.Type == typ.Name && w.On != nil {
					on = w.On(p)
					p.Resource = on
				}
			}
			policy, err := role.Session(p)
			if err != nil {
				t.Errorf("%s of %s: %v", op.Name, arn, err)
				continue
			}
			if text, err := json.Marshal(policy); err != nil || len(text) > 2048 {
				t.Errorf("%s of %s: its policy has %d characters, %v, and a session takes 2,048", op.Name, arn, len(text), err)
			}
			allowed := false
			for _, s := range policy.Statement {
				allowed = allowed || slices.Contains(s.Action, op.Name) && (slices.Contains(s.Resource, string(on.Whole())) || slices.Equal(s.Resource, []string{"*"}))
			}
			if !allowed {
				t.Errorf("%s of %s: got %+v, want it allowed there", op.Name, arn, policy.Statement)
			}
		}
	}
}
