package evaluate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
)

// BreakGlass lets alone what is kept for emergencies (requirement E5). Beside
// the exemption list it is the only guardrail that exempts, since its list is
// configuration that nobody can set from an account. What a break-glass principal
// changed goes to review: an emergency may go on, and what it left open must not
// be forgotten. A finding about use that was made is not about a change, and stays.
type BreakGlass struct {
	// Principals are ARN globs of users and roles.
	Principals []string
	// Roles are globs on role names, in every account.
	Roles []string
	// Resources are ARN globs.
	Resources []string
	// Excluded are globs on names of roles that service control policies exclude. Their
	// use is reported like that of the others; they are exempted from nothing.
	Excluded []string
}

// Validate returns what is wrong, each with its field.
func (g BreakGlass) Validate() error {
	errs := []error{arnGlobs("break_glass.principals", g.Principals), arnGlobs("break_glass.resources", g.Resources)}
	for field, list := range map[string][]string{"roles": g.Roles, "scp_excluded": g.Excluded} {
		for i, p := range list {
			if p == "" || matchesAll(p) || strings.ContainsAny(p, ":/") {
				errs = append(errs, fmt.Errorf("break_glass.%s[%d]: %q is not a name, or a glob that leaves something out", field, i, p))
			}
		}
	}
	return errors.Join(errs...)
}

// Name implements Guardrail.
func (BreakGlass) Name() string { return "break-glass" }

// Check implements Guardrail.
func (g BreakGlass) Check(_ context.Context, c Case) (dera.Reason, error) {
	if c.Incident {
		return pass("it is about use that was made, which no list exempts: an incident is attached to it"), nil
	}
	arn := c.Finding.Resource
	for _, p := range g.Resources {
		if dera.MatchARN(p, arn) {
			return glass(p, "%s is on the break-glass list", arn), nil
		}
	}
	if p, ok := g.lists(string(arn)); ok {
		return glass(p, "%s is on the break-glass list", arn), nil
	}
	for _, holder := range c.principals() {
		if p, ok := g.lists(holder.ARN); ok {
			return glass(p, "it decides what %s may do, which is on the break-glass list", holder.ARN), nil
		}
	}
	actor := c.Finding.LastActor
	_, byName := g.role(actor)
	if byName || IsPrincipal(g.Principals, actor) {
		return review("%s, which is on the break-glass list, changed it last: an emergency may go on", actor), nil
	}
	return pass("neither the resource nor who changed it last is on the break-glass list"), nil
}

// lists returns the glob of a principal that a principal on the list fits.
func (g BreakGlass) lists(arn string) (glob string, ok bool) {
	if i := slices.IndexFunc(g.Principals, func(p string) bool { return dera.MatchPrincipal(p, dera.ARN(arn)) }); i >= 0 {
		return g.Principals[i], true
	}
	return g.role(arn)
}

// role returns the glob that the name of a role, or of a session's role, fits.
func (g BreakGlass) role(arn string) (glob string, ok bool) {
	role := dera.RoleOf(arn)
	if role == "" {
		return "", false
	}
	name := strings.TrimPrefix(dera.ARN(role).Resource(), "role/")
	for _, p := range g.Roles {
		if dera.MatchGlob(p, name) {
			return p, true
		}
	}
	return "", false
}

func glass(ref, why string, args ...any) dera.Reason {
	r := pass(why, args...)
	r.Disposition, r.Ref = dera.Exempt, ref
	return r
}
