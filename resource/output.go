package resource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
)

var outputRef = regexp.MustCompile(`^"\$\{out\.([A-Za-z0-9_]+)\}"$`)

// Fill replaces each top-level member of the JSON object that is ${out.NAME}, as
// a whole, by the output of that name. Text that merely holds such a reference,
// and whatever lies deeper, for example the description that a customer gave to
// a rule, stays as it is. A name without a value is an error: an undo is never
// sent half-filled.
func Fill(input json.RawMessage, out map[string]string) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(input, &members); err != nil {
		return nil, fmt.Errorf("read input: %w", err)
	}
	for key, value := range members {
		m := outputRef.FindSubmatch(value)
		if m == nil {
			continue
		}
		v := out[string(m[1])]
		if v == "" {
			return nil, fmt.Errorf("output %q of the change is not recorded", m[1])
		}
		quoted, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("fill %q: %w", key, err)
		}
		members[key] = quoted
	}
	return json.Marshal(members)
}

// Input reads the input of an operation.
func Input[In any](op Operation) (In, error) {
	var in In
	err := Decode(op, &in)
	return in, err
}

// Decode reads the input of an operation; a member that it does not know is an
// error.
func Decode(op Operation, into any) error {
	d := json.NewDecoder(bytes.NewReader(op.Input))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("read input of %s version %d: %w", op.Name, op.Version, err)
	}
	return nil
}
