package trust

import (
	"errors"

	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource/document"
)

// nobody is a trust policy that trusts nobody: one without a statement is none.
const nobody = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}`

// ErrDeclared says that no edit takes an account out and leaves what the declared ones of
// it may do as it is.
var ErrDeclared = errors.New("someone of the account is declared, by name or by organisation, and would lose something too: a person must say what stays")

// Without returns the trust policy without the outsiders. What everybody had stays the
// house's; and where an account goes of which someone is declared, that one's sessions
// keep their tags and names.
func Without(doc *policy.Document, list []Outsider, h document.House, z reason.Zone) (*policy.Document, error) {
	var accounts []string
	everyone := false
	for _, o := range list {
		if everyone = everyone || o.Key == Everyone; o.Key != Everyone {
			accounts = append(accounts, o.Account())
		}
	}
	for _, sessionsStay := range []bool{false, true} {
		after, err := without(doc, list, h, sessionsStay)
		if err != nil || keeps(doc, after, z, accounts, !everyone) {
			return after, err
		}
	}
	return nil, ErrDeclared
}

// without is Without, and leaves to the accounts what is about sessions alone, or not.
func without(doc *policy.Document, list []Outsider, h document.House, sessionsStay bool) (*policy.Document, error) {
	e := document.PolicyEdit{Restrict: map[int]policy.Condition{}}
	whole := map[int]int{} // statement -> principals that go
	for _, o := range list {
		if o.Key == Everyone {
			n, err := document.Narrowed(doc, o.Cuts, h)
			if err != nil {
				return nil, err
			}
			for i, c := range n.Restrict {
				e.Restrict[i] = c
			}
			e.Drop, e.Elements, e.Append = append(e.Drop, n.Drop...), append(e.Elements, n.Elements...), append(e.Append, n.Append...)
			for _, c := range o.Cuts {
				whole[c.Index] += len(c.Principals)
			}
			continue
		}
		for _, c := range o.Cuts {
			if sessionsStay {
				st := doc.Statements[c.Index]
				if !Assumes(&st) {
					continue
				}
				part, has, err := sessions(st, c.Principals)
				if err != nil {
					return nil, err
				}
				if has {
					e.Append = append(e.Append, part)
				}
			}
			if c.Whole() {
				e.Drop = append(e.Drop, c.Index)
				continue
			}
			for _, p := range c.Principals {
				e.Elements = append(e.Elements, policy.RemovePrincipal(c.Index, p.Kind, p.Value))
			}
			whole[c.Index] += len(c.Principals)
		}
	}
	for i, n := range whole { // several outsiders can be all that a statement names
		if n == len(document.Distinct(document.PrincipalsOf(&doc.Statements[i]))) {
			e.Drop = append(e.Drop, i)
		}
	}
	after, err := e.Apply(doc)
	if err == nil && after == nil {
		after, err = policy.Parse(nobody)
	}
	return after, err
}
