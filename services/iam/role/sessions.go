package role

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/trust"
)

// SessionsKey is the key of the finding on sessions that began before the trust policy
// was narrowed.
const SessionsKey = "sessions"

// LongestSession is how long a session of a role lasts at most.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html
const LongestSession = 12 * time.Hour

// spread is how long a change of IAM may take to be in force everywhere: who assumed the
// role in that time may have done so by the trust policy of before.
const spread = time.Minute

// closed is the moment before which sessions may have begun by the trust policy of
// before; zero for none.
func (r *Role) closed() time.Time {
	if r.Closed.IsZero() {
		return time.Time{}
	}
	return r.Closed.UTC().Add(spread).Truncate(time.Second)
}

// MayHaveSessions reports whether a session may run at a moment that began before the
// trust policy was narrowed. How long the role's last now says nothing: it may have been
// longer when that one began. A role that was made since has none, whatever its name.
func (r *Role) MayHaveSessions(closed, at time.Time) bool {
	return at.Before(closed.Add(spread+LongestSession)) && !r.Created.After(closed)
}

func sessionsPolicy(t time.Time) string {
	return "sessions-before-" + t.UTC().Format("20060102T150405Z")
}

// ended reports whether an inline policy ends all sessions that began before a moment.
func (r *Role) ended(t time.Time) bool {
	return slices.ContainsFunc(r.Inline, func(p iam.Inline) bool {
		doc, err := policy.Parse(p.Document)
		return err == nil && slices.ContainsFunc(doc.Statements, func(st policy.Statement) bool {
			all := func(list []string) bool { return len(list) == 1 && list[0] == "*" }
			if st.Effect != policy.Deny || !all(st.Actions) || !all(st.Resources) || len(st.Conditions) != 1 {
				return false
			}
			c := st.Conditions[0]
			return c.Operator == "DateLessThan" && strings.EqualFold(c.Key, "aws:TokenIssueTime") && slices.ContainsFunc(c.Values, func(v string) bool {
				at, err := time.Parse(time.RFC3339, v)
				return err == nil && !at.Before(t)
			})
		})
	})
}

// planSessions puts the policy that ends the sessions.
func (r *Role) planSessions() ([]dera.Change, *control.Refusal) {
	t := r.closed()
	c, err := r.SetInline(iam.RoleKind, sessionsPolicy(t), trust.EndingBefore(t))
	size, errSize := r.InlineSize()
	switch err := errors.Join(err, errSize); {
	case err != nil:
		return nil, iam.CannotPlan(err)
	case slices.ContainsFunc(r.Inline, func(p iam.Inline) bool { return strings.EqualFold(p.Name, sessionsPolicy(t)) }):
		return nil, &control.Refusal{Code: "name-taken", Why: fmt.Sprintf("there is an inline policy %q that says something else", sessionsPolicy(t))}
	case size+len(trust.EndingBefore(t)) > iam.RoleKind.InlineLimit():
		return nil, &control.Refusal{Code: "no-space", Why: "the inline policies leave no space for one that ends sessions"}
	}
	return []dera.Change{c}, nil
}

// proveSessions holds that the plan puts that policy and changes nothing else.
func (r *Role) proveSessions(after *Role) (dera.Evidence, error) {
	t := r.closed()
	was, made := slices.Clone(r.Inline), slices.DeleteFunc(slices.Clone(after.Inline), func(p iam.Inline) bool { return p.Name == sessionsPolicy(t) })
	for _, list := range [][]iam.Inline{was, made} {
		slices.SortFunc(list, func(a, b iam.Inline) int { return strings.Compare(a.Name, b.Name) })
	}
	if !slices.Equal(made, was) || len(after.Inline) != len(was)+1 {
		return dera.Evidence{}, errors.New("the plan changes other inline policies, or makes none")
	}
	s := trust.Sessions{Role: r.key(), Name: sessionsPolicy(t), Before: t}
	for _, p := range after.Inline {
		if p.Name == s.Name {
			s.Policy = p.Document
		}
	}
	if r.Use != nil {
		s.Seen = r.Use.Seen.UTC()
	}
	return s.Evidence()
}
