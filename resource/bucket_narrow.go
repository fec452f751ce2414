package resource

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
)

// PublicCut is what goes out of a statement that lets the public in: the elements that
// do, or, with none, the public as a whole, so that the house alone is left.
type PublicCut struct {
	Index      int         `json:"index"`                // of the statement in the policy, counted from 0
	Principals []Principal `json:"principals,omitempty"` // these of several
	// Values are these of several, of a condition on the key.
	Operator string   `json:"operator,omitempty"`
	Key      string   `json:"key,omitempty"`
	Values   []string `json:"values,omitempty"`
}

// Whole reports whether nothing of the statement names anybody.
func (c PublicCut) Whole() bool { return len(c.Principals)+len(c.Values) == 0 }

// Lost is what a statement loses by the cut: the statement with these elements
// alone.
func (c PublicCut) Lost(st policy.Statement) policy.Statement {
	if len(c.Principals) > 0 {
		return withPrincipals(st, c.Principals)
	}
	return withValues(st, c, func(v string) bool { return slices.Contains(c.Values, v) })
}

// Left is the statement without these elements.
func (c PublicCut) Left(st policy.Statement) policy.Statement {
	if len(c.Principals) > 0 {
		return withPrincipals(st, slices.DeleteFunc(PrincipalsOf(&st), func(p Principal) bool { return slices.Contains(c.Principals, p) }))
	}
	return withValues(st, c, func(v string) bool { return !slices.Contains(c.Values, v) })
}

func withValues(st policy.Statement, c PublicCut, keep func(string) bool) policy.Statement {
	if len(c.Values) == 0 {
		return st
	}
	st.Conditions = slices.Clone(st.Conditions)
	for i, cond := range st.Conditions {
		if cond.Operator == c.Operator && cond.Key == c.Key {
			st.Conditions[i].Values = slices.DeleteFunc(slices.Clone(cond.Values), func(v string) bool { return !keep(v) })
		}
	}
	return st
}

// Elements are the cuts of one element each that a cut consists of.
func (c PublicCut) Elements() []PublicCut {
	var out []PublicCut
	for _, p := range c.Principals {
		out = append(out, PublicCut{Index: c.Index, Principals: []Principal{p}})
	}
	for _, v := range c.Values {
		out = append(out, PublicCut{Index: c.Index, Operator: c.Operator, Key: c.Key, Values: []string{v}})
	}
	if len(out) == 0 {
		out = append(out, c)
	}
	return out
}

// Public decides whether a statement alone, under the denials of its policy, lets
// the public in; unsure says why nothing is known.
func Public(ctx context.Context, bucket dera.ARN, doc *policy.Document, st policy.Statement) (public bool, unsure string) {
	open, unsure := PublicStatements(ctx, bucket, Only(doc, st))
	return slices.ContainsFunc(open, func(o Opened) bool { return o.Index == 0 }), unsure
}

