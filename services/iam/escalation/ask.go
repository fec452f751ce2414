package escalation

import (
	"context"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
	"dera.example/dera/services/iam"
)

// arity knows of the keys of IAM that ways turn on that they have one value.
func arity(key string) reason.Arity {
	if strings.EqualFold(key, passedTo) || strings.EqualFold(key, boundary) {
		return reason.One
	}
	return reason.GlobalArity(key)
}

// question is about an action on a resource, "" for any at all; for iam:PassRole, to a service
// whose name may be a pattern; unbounded about a principal without a permissions boundary.
type question struct {
	action, on, service string
	unbounded           bool
}

// may reports whether an action is allowed on a resource. In doubt it is.
func (c *climb) may(action, on, service string) grade {
	return c.ask(question{action: action, on: on, service: service})
}

func (c *climb) ask(q question) grade {
	if of, _, _ := strings.Cut(q.action, ":"); !c.services[of] && !c.services[""] {
		return no
	}
	if g, ok := c.asked[q]; ok {
		return g
	}
	g := sure
	for _, set := range c.sets {
		g = min(g, c.in(set, q))
	}
	c.asked[q] = g
	return g
}

func (c *climb) in(set []*policy.Document, q question) grade {
	set = about(set, q.action)
	if len(set) == 0 {
		return no
	}
	facts := &policy.Document{Version: policy.Version2012, Statements: []policy.Statement{
		denies(policy.Condition{Operator: "DateLessThan", Key: "aws:TokenIssueTime", Values: []string{past}}),
		denies(policy.Condition{Operator: "DateLessThan", Key: "aws:CurrentTime", Values: []string{past}}),
	}}
	if q.on != "" {
		facts.Statements = append(facts.Statements, policy.Statement{Effect: policy.Deny, Actions: []string{"*"}, NotResources: spelled(q.on)})
	}
	if q.service != "" {
		facts.Statements = append(facts.Statements, denies(policy.Condition{Operator: "StringNotLike", Key: passedTo, Values: []string{q.service}}))
	}
	if q.unbounded {
		facts.Statements = append(facts.Statements, denies(policy.Condition{Operator: "Null", Key: boundary, Values: []string{"false"}}))
	}
	some := func(set []*policy.Document) bool {
		return reason.SubsetOf(context.Background(), []string{q.action}, append(slices.Clone(set), facts), nil, c.cfg).Verdict != reason.Proved
	}
	switch {
	case !some(set):
		return no
	case some(unconditional(set)):
		return sure
	}
	return limited
}

// about is what some policies say of an action; none where none allows it.
func about(set []*policy.Document, action string) (out []*policy.Document) {
	allowed := false
	for _, d := range set {
		o := &policy.Document{Version: d.Version}
		for i := range d.Statements {
			if st := &d.Statements[i]; st.Effect == policy.Deny || iam.Lets(st, action) {
				o.Statements = append(o.Statements, *st)
				allowed = allowed || st.Effect == policy.Allow
			}
		}
		if len(o.Statements) > 0 {
			out = append(out, o)
		}
	}
	if !allowed {
		return nil
	}
	return out
}

// spelled are the ARNs that one may be of which the partition or the account is not known: a
// star would stand for more than one of these.
func spelled(arn string) (out []string) {
	arn = strings.Replace(arn, ":iam::*:", ":iam::????????????:", 1)
	rest, open := strings.CutPrefix(arn, "arn:*:")
	if !open {
		return []string{arn}
	}
	for _, p := range dera.Partitions() {
		out = append(out, "arn:"+p.ID+":"+rest)
	}
	return out
}

const (
	passedTo = "iam:PassedToService"
	boundary = "iam:PermissionsBoundary"
	// past is a moment before which nothing happens any more: sessions last at most 36 hours.
	past = "2026-01-01T00:00:00Z"
)

func denies(c policy.Condition) policy.Statement {
	return policy.Statement{Effect: policy.Deny, Actions: []string{"*"}, Resources: []string{"*"}, Conditions: []policy.Condition{c}}
}

// unconditional is what some policies allow at any time: what they allow under conditions
// they do not, and what they deny under some they deny. To which service a role is passed is
// no condition here, since it is asked about.
func unconditional(set []*policy.Document) (out []*policy.Document) {
	for _, d := range set {
		o := &policy.Document{Version: d.Version}
		for _, st := range d.Statements {
			other := slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool { return !strings.EqualFold(c.Key, passedTo) })
			switch {
			case st.Effect == policy.Deny:
				st.Conditions = nil
			case other:
				continue
			}
			o.Statements = append(o.Statements, st)
		}
		out = append(out, o)
	}
	return out
}
