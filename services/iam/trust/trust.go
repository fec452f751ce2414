// Package trust is who may assume a role, by its trust policy: whom of them nobody
// declared, the policy without these, and the proof that nothing else changed.
package trust

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
)

// Everyone is the key of the finding that anybody may assume a role; that of an account
// is AccountKey and its ID.
const (
	Everyone   = "everyone"
	AccountKey = "account/"
)

// Outsider is someone outside whom a trust policy names: an account, or everybody.
type Outsider struct {
	Key   string
	Lines []string             // the statements, for people
	Cuts  []document.PublicCut // what goes out of each statement
	// Conditions says that some statement asks for more than who it is.
	Conditions bool
}

// Account is the account, or "" for everybody.
func (o Outsider) Account() string {
	id, _ := strings.CutPrefix(o.Key, AccountKey)
	if id == o.Key {
		return ""
	}
	return id
}

// Zone is whom the organisation of an account trusts.
func Zone(account string, s control.Settings) reason.Zone {
	z := reason.Zone{Accounts: append([]string{account}, s.Accounts...)}
	for _, id := range append([]string{s.Organization}, s.Trusted...) {
		switch {
		case strings.HasPrefix(id, "o-"):
			z.Organizations = append(z.Organizations, id)
		case id != "":
			z.Accounts = append(z.Accounts, id)
		}
	}
	return z
}

// Outsiders finds those whom the trust policy lets in and whom nobody declared, sorted
// by key. dead says that it names a principal that was deleted, by the unique ID that
// AWS put in its place.
//
// Source: IAM user guide, "AWS JSON policy elements: Principal".
func Outsiders(doc *policy.Document, z reason.Zone) (out []Outsider, dead bool) {
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect != policy.Allow || !Assumes(st) {
			continue
		}
		all := document.PrincipalsOf(st)
		for _, p := range all {
			key := ""
			switch account := p.Account(); {
			case p.Everyone():
				key = Everyone
			case len(account) == 12 && !slices.Contains(z.Accounts, account) && document.KnownAccount(account) == "":
				key = AccountKey + account
			case p.Kind == policy.PrincipalAWS && account == "":
				dead = true
			}
			if key == "" || confined(doc, st, p, z) {
				continue
			}
			n := slices.IndexFunc(out, func(o Outsider) bool { return o.Key == key })
			if n < 0 {
				n, out = len(out), append(out, Outsider{Key: key})
			}
			o := &out[n]
			o.Conditions = o.Conditions || len(st.Conditions) > 0
			if m := len(o.Cuts); m > 0 && o.Cuts[m-1].Index == i {
				o.Cuts[m-1].Principals = append(o.Cuts[m-1].Principals, p)
				continue
			}
			o.Lines = append(o.Lines, "“"+document.StatementLine(i, st)+"”")
			o.Cuts = append(o.Cuts, document.PublicCut{Index: i, Principals: []document.Principal{p}})
		}
	}
	out = tagging(doc, out)
	for _, o := range out {
		for n := range o.Cuts {
			c := &o.Cuts[n]
			if c.Principals = document.Distinct(c.Principals); len(document.Distinct(document.PrincipalsOf(&doc.Statements[c.Index]))) == len(c.Principals) {
				c.Principals = nil // nobody else is named
			}
		}
	}
	slices.SortFunc(out, func(a, b Outsider) int { return strings.Compare(a.Key, b.Key) })
	return out, dead
}

// tagging adds what else the accounts that were found may do to sessions of the role:
// tags and names alone give nobody the role, but of an account that goes nothing shall stay.
func tagging(doc *policy.Document, list []Outsider) []Outsider {
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect != policy.Allow || Assumes(st) {
			continue
		}
		for _, p := range document.PrincipalsOf(st) {
			n := slices.IndexFunc(list, func(o Outsider) bool { return p.Account() != "" && o.Account() == p.Account() })
			if n < 0 {
				continue
			}
			o := &list[n]
			if m := len(o.Cuts); o.Cuts[m-1].Index == i {
				o.Cuts[m-1].Principals = append(o.Cuts[m-1].Principals, p)
				continue
			}
			o.Cuts = append(o.Cuts, document.PublicCut{Index: i, Principals: []document.Principal{p}})
		}
	}
	return list
}

