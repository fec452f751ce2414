package evaluate

import (
	"context"

	"dera.example/dera"
	"dera.example/dera/iam/scope"
)

// SelfRepair sends to review what takes away the permissions with which a principal
// changes itself or its deployments, and whatever it takes from one that deploys: if
// that was too much, the way to put it back may be gone as well.
type SelfRepair struct {
	// Principals are ARN globs of those that run infrastructure as code.
	Principals []string
}

// deploying are the services of AWS that deploy as a principal.
func deploying() []string {
	return []string{"amplify", "cloudformation", "codebuild", "codedeploy", "codepipeline", "codestar", "elasticbeanstalk", "proton", "servicecatalog"}
}

// Name implements Guardrail.
func (SelfRepair) Name() string { return "self-repair" }

// Check implements Guardrail.
func (g SelfRepair) Check(_ context.Context, c Case) (dera.Reason, error) {
	principals, none := c.losing()
	if none != "" {
		return pass("%s", none), nil
	}
	const unproved = "no other way to repair it was proved"
	for _, p := range principals {
		if IsPrincipal(g.Principals, p.ARN) {
			return review("%s runs infrastructure as code: %s", p.ARN, unproved), nil
		}
		if service, ok := ofService(p, deploying()); ok {
			return review("%s deploys as %s: %s", service, p.ARN, unproved), nil
		}
	}
	var needed []string
	for _, action := range c.Finding.Permissions {
		if why := scope.Repairs(action); why != "" {
			needed = append(needed, action+" ("+why+")")
		}
	}
	if len(needed) > 0 {
		return review("%s: %s", someOf(needed), unproved), nil
	}
	return pass("it takes no permission with which a principal changes itself or deploys"), nil
}
