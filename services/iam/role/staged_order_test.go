package role_test

import (
	"encoding/json"
	"testing"

	"dera.example/dera/services/iam"
)

// TestStaged_order: a policy that loses its stage gets shorter, whatever its length was before
// the stage: it goes before one that gets longer, so that all of them fit at any time.
func TestStaged_order(t *testing.T) {
	t.Parallel()
	const bare, last = stagedStart + `"sqs:*"` + stagedEnd + `]}`, stagedStart + `"sqs:DeleteQueue"` + stagedEnd + `]}`
	const stage = `,{"Sid":"DeraStaged","Effect":"Deny","Action":["sqs:CreateQueue","sqs:PurgeQueue","sqs:TagQueue"],"Resource":"*"}]}`
	r := stagedRole(bare)
	r.Inline = []iam.Inline{{Name: "a", Document: bare}, {Name: "b", Document: bare[:len(bare)-2] + stage}}
	s := &iam.Subject{Policies: []iam.Text{{Name: "a", Document: bare}, {Name: "b", Document: bare}}, Stages: map[string][]string{"b": {"sqs:CreateQueue", "sqs:PurgeQueue", "sqs:TagQueue"}}}
	changes, refusal := r.Become(iam.RoleKind, s, []string{last, last})
	if refusal != nil || len(changes) != 2 {
		t.Fatalf("got %v, %v, want two changes", changes, refusal)
	}
	var first iam.InlineInput
	if err := json.Unmarshal(changes[0].Input, &first); err != nil || first.Policy != "b" {
		t.Errorf("got policy %s first, %v, want b", first.Policy, err)
	}
}
