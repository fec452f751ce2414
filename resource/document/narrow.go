package document

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
)

// Narrowed returns the edit of a policy that makes the cuts: the elements go, every
// other byte stays. What the house had by what goes stays its own: as one more
// condition where the whole statement was for anybody, else as one more statement;
// nothing of it where what stays gives the house the same.
func Narrowed(doc *policy.Document, cuts []PublicCut, h House) (PolicyEdit, error) {
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
			return PolicyEdit{}, fmt.Errorf("the policy has no statement %d", c.Index+1)
		}
		if err := n.add(&e, c); err != nil {
			return PolicyEdit{}, fmt.Errorf("narrow statement %d: %w", c.Index+1, err)
		}
	}
	return e, nil
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
		if !NotSecret(c.Key) {
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
