package evaluate

import (
	"context"

	"dera.example/dera"
)

// Root keeps automation from the root user (requirement E5): a finding about it
// is only told of, never acted on, also not on an approval (invariant I6); what
// it changed last goes to review.
type Root struct{}

// Name implements Guardrail.
func (Root) Name() string { return "root" }

// Check implements Guardrail.
func (Root) Check(_ context.Context, c Case) (dera.Reason, error) {
	if IsRoot(string(c.Finding.Resource)) || IsRoot(string(c.Resource.ARN)) {
		return dera.Reason{Disposition: dera.Alert, Why: "it is the root user of the account, which dera never changes"}, nil
	}
	if IsRoot(c.Finding.LastActor) {
		return review("the root user changed it last"), nil
	}
	return pass("neither the resource nor who changed it last is the root user"), nil
}
