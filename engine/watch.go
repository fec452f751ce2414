package engine

import (
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// principals are those from whom a plan takes permissions: what its findings name, of all
// whose permissions the resource decides.
func principals(kind resource.Type, r dera.Resource, findings []*dera.Finding) (out []string) {
	if kind.Principals == nil || !slices.ContainsFunc(findings, func(f *dera.Finding) bool { return len(f.Permissions) > 0 }) {
		return nil
	}
	for _, p := range kind.Principals(r.Config) {
		arn := p.ARN
		if arn == "" {
			arn = string(r.ARN.Whole())
		}
		out = append(out, arn)
	}
	return out
}

// watches are begun with the first write, so that no denial comes before them.
func watches(r dera.Remediation) (out []dera.Watch) {
	if r.State != dera.Applying {
		return nil
	}
	for _, p := range r.Principals {
		out = append(out, dera.Watch{Remediation: r.ID, Principal: p, Since: r.Steps[len(r.Steps)-1].At})
	}
	return out
}
