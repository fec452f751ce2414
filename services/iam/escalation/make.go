package escalation

import (
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
	"dera.example/dera/services/iam"
)

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
	for _, on := range c.names(action, kind) {
		for _, with := range strengthening(kind) {
			if with.on == onPolicyOfRole {
				continue // it has none yet
			}
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
			if g > no && (!ok || best.limited && g == sure) {
				best = found{key: OtherKey, limited: g == limited, says: strings.Join(actions, ", ") + " → a " + string(kind) + " that it makes, such as " + short(on)}
				ok = true
			}
		}
	}
	return best, ok
}

// names are ARNs of principals of a kind, one for each pattern for which some statement
// allows an action.
func (c *climb) names(action string, kind iam.Kind) (out []string) {
	some := strings.NewReplacer("*", "new", "?", "0")
	for _, d := range about(c.sets[0], question{action: action}, iam.Lets) {
		for i := range d.Statements {
			st := &d.Statements[i]
			if st.Effect != policy.Allow {
				continue
			}
			all := st.Resources
			if st.NotResources != nil {
				all = []string{"*"}
			}
			for _, r := range all {
				_, name, named := strings.Cut(r, ":"+string(kind)+"/")
				if !named {
					name = "new" // the pattern is shorter than that, or is about something else, as is asked then
				}
				out = append(out, string(kind.ARN(c.ARN.Partition(), c.ARN.Account(), "/", some.Replace(name))))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
