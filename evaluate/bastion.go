package evaluate

import (
	"context"
	"strings"

	"dera"
)

// Bastion sends to review what concerns a bastion: taking its access away can
// lock people out. Names and tags may be set by anybody who can change the
// resource, so they only ever lower to review.
type Bastion struct {
	// Names are globs on the resource's name, without regard to case; nil means
	// *bastion*, *jump-host*, *jumphost* and *jumpbox*.
	Names []string
	// Tags are key → glob on the value; nil means role = bastion and
	// dera:bastion = *, both without regard to case.
	Tags map[string]string
	// Resources are resource IDs or ARN globs that are bastions.
	Resources []string
}

// Name implements Guardrail.
func (Bastion) Name() string { return "bastion" }

// Check implements Guardrail.
func (g Bastion) Check(_ context.Context, c Case) (dera.Reason, error) {
	names, tags := g.Names, g.Tags
	if names == nil {
		names = []string{"*bastion*", "*jump-host*", "*jumphost*", "*jumpbox*", "*jump-box*"}
	}
	if tags == nil {
		tags = map[string]string{"role": "*bastion*", "name": "*bastion*", "dera:bastion": "*"}
	}
	r := c.Resource
	for _, pattern := range g.Resources {
		if pattern == r.ID || dera.MatchGlob(pattern, string(r.ARN)) {
			return review("%s is on the list of bastions", r.ID), nil
		}
	}
	for _, pattern := range names {
		if r.Name != "" && dera.MatchGlob(strings.ToLower(pattern), strings.ToLower(r.Name)) {
			return review("its name %q looks like a bastion's", r.Name), nil
		}
	}
	for k, v := range r.Tags {
		for key, pattern := range tags {
			if strings.EqualFold(k, key) && dera.MatchGlob(strings.ToLower(pattern), strings.ToLower(v)) {
				return review("its tag %q says that it is a bastion", k), nil
			}
		}
	}
	return pass("neither name, tag nor list says that it is a bastion"), nil
}