// CutPublic finds what has to go out of a public statement. doubts say why a
// person has to decide; with impossible nothing narrower can be written that cuts
// off nobody who is named.
func (b *Bucket) CutPublic(ctx context.Context, doc *policy.Document, index int, h House) (cut PublicCut, doubts []string, impossible string) {
	st := doc.Statements[index]
	doubts = b.dependents(doc, &st)
	var unsure string
	// split takes the elements apart that let the public in by themselves.
	split := func(elements []PublicCut) (bad []PublicCut) {
		for _, e := range elements {
			public, why := Public(ctx, b.ARN(), doc, e.Lost(st))
			if why != "" {
				unsure = why
			}
			if public {
				bad = append(bad, e)
			}
		}
		return bad
	}
	var ways []PublicCut
	try := func(elements []PublicCut, join func([]PublicCut) PublicCut) {
		if len(elements) < 2 {
			return
		}
		bad := split(elements)
		if len(bad) == 0 || len(bad) == len(elements) {
			return
		}
		c := join(bad)
		if public, why := Public(ctx, b.ARN(), doc, c.Left(st)); !public && why == "" {
			ways = append(ways, c)
		}
	}
	if st.NotPrincipals == nil {
		try(PublicCut{Index: index, Principals: distinct(PrincipalsOf(&st))}.Elements(), func(bad []PublicCut) PublicCut {
			c := PublicCut{Index: index}
			for _, e := range bad {
				c.Principals = append(c.Principals, e.Principals...)
			}
			return c
		})
	}
	for _, cond := range st.Conditions {
		if op, ok := policy.ParseOperator(cond.Operator); !ok || op.Negated() || op.Set == policy.ForAllValues || op.Test == "Null" || op.Test == "Bool" {
			continue
		}
		whole := PublicCut{Index: index, Operator: cond.Operator, Key: cond.Key, Values: distinct(cond.Values)}
		try(whole.Elements(), func(bad []PublicCut) PublicCut {
			c := PublicCut{Index: index, Operator: cond.Operator, Key: cond.Key}
			for _, e := range bad {
				c.Values = append(c.Values, e.Values...)
			}
			return c
		})
	}
	_, _, open, err := h.Part(st)
	named := h.NamedBeside(ctx, b.ARN(), doc, PublicCut{Index: index})
	if len(ways) == 1 {
		named = h.NamedBeside(ctx, b.ARN(), doc, ways[0])
	}
	switch {
	case unsure != "":
		return cut, doubts, unsure
	case len(ways) > 1:
		return cut, doubts, fmt.Sprintf("statement %d can be narrowed in %d ways, which keep different parts of it", index+1, len(ways))
	case len(named) > 0:
		return cut, doubts, fmt.Sprintf("statement %d also names %s, and no element of it can go alone", index+1, shownList(named))
	case len(ways) == 1:
		return ways[0], doubts, ""
	case !open, err != nil:
		return cut, doubts, fmt.Sprintf("statement %d cannot be narrowed to %s", index+1, h)
	}
	return PublicCut{Index: index}, doubts, ""
}

func shownList(list []string) string { return listed("", list, "", nil) }

