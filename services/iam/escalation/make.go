package escalation

import (
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
	"dera.example/dera/services/iam"
)

// mostPatterns bounds the names that are tried. Of more it is in doubt whether one fits.
const mostPatterns = 20

// makes is the way by a new principal that gets any permission: a role whose trust policy
// names who made it, or a user with a key or a password. What may be made with a permissions
// boundary alone is bound by that, where it cannot be removed.
func (c *climb) makes(kind iam.Kind) (found, bool) {
	action, credentials := making(kind)
	if c.may(action, "", "") == no {
		return found{}, false
	}
	best := found{limited: true}
	ok := false
	for _, with := range strengthening(kind) {
		if with.on == onPolicyOfRole {
			continue // it has none yet
		}
		for _, on := range c.names(kind, action, with.action) {
			actions := []string{action, with.action}
			g := min(c.ask(question{action: action, on: on, unbounded: true}), c.ask(question{action: with.action, on: on, unbounded: true}))
			if remove := kind.Call("Delete", "PermissionsBoundary"); g == no {
				g = min(c.may(action, on, ""), c.may(with.action, on, ""), c.may(remove, on, ""))
				actions = append(actions, remove)
			}
			if len(credentials) > 0 {
				get, by := no, ""
				for _, a := range credentials {
					if h := c.may(a, on, ""); h > get {
						get, by = h, a
					}
				}
				g, actions = min(g, get), append(actions, by)
			}
			such := ", such as " + short(on)
			if on == "" {
				g, such = min(g, limited), ""
			}
			if g > no && (!ok || best.limited && g == sure) {
				best = found{key: OtherKey, limited: g == limited, says: strings.Join(actions, ", ") + " → a " + string(kind) + " that it makes" + such}
				ok = true
			}
		}
	}
	return best, ok
}

// names are ARNs of principals of a kind that match patterns for which statements allow
// actions: for each two of them one that matches both, where that is so of patterns that begin
// or end in a star. The last one is "", for any at all, where they are too many to be tried.
func (c *climb) names(kind iam.Kind, actions ...string) (out []string) {
	var patterns []string
	for _, action := range actions {
		for _, d := range about(c.sets[0], question{action: action}, iam.Lets) {
			for i := range d.Statements {
				st := &d.Statements[i]
				if st.Effect == policy.Deny {
					continue
				}
				for _, r := range append(slices.Clone(st.Resources), st.NotResources...) {
					name := "*" // the pattern is shorter than that, or is about something else, as is asked then
					if _, named, ok := strings.Cut(r, ":"+string(kind)+"/"); ok && st.NotResources == nil {
						name = named
					} else if at := strings.LastIndexByte(r, '*'); at >= 0 && st.NotResources == nil {
						name = "*" + strings.TrimPrefix(r[at+1:], "/")
					}
					patterns = append(patterns, name)
				}
			}
		}
	}
	slices.Sort(patterns)
	patterns = slices.Compact(patterns)
	tried := patterns[:min(len(patterns), mostPatterns)]
	for _, a := range tried {
		for _, b := range tried {
			literal := strings.NewReplacer("*", "", "?", "0").Replace(b)
			if a == b || literal == "" {
				literal = "new"
			}
			name := strings.NewReplacer("*", literal, "?", "0").Replace(a)
			out = append(out, string(kind.ARN(c.ARN.Partition(), c.ARN.Account(), "/", strings.TrimPrefix(name, "/"))))
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(tried) < len(patterns) {
		out = append(out, "")
	}
	return out
}
