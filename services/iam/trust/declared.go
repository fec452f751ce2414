package trust

import (
	"context"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/iam"
)

// member is who of an account is declared: a principal of a statement that is held to
// declared ones, by their organisation or by their name.
type member struct {
	of        *policy.Statement
	principal document.Principal
}

// declared is what a trust policy allows the declared ones of some accounts, by the
// statements that are held to them and by any other one, with all denials; nil where none
// of them is. others says that statements for everybody count as well.
func declared(doc *policy.Document, z reason.Zone, accounts []string, others bool) *policy.Document {
	var members []member
	var parts []policy.Statement
	about := func(p document.Principal) bool { return p.Everyone() || slices.Contains(accounts, p.Account()) }
	elsewhere := reason.Zone{Accounts: z.Accounts} // who is held to these is of none of the accounts
	each(doc, func(st *policy.Statement, p document.Principal) {
		if about(p) && confined(doc, st, p, z) && !confined(doc, st, p, elsewhere) {
			parts = append(parts, document.PublicCut{Principals: []document.Principal{p}}.Lost(*st))
			if holds(doc, st, p, z, notWho) {
				members = append(members, member{st, p})
			}
		}
	})
	each(doc, func(st *policy.Statement, p document.Principal) {
		if !about(p) || p.Everyone() && !others {
			return
		}
		for _, m := range members {
			if part, more := m.besides(st, p); more {
				parts = append(parts, part)
			}
		}
	})
	if len(parts) == 0 {
		return nil
	}
	only := document.Only(doc, parts...)
	for i := range only.Statements {
		only.Statements[i].Sid = ""
	}
	return only
}

// besides is what a statement gives a member, by one of its principals, that the
// statement that is held to it does not give it under no other condition; false for
// nothing. An AWS principal calls no other actions of a trust policy than these.
func (m member) besides(st *policy.Statement, p document.Principal) (policy.Statement, bool) {
	var actions []string
	always := !slices.ContainsFunc(m.of.Conditions, notWho)
	for _, a := range append(ofSessions(), "sts:AssumeRole") {
		if iam.Lets(st, a) && !(always && iam.Lets(m.of, a)) {
			actions = append(actions, a)
		}
	}
	if st == m.of || len(actions) == 0 || !meet(p, m.principal) {
		return policy.Statement{}, false
	}
	part := document.PublicCut{Principals: []document.Principal{p}}.Lost(*st)
	part.Actions, part.NotActions = actions, nil
	part.Conditions = and(st.Conditions, slices.DeleteFunc(slices.Clone(m.of.Conditions), notWho))
	return part, true
}

// notWho reports whether a condition asks for something else than who a principal is.
func notWho(c policy.Condition) bool {
	key := strings.ToLower(c.Key)
	return !strings.HasPrefix(key, "aws:principal") && key != "aws:userid"
}

// each goes through the principals of the allowing statements.
func each(doc *policy.Document, do func(st *policy.Statement, p document.Principal)) {
	for i := range doc.Statements {
		if st := &doc.Statements[i]; st.Effect == policy.Allow && st.NotPrincipals == nil {
			for _, p := range document.Distinct(document.PrincipalsOf(st)) {
				do(st, p)
			}
		}
	}
}

// meet reports whether someone can be both principals.
func meet(a, b document.Principal) bool {
	has := func(p, other document.Principal) bool {
		_, root := policy.RootAccount(p.Value)
		return p == other || p.Everyone() || root && p.Kind == policy.PrincipalAWS && p.Account() == other.Account()
	}
	return has(a, b) || has(b, a)
}

// and are the conditions of a statement and those of another one. One whose place is
// taken by other values is left out: too much is asked then, and not too little.
func and(conditions, more []policy.Condition) []policy.Condition {
	out := slices.Clone(conditions)
	for _, c := range more {
		if !slices.ContainsFunc(out, func(o policy.Condition) bool { return o.Operator == c.Operator && strings.EqualFold(o.Key, c.Key) }) {
			out = append(out, c)
		}
	}
	return out
}

// keeps reports whether a trust policy allows the declared ones of some accounts what
// another one did; only with a proof that the independent checker accepts.
func keeps(before, after *policy.Document, z reason.Zone, accounts []string, others bool) bool {
	members := declared(before, z, accounts, others)
	return members == nil || proof.Subset(context.Background(), reason.Policies{members}, reason.Policies{after}, reason.Config{}).Verdict == reason.Proved
}

// assuming are the actions that give somebody the role, and ofSessions those that say
// something of a session that someone begins.
//
// Source: Service Authorization Reference, "Actions defined by AWS Security Token Service".
func assuming() []string {
	return []string{"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"}
}

func ofSessions() []string {
	return []string{"sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext"}
}

// sessions is the part of a statement that is about sessions alone, for some of its
// principals: such actions give nobody the role. false where it has none.
func sessions(st policy.Statement, principals []document.Principal) (string, bool, error) {
	var actions []string
	for _, a := range ofSessions() {
		if iam.Lets(&st, a) {
			actions = append(actions, a)
		}
	}
	if len(actions) == 0 {
		return "", false, nil
	}
	if len(principals) > 0 {
		st = document.PublicCut{Principals: principals}.Lost(st)
	}
	st.Sid, st.Actions, st.NotActions = "", actions, nil
	text, err := st.Line()
	return text, true, err
}