func distinct[T comparable](list []T) []T {
	var out []T
	for _, v := range list {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// dependents says who may depend on a public statement in a way that its text does
// not tell: a site by a header that the caller sends, and access points.
func (b *Bucket) dependents(doc *policy.Document, st *policy.Statement) []string {
	var out []string
	delegates := false
	conditions := slices.Clone(st.Conditions)
	for _, d := range doc.Statements {
		if d.Effect == policy.Deny { // all but some are denied
			conditions = append(conditions, d.Conditions...)
		}
	}
	for _, c := range conditions {
		switch key := strings.ToLower(c.Key); {
		case key == "aws:referer", key == "aws:useragent":
			out = append(out, "It goes by "+c.Key+", which the caller sends: whoever writes such a condition often means a site or a client by it.")
		case strings.HasPrefix(key, "s3:dataaccesspoint"), strings.HasPrefix(key, "s3:accesspoint"):
			delegates = true
		}
	}
	if deliversLogs(st) {
		out = append(out, "It has the form by which services of AWS deliver logs: these come as everyone too, and would lose access.")
	}
	var points []string
	for _, p := range b.pointsInOrder() {
		if p.Policy != "" || delegates {
			points = append(points, p.String())
		}
	}
	switch {
	case len(points) > 0:
		out = append(out, "Who comes through access points depends on it: "+strings.Join(points, ", ")+".")
	case delegates:
		out = append(out, "It leaves the decision to access points, which other accounts can have too.")
	}
	return slices.Compact(out)
}

// deliversLogs reports whether a statement for everyone lets objects be written in
// the way in which services of AWS deliver logs: below AWSLogs, or with full control
// for the owner.
//
// Source: CloudWatch Logs user guide, "Logs sent to Amazon S3"; ELB and CloudTrail
// guides, "Bucket policy".
func deliversLogs(st *policy.Statement) bool {
	if !slices.ContainsFunc(PrincipalsOf(st), Principal.Everyone) || !writes(st) {
		return false
	}
	return slices.ContainsFunc(st.Resources, func(r string) bool { return strings.Contains(r, "/AWSLogs/") }) ||
		slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool {
			return strings.EqualFold(c.Key, "s3:x-amz-acl") && slices.Contains(c.Values, "bucket-owner-full-control")
		})
}

// Narrow returns the change that makes the cuts: the elements go, every other byte
// of the policy stays. What the house had by what goes stays its own: as one more
// condition where the whole statement was for anybody, else as one more statement;
// nothing of it where what stays gives the house the same.
func (b *Bucket) Narrow(cuts []PublicCut, h House) (dera.Change, error) {
	doc, err := b.Parsed()
	if err != nil {
		return dera.Change{}, err
	}
	if doc == nil {
		return dera.Change{}, fmt.Errorf("bucket %s has no policy", b.Name)
	}
	n := narrowing{doc: doc, house: h, rest: &policy.Document{Version: doc.Version}}
	for i, st := range doc.Statements {
		at := slices.IndexFunc(cuts, func(c PublicCut) bool { return c.Index == i })
		switch {
		case at < 0:
			n.rest.Statements = append(n.rest.Statements, st)
		case !cuts[at].Whole():
			n.rest.Statements = append(n.rest.Statements, cuts[at].Left(st))
		}
	}
	e := PolicyEdit{Restrict: map[int]policy.Condition{}}
	for _, c := range cuts {
		if c.Index < 0 || c.Index >= len(doc.Statements) {
			return dera.Change{}, fmt.Errorf("the policy of bucket %s has no statement %d", b.Name, c.Index+1)
		}
		if err := n.add(&e, c); err != nil {
			return dera.Change{}, fmt.Errorf("narrow statement %d of bucket %s: %w", c.Index+1, b.Name, err)
		}
	}
	return b.EditPolicy(e)
}

type narrowing struct {
	doc   *policy.Document
	house House
	rest  *policy.Document // what stays whatever becomes of the house's part
}

func (n narrowing) add(e *PolicyEdit, c PublicCut) error {
	st := n.doc.Statements[c.Index]
	part, condition, open, err := n.house.Part(c.Lost(st))
	if err != nil {
		return err
	}
	kept := !open || n.covered(part)
	line := StatementLine(c.Index, &st)
	lead, _, _ := strings.Cut(line, ": ")
	switch {
	case c.Whole() && kept:
		e.Drop = append(e.Drop, c.Index)
		e.Diff = append(e.Diff, "- "+line)
		return nil
	case c.Whole():
		e.Restrict[c.Index] = condition
		e.Diff = append(e.Diff, "- "+line, "+ "+line+" and only for principals of "+n.house.String())
		return nil
	}
	for _, p := range c.Principals {
		e.Elements = append(e.Elements, policy.RemovePrincipal(c.Index, p.Kind, p.Value))
		e.Diff = append(e.Diff, "- "+lead+": principal "+p.Kind+" "+p.Value)
	}
	for _, v := range c.Values {
		e.Elements = append(e.Elements, policy.RemoveConditionValue(c.Index, c.Operator, c.Key, v))
		if !shown(c.Key) {
			v = "(a value that can be secret)"
		}
		e.Diff = append(e.Diff, "- "+lead+": "+v+" of "+c.Operator+" "+c.Key)
	}
	if kept {
		return nil
	}
	part.Sid = ""
	text, err := part.Line()
	if err != nil {
		return err
	}
	_, about, _ := strings.Cut(StatementLine(c.Index, &part), ": ")
	e.Append = append(e.Append, text)
	e.Diff = append(e.Diff, "+ statement at the end, only for principals of "+n.house.String()+": "+about)
	return nil
}

// covered reports whether what stays gives the house, directly, what it had by a
// statement; only with a proof that the independent checker accepts.
func (n narrowing) covered(part policy.Statement) bool {
	direct := n.house.Direct(n.rest)
	if !slices.ContainsFunc(direct.Statements, func(st policy.Statement) bool { return st.Effect == policy.Allow }) {
		return false
	}
	ev := proof.Prove(context.Background(), proof.Change{Old: reason.Policies{direct}, New: reason.Policies{Only(n.doc, part)}}, reason.Config{})
	_, err := ev.Certificate(proof.Origin{})
	return err == nil
}
