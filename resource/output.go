package resource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
)

var outputRef = regexp.MustCompile(`\$\{out\.([A-Za-z0-9_]+)\}`)

// fill replaces each ${out.NAME} in the JSON text by the output of that name.
// A name without a value is an error: an undo is never sent half-filled.
func fill(input json.RawMessage, out map[string]string) ([]byte, error) {
	var missing string
	filled := outputRef.ReplaceAllFunc(input, func(m []byte) []byte {
		name := string(outputRef.FindSubmatch(m)[1])
		v, ok := out[name]
		if !ok {
			missing = name
			return m
		}
		quoted, err := json.Marshal(v)
		if err != nil {
			missing = name
			return m
		}
		return bytes.Trim(quoted, `"`)
	})
	if missing != "" {
		return nil, fmt.Errorf("output %q of the change is not recorded", missing)
	}
	return filled, nil
}

func decode(op Operation, into any) error {
	d := json.NewDecoder(bytes.NewReader(op.Input))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("read input of %s version %d: %w", op.Name, op.Version, err)
	}
	return nil
}
