package escalation

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/catalog"
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
// whose name may be a pattern; unbounded about a principal without a permissions boundary, and
// other with another one than that.
type question struct {
	action, on, service string
	unbounded           bool
	other               string
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
	facts := &policy.Document{Version: policy.Version2012, Statements: slices.Clone(c.facts)}
	if q.on != "" {
		facts.Statements = append(facts.Statements, policy.Statement{Effect: policy.Deny, Actions: []string{"*"}, NotResources: spelled(q.on)})
	}
	if q.service != "" {
		facts.Statements = append(facts.Statements, denies(policy.Condition{Operator: "StringNotLike", Key: passedTo, Values: []string{q.service}}))
	}
	if q.unbounded {
		facts.Statements = append(facts.Statements, denies(policy.Condition{Operator: "Null", Key: boundary, Values: []string{"false"}}))
	}
	if q.other != "" {
		facts.Statements = append(facts.Statements, denies(policy.Condition{Operator: "StringEquals", Key: boundary, Values: []string{q.other}}))
	}
	some := func(set []*policy.Document) bool {
		return len(set) > 0 && reason.SubsetOf(context.Background(), []string{q.action}, append(set, facts), nil, c.cfg).Verdict != reason.Proved
	}
	switch {
	case !some(about(set, q, iam.Lets)):
		return no
	case some(c.unconditional(about(set, q, iam.Exactly))):
		return sure
	}
	return limited
}

// about is what some policies say of what is asked, by what lets says what a statement allows;
// none where none allows it.
func about(set []*policy.Document, q question, lets func(*policy.Statement, string) bool) (out []*policy.Document) {
	allowed := false
	for _, d := range set {
		o := &policy.Document{Version: d.Version}
		for i := range d.Statements {
			st := d.Statements[i]
			if denied := st.Effect == policy.Deny; denied && iam.Exactly(&st, q.action) || !denied && lets(&st, q.action) && on(&st, q.on) {
				st.Actions, st.NotActions = []string{q.action}, nil
				o.Statements = append(o.Statements, st)
				allowed = allowed || !denied
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

// on reports whether a statement may be about a resource, as its patterns show in no time.
func on(st *policy.Statement, arn string) bool {
	return arn == "" || strings.ContainsAny(arn, "*?$") || st.NotResources != nil || slices.ContainsFunc(st.Resources, func(r string) bool {
		fixed, _, open := strings.Cut(r, "${")
		if open {
			fixed += "*"
		}
		return catalog.Match(fixed, arn)
	})
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

// knows notes what is known of the principal, of what its policies turn on: who it is.
func (c *climb) knows() {
	at := func(key, operator string, values ...string) {
		c.who = append(c.who, denies(policy.Condition{Operator: operator, Key: key, Values: values}))
		if slices.ContainsFunc(c.Texts, func(t iam.Text) bool { return mentions(t.Document, key) }) || mentions(c.Boundary, key) {
			c.known, c.facts = append(c.known, key), append(c.facts, denies(policy.Condition{Operator: operator, Key: key, Values: values}))
		}
	}
	c.known = []string{passedTo}
	for _, key := range []string{"aws:TokenIssueTime", "aws:CurrentTime"} {
		c.facts = append(c.facts, denies(policy.Condition{Operator: "DateLessThan", Key: key, Values: []string{past}}))
	}
	at("aws:PrincipalArn", "ArnNotLike", spelled(string(c.ARN))...)
	if c.Kind == iam.UserKind {
		at("aws:PrincipalType", "StringNotEquals", "User")
		at("aws:username", "StringNotEquals", c.name())
	} else {
		at("aws:PrincipalType", "StringNotEquals", "AssumedRole")
		at("aws:username", "Null", "false")
	}
}

func (c *climb) name() string {
	name := c.ARN.Resource()
	return name[strings.LastIndexByte(name, '/')+1:]
}

// named puts the name of a user where a policy has the variable for it. A role has none, and
// what it is allowed on names with one it is not.
func (c *climb) named(doc *policy.Document) *policy.Document {
	if !doc.Variables() {
		return doc
	}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if c.Kind != iam.UserKind {
			if st.Effect == policy.Allow && st.NotResources == nil {
				st.Resources = slices.DeleteFunc(st.Resources, variable.MatchString)
			}
			continue
		}
		for _, list := range [][]string{st.Resources, st.NotResources} {
			for n, r := range list {
				list[n] = variable.ReplaceAllLiteralString(r, c.name())
			}
		}
	}
	return doc
}

var variable = regexp.MustCompile(`(?i)\$\{\s*aws:username\s*\}`)

func mentions(text, key string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(key))
}

// unconditional is what some policies allow at any time: what they allow under conditions
// they do not, and what they deny under some they deny; a resource that a variable names is a
// condition too. To which service a role is passed is none here, since it is asked about, nor
// is what is known of the principal.
func (c *climb) unconditional(set []*policy.Document) (out []*policy.Document) {
	open := func(key string) bool {
		return !slices.ContainsFunc(c.known, func(k string) bool { return strings.EqualFold(k, key) })
	}
	other := func(cond policy.Condition) bool { return open(cond.Key) }
	for _, d := range set {
		o := &policy.Document{Version: d.Version}
		for _, st := range d.Statements {
			switch {
			case st.Effect == policy.Deny:
				st.Conditions = slices.DeleteFunc(slices.Clone(st.Conditions), other)
			case slices.ContainsFunc(st.Conditions, other):
				continue
			case d.Variables() && st.NotResources == nil:
				st.Resources = slices.DeleteFunc(slices.Clone(st.Resources), func(r string) bool {
					return slices.ContainsFunc(strings.Split(r, "${")[1:], func(key string) bool {
						key = strings.TrimSpace(key[:strings.IndexAny(key+"}", ",}")])
						return !slices.Contains([]string{"*", "?", "$"}, key) && open(key)
					})
				})
			}
			o.Statements = append(o.Statements, st)
		}
		out = append(out, o)
	}
	return out
}
