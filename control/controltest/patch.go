package controltest

import (
	"encoding/json"
	"errors"
	"fmt"
)

// baseCase is the configuration that patches change; it is not a case.
const baseCase = "base"

// patched is a JSON object with a merge patch applied (RFC 7396): a member that is
// null goes, an object is patched, any other value replaces.
func patched(text, patch []byte) ([]byte, error) {
	if text == nil {
		return nil, errors.New("a patch needs base.json before it")
	}
	var into, from any
	if err := json.Unmarshal(text, &into); err != nil {
		return nil, fmt.Errorf("base.json: %w", err)
	}
	if err := json.Unmarshal(patch, &from); err != nil {
		return nil, err
	}
	return json.Marshal(merged(into, from))
}

func merged(into, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	out, ok := into.(map[string]any)
	if !ok {
		out = map[string]any{}
	}
	for name, value := range changes {
		if value == nil {
			delete(out, name)
			continue
		}
		out[name] = merged(out[name], value)
	}
	return out
}
