package bucket

import (
	"encoding/json"

	"dera.example/dera/resource/document"
)

// redactJSON hides what can be secret in a policy text, or in the input of an
// operation on policies.
func redactJSON(r *document.Redactor, raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return raw
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return mustJSON(r.Text(text))
	}
	var in BucketPolicyInput
	if json.Unmarshal(raw, &in) != nil {
		return mustJSON("(not shown)")
	}
	in.Policy, in.Expect = r.Text(in.Policy), r.Text(in.Expect)
	return mustJSON(in)
}

// mustJSON is for texts and structs of texts, which always marshal.
func mustJSON(v any) json.RawMessage {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return out
}
