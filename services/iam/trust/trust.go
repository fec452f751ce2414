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
	"dera.example/dera/services/iam"
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
	// Place says that some statement lets it come from places alone that the policy names.
	Place bool
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
// by key. dead is what Dead says.
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
			o.Place = o.Place || placed(doc) && holds(doc, st, p, z, func(policy.Condition) bool { return false })
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
	return out, Dead(doc)
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
// tags and names of sessions. An action that AWS adds counts by its name.
func Assumes(st *policy.Statement) bool {
	return slices.ContainsFunc(assuming(), func(a string) bool { return iam.Lets(st, a) }) ||
		slices.ContainsFunc(st.Actions, func(a string) bool { return strings.HasPrefix(strings.ToLower(a), "sts:assumerole") })
}

// confined reports whether the conditions of a statement, or a denial, keep everybody
// of a principal out who is not of the zone; in doubt they do not. What a condition says
// of the place that a call comes from counts for nothing: a trust policy is about who may
// come, and of whom an address, a VPC or an endpoint is, the policy does not tell.
func confined(doc *policy.Document, st *policy.Statement, p document.Principal, z reason.Zone) bool {
	return holds(doc, st, p, z, ofPlace)
}

// holds is confined, without the conditions that do not count.
func holds(doc *policy.Document, st *policy.Statement, p document.Principal, z reason.Zone, not func(policy.Condition) bool) bool {
	only := document.PublicCut{Principals: []document.Principal{p}}.Lost(*st)
	only.Conditions = slices.DeleteFunc(slices.Clone(only.Conditions), not)
	if slices.ContainsFunc(only.Actions, iam.OfAnyService) {
		only.Actions = []string{"sts:*"}
	}
	with := document.Only(doc, only)
	with.Statements = slices.DeleteFunc(with.Statements, func(st policy.Statement) bool {
		return st.Effect == policy.Deny && slices.ContainsFunc(st.Conditions, not)
	})
	return proof.External(context.Background(), reason.Policies{with}, z, reason.Config{}).Verdict == reason.Proved
}

// placed reports whether a trust policy asks anywhere where a call comes from.
func placed(doc *policy.Document) bool {
	return slices.ContainsFunc(doc.Statements, func(st policy.Statement) bool { return slices.ContainsFunc(st.Conditions, ofPlace) })
}

// reaching is the part of a trust policy by which someone may assume the role who is not
// of the zone, with all denials: a statement that is confined to the zone is about whom
// somebody declared, whatever else they are.
func reaching(doc *policy.Document, z reason.Zone) *policy.Document {
	out := &policy.Document{Version: doc.Version}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect != policy.Allow {
			out.Statements = append(out.Statements, *st)
			continue
		}
		all := document.PrincipalsOf(st)
		open := slices.DeleteFunc(slices.Clone(all), func(p document.Principal) bool { return confined(doc, st, p, z) })
		switch {
		case !Assumes(st) || len(open) == 0:
		case len(open) == len(all):
			out.Statements = append(out.Statements, *st)
		default:
			out.Statements = append(out.Statements, document.PublicCut{Principals: open}.Lost(*st))
		}
	}
	if len(out.Statements) == 0 {
		out.Statements = []policy.Statement{{
			Effect: policy.Deny, Actions: []string{"sts:AssumeRole"}, Principals: &policy.Principals{Groups: []policy.PrincipalGroup{{Kind: policy.PrincipalAWS, Values: []string{"*"}}}},
		}}
	}
	return out
}

// ofPlace reports whether a condition asks where a call comes from: by an address, a VPC
// or an endpoint, or by whose these are.
//
// Source: IAM user guide, "AWS global condition context keys", "Properties of the network".
func ofPlace(c policy.Condition) bool {
	key := strings.ToLower(c.Key)
	return slices.ContainsFunc([]string{"aws:sourceip", "aws:vpcsourceip", "aws:sourcevpc", "aws:vpce", "aws:ec2instancesource"}, func(p string) bool { return strings.HasPrefix(key, p) })
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
