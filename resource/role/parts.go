package role

import (
	"encoding/json"
	"fmt"
)

// ManagedLimit is how many characters IAM takes in a managed policy, without white space (IAM and
// STS quotas). The inline policies of a role together have 10,240.
const ManagedLimit = 6144

// Size is the number of characters of the policy without white space.
func (p Policy) Size() (int, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return 0, fmt.Errorf("size of a policy: %w", err)
	}
	return len(text), nil
}

// Parts returns policies of at most so many characters each, in the order of the statements,
// that together allow what p does. It is an error where one action is too large for that.
func (p Policy) Parts(limit int) ([]Policy, error) {
	var out []Policy
	rest := p.Statement
	part := Policy{Version: p.Version}
	for len(rest) > 0 {
		with := Policy{p.Version, append(part.Statement[:len(part.Statement):len(part.Statement)], rest[0])}
		size, err := with.Size()
		switch {
		case err != nil:
			return nil, err
		case size <= limit:
			part, rest = with, rest[1:]
			continue
		case len(part.Statement) > 0:
			out, part = append(out, part), Policy{Version: p.Version}
			continue
		case len(rest[0].Action) < 2:
			return nil, fmt.Errorf("%v alone has %d characters, more than %d", rest[0].Action, size, limit)
		}
		first, second := rest[0], rest[0]
		half := len(first.Action) / 2
		first.Action, second.Action = first.Action[:half], second.Action[half:]
		if second.Sid != "" {
			second.Sid += "More"
		}
		rest = append([]Statement{first, second}, rest[1:]...)
	}
	if len(part.Statement) > 0 {
		out = append(out, part)
	}
	return out, nil
}
