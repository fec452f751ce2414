package eval

import (
	"encoding/json"
	"testing"
)

// TestExtra_pairs_generated checks the witnesses of pairs of policies that are
// known not to be subsets: the new policy allows the request, the existing one
// does not.
func TestExtra_pairs_generated(t *testing.T) {
	t.Parallel()
	var file struct {
		Cases []struct {
			ID, Expected  string
			Existing, New json.RawMessage
			Witness       *struct {
				Action, Resource, Principal string
				Ctx                         Context
			}
		}
	}
	extraFile(t, "pairs_generated.json", &file)
	var cases []extraCase
	for _, c := range file.Cases {
		if c.Witness == nil {
			continue
		}
		r := Request{Principal: Principal{ARN: c.Witness.Principal}, Action: c.Witness.Action, Resource: c.Witness.Resource, Context: c.Witness.Ctx}
		before := Compile(parseAll(t, c.Existing)...).Decide(r, Reading{}) == Allowed
		after := Compile(parseAll(t, c.New)...).Decide(r, Reading{}) == Allowed
		cases = append(cases, extraCase{c.ID, words(before) + ", then " + words(after), "no, then yes"})
	}
	report(t, "pairs_generated.json", cases, nil)
}
