package evaluate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dera.example/dera"
)

// Own keeps dera away from itself: its roles, policies, queue, keys and pipeline
// are never remediated (invariant I6). Such a finding is an alert: someone is
// told, no plan waits, and no approval lets one through.
type Own struct {
	// Resources are ARN globs.
	Resources dera.Principals
}

// Validate returns what is wrong, each with its field.
func (g Own) Validate() error { return arnGlobs("own_resources", g.Resources.Globs()) }

// arnGlobs refuses what is not an ARN with six parts, or leaves nothing out.
func arnGlobs(field string, list []string) error {
	var errs []error
	for i, p := range list {
		if strings.Count(p, ":") < 5 || !strings.HasPrefix(p, "arn:") || matchesAll(p) {
			errs = append(errs, fmt.Errorf("%s[%d]: %q is not an ARN with six parts, of which one leaves something out", field, i, p))
		}
	}
	return errors.Join(errs...)
}

// Name implements Guardrail.
func (Own) Name() string { return "own-resources" }

// Check implements Guardrail.
func (g Own) Check(_ context.Context, c Case) (dera.Reason, error) {
	for _, arn := range []dera.ARN{c.Finding.Resource, c.Resource.ARN} {
		if p, ok := g.Resources.Match(arn); ok {
			return dera.Reason{Disposition: dera.Alert, Ref: p, Why: "it is one of dera's own, which dera never changes"}, nil
		}
	}
	for _, holder := range c.principals() {
		if p, ok := g.Resources.Match(dera.ARN(holder.ARN)); ok {
			return dera.Reason{Disposition: dera.Alert, Ref: p, Why: fmt.Sprintf("it decides what %s may do, which is one of dera's own", holder.ARN)}, nil
		}
	}
	return pass("the resource is not one of dera's own"), nil
}
