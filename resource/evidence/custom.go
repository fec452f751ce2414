package evidence

import (
	"encoding/json"
	"fmt"

	"dera.example/dera"
)

// CustomKind is the evidence of a custom fix. It proves nothing.
const CustomKind = "custom/1"

// CustomEvidence is the kind.
func CustomEvidence() Kind {
	return Kind{Name: CustomKind, Remake: func(body []byte) (dera.Evidence, error) {
		var in dera.CustomInput
		if err := json.Unmarshal(body, &in); err != nil {
			return dera.Evidence{}, fmt.Errorf("read the evidence: %w", err)
		}
		return Custom(in)
	}}
}

// Custom says of a custom fix what is not known of it.
func Custom(in dera.CustomInput) (dera.Evidence, error) {
	body, err := dera.CanonicalJSON(in)
	if err != nil {
		return dera.Evidence{}, err
	}
	claims := []dera.Claim{{
		Name: "effect", Verdict: dera.Unknown,
		Says: "what " + in.String() + " changes is not known before it ran; dera reads the resource afterwards, and what it does to anything else dera does not see",
	}}
	if in.Undo != nil {
		claims = append(claims, dera.Claim{Name: "undo", Verdict: dera.Unknown, Says: "whether " + in.Undo.String() + " takes it back is not known before it ran"})
	}
	return dera.Evidence{Kind: CustomKind, Claims: claims, Body: body}, nil
}