// Assumes reports whether a statement is about assuming the role, and not only about
// tags and names of sessions.
func Assumes(st *policy.Statement) bool {
	if st.NotActions != nil {
		return true
	}
	return slices.ContainsFunc(st.Actions, func(a string) bool {
		a = strings.ToLower(a)
		return strings.HasPrefix(a, "sts:assumerole") || strings.ContainsAny(a, "*?")
	})
}

// confined reports whether the conditions of a statement, or a denial, keep everybody
// of a principal out who is not of the zone; in doubt they do not. What a condition says
// of the place that a call comes from counts for nothing: a trust policy is about who may
// come, and of whom an address, a VPC or an endpoint is, the policy does not tell.
func confined(doc *policy.Document, st *policy.Statement, p document.Principal, z reason.Zone) bool {
	only := document.PublicCut{Principals: []document.Principal{p}}.Lost(*st)
	only.Conditions = slices.DeleteFunc(slices.Clone(only.Conditions), ofPlace)
	with := document.Only(doc, only)
	with.Statements = slices.DeleteFunc(with.Statements, func(st policy.Statement) bool {
		return st.Effect == policy.Deny && slices.ContainsFunc(st.Conditions, ofPlace)
	})
	return proof.External(context.Background(), reason.Policies{with}, z, reason.Config{}).Verdict == reason.Proved
}

// reaching is the part of a trust policy by which someone may assume the role who is not
// of the zone, with all denials: a statement that is confined to the zone is about whom
// somebody declared, whatever else they are.
func reaching(doc *policy.Document, z reason.Zone) *policy.Document {
	out := &policy.Document{Version: doc.Version}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect == policy.Allow && (!Assumes(st) || !slices.ContainsFunc(document.PrincipalsOf(st), func(p document.Principal) bool { return !confined(doc, st, p, z) })) {
			continue
		}
		out.Statements = append(out.Statements, *st)
	}
	if len(out.Statements) == 0 {
		out.Statements = []policy.Statement{{
			Effect: policy.Deny, Actions: []string{"sts:AssumeRole"}, Principals: &policy.Principals{Groups: []policy.PrincipalGroup{{Kind: policy.PrincipalAWS, Values: []string{"*"}}}},
		}}
	}
	return out
}

// ofPlace reports whether a condition asks where a call comes from, by a value of which
// nothing tells whose it is.
func ofPlace(c policy.Condition) bool {
	return slices.Contains([]string{"aws:sourceip", "aws:vpcsourceip", "aws:sourcevpc", "aws:sourcevpce"}, strings.ToLower(c.Key))
}

// Anybody reports whether some principal that can exist is left that a trust policy lets
// in.
func Anybody(doc *policy.Document) bool {
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect != policy.Allow || !Assumes(st) {
			continue
		}
		for _, p := range document.PrincipalsOf(st) {
			if p.Kind != policy.PrincipalAWS || p.Everyone() || p.Account() != "" {
				return true
			}
		}
	}
	return false
}

// nobody is a trust policy that trusts nobody: one without a statement is none.
const nobody = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}`

// Without returns the trust policy without the outsiders. What everybody had stays the
// house's.
func Without(doc *policy.Document, list []Outsider, h document.House) (*policy.Document, error) {
	var e document.PolicyEdit
	e.Restrict = map[int]policy.Condition{}
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

// AssumedBy says of the recorded calls of another account how many there are, and how many assumed the role with the
// key, or may have; unknown says why the record does not tell.
func AssumedBy(use resource.Use, role string) (calls, times uint64, unknown string) {
	for _, c := range use.Calls {
		calls += c.Count
		if c.Source != "sts.amazonaws.com" || !strings.HasPrefix(c.Name, "AssumeRole") || c.Count == 0 {
			continue
		}
		if c.More || slices.ContainsFunc(c.Resources, func(arn string) bool { return sameRole(arn, role) }) {
			times += c.Count
		}
	}
	if gaps := use.Missing(); len(gaps) > 0 {
		unknown = fmt.Sprintf("the record of calls has gaps (%s)", strings.Join(gaps, ", "))
	}
	return calls, times, unknown
}

// sameRole compares the ARNs of two roles, whatever their paths and partitions.
func sameRole(a, b string) bool {
	a, b = cloudtrail.Key(a), cloudtrail.Key(b)
	_, a, _ = strings.Cut(a, ":iam:")
	_, b, _ = strings.Cut(b, ":iam:")
	return a != "" && a == b
}
