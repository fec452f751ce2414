package document

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
)

// House is whose access a fix of a policy must not take away, even where it came
// by a statement for anybody: the principals of the organisation, or, where none
// is configured, those of the bucket's own account.
type House struct {
	Account      string `json:"account"`
	Organization string `json:"organization,omitempty"`
}

// String names the house in a sentence.
func (h House) String() string {
	if h.Organization != "" {
		return "the organisation " + h.Organization
	}
	return "the account " + h.Account
}

// Condition is the key and the value by which a statement allows the house alone.
func (h House) Condition() (key, value string) {
	if h.Organization != "" {
		return "aws:PrincipalOrgID", h.Organization
	}
	return "aws:PrincipalAccount", h.Account
}

// Part is what a statement gives to the house because it is for anybody; false
// where it is not, and where there is no house.
func (h House) Part(st policy.Statement) (policy.Statement, policy.Condition, bool, error) {
	key, value := h.Condition()
	open := value != "" && slices.ContainsFunc(PrincipalsOf(&st), Principal.Everyone)
	if !open {
		return st, policy.Condition{}, false, nil
	}
	if st.NotPrincipals == nil {
		st = withPrincipals(st, []Principal{{policy.PrincipalAWS, "*"}})
	}
	part, c, err := st.Restricted(key, value)
	return part, c, true, err
}

// Direct is the policy without what it gives to the house's own account as such:
// that is for the account's IAM policies to give on, so that nobody has access by
// it alone.
//
// Source: IAM user guide, "AWS JSON policy elements: Principal", "AWS account
// principals".
func (h House) Direct(doc *policy.Document) *policy.Document {
	out := &policy.Document{Version: doc.Version}
	for _, st := range doc.Statements {
		if st.Effect != policy.Allow || st.NotPrincipals != nil {
			out.Statements = append(out.Statements, st)
			continue
		}
		all := PrincipalsOf(&st)
		left := slices.DeleteFunc(slices.Clone(all), func(p Principal) bool { return p.root() && p.Account() == h.Account })
		switch {
		case len(left) == len(all):
			out.Statements = append(out.Statements, st)
		case len(left) > 0:
			out.Statements = append(out.Statements, withPrincipals(st, left))
		}
	}
	return out
}

// Only are the denials of a policy with these statements before them.
func Only(doc *policy.Document, statements ...policy.Statement) *policy.Document {
	out := &policy.Document{Version: doc.Version, Statements: statements}
	for _, st := range doc.Statements {
		if st.Effect == policy.Deny {
			out.Statements = append(out.Statements, st)
		}
	}
	return out
}

// named are the ways in which a statement names someone, beside anybody and the
// house: these are not the public's to lose. What it asks only of those who have
// the key names too, and so does a denial for all but some.
func (h House) named(ctx context.Context, on Target, doc *policy.Document, st policy.Statement) []string {
	var out []string
	for _, p := range PrincipalsOf(&st) {
		if !p.Everyone() {
			out = append(out, p.Value)
		}
	}
	for i, c := range st.Conditions {
		op, _ := policy.ParseOperator(c.Operator)
		if op.Negated() {
			continue
		}
		for _, v := range h.tells(c, op) {
			alone := st
			alone.Conditions = slices.Clone(st.Conditions)
			alone.Conditions[i] = v
			if public, _ := Public(ctx, on, doc, alone); !public {
				out = append(out, c.Operator+" "+c.Key+" "+v.Values[0])
			}
		}
	}
	for n, d := range doc.Statements {
		for _, name := range h.spared(ctx, on, d, st) {
			out = append(out, name+", whom statement "+strconv.Itoa(n+1)+" does not deny,")
		}
	}
	return out
}

// tells are the conditions of one value, without negation and for those who have
// the key, that a condition on who or where a caller is consists of.
func (h House) tells(c policy.Condition, op policy.Operator) (out []policy.Condition) {
	if op.Test == "Null" || op.Test == "Bool" || op.Test == "" || !Identifies(strings.ToLower(c.Key)) {
		return nil
	}
	op.IfExists, op.Test = false, strings.Replace(op.Test, "Not", "", 1)
	if op.Set == policy.ForAllValues {
		op.Set = policy.ForAnyValue
	}
	for _, v := range Distinct(c.Values) {
		if v != h.Account && v != h.Organization {
			out = append(out, policy.Condition{Operator: op.String(), Key: c.Key, Values: []string{v}})
		}
	}
	return out
}

// spared are those whom a denial leaves alone by name, of what the statement allows.
func (h House) spared(ctx context.Context, on Target, d, st policy.Statement) []string {
	if d.Effect != policy.Deny {
		return nil
	}
	var out []string
	if d.NotPrincipals != nil {
		for _, p := range PrincipalsOf(&policy.Statement{Principals: d.NotPrincipals}) {
			if p.Account() != h.Account && !p.Everyone() {
				out = append(out, p.Value)
			}
		}
	}
	for _, c := range d.Conditions {
		op, _ := policy.ParseOperator(c.Operator)
		if !op.Negated() {
			continue
		}
		for _, v := range h.tells(c, op) {
			alone := st
			alone.Conditions = append(slices.Clone(st.Conditions), v)
			if public, _ := Public(ctx, on, &policy.Document{Version: policy.Version2012}, alone); !public {
				out = append(out, c.Key+" "+v.Values[0])
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	allow := &policy.Document{Version: policy.Version2012, Statements: []policy.Statement{st}}
	if reason.AllowsAny(ctx, reason.Policies{allow}, d.Actions, d.Resources, reason.Config{}).Verdict == reason.Proved {
		return nil // it is about other actions or objects
	}
	return out
}

// NamedBeside are the ways in which what a statement loses by a cut names someone
// beside the elements of the cut and the house.
func (h House) NamedBeside(ctx context.Context, on Target, doc *policy.Document, c PublicCut) []string {
	lost := c.Lost(doc.Statements[c.Index])
	if len(c.Principals) > 0 {
		lost = withPrincipals(lost, []Principal{{policy.PrincipalAWS, "*"}})
	}
	lost.Conditions = slices.DeleteFunc(slices.Clone(lost.Conditions), func(x policy.Condition) bool {
		return len(c.Values) > 0 && x.Operator == c.Operator && x.Key == c.Key
	})
	return h.named(ctx, on, doc, lost)
}

// NarrowedBy finds the cut that makes one statement of another; false where it is
// none: more than one list, or something else, has changed.
func (h House) NarrowedBy(index int, old, fresh policy.Statement) (PublicCut, bool) {
	cut := PublicCut{Index: index}
	same := func(a, b policy.Statement) bool { return CanonStatement(&a) == CanonStatement(&b) }
	if frameOf(old) != frameOf(fresh) {
		return cut, false
	}
	if part, _, open, err := h.Part(old); open && err == nil && len(PrincipalsOf(&old)) == 1 && same(part, fresh) {
		return cut, true
	}
	if old.Principals != nil && fresh.Principals != nil {
		left := PrincipalsOf(&fresh)
		for _, p := range Distinct(PrincipalsOf(&old)) {
			if !slices.Contains(left, p) {
				cut.Principals = append(cut.Principals, p)
			}
		}
		if len(cut.Principals) > 0 {
			return cut, len(left) > 0 && same(cut.Left(old), fresh)
		}
	}
	for _, c := range old.Conditions {
		for _, f := range fresh.Conditions {
			if c.Operator != f.Operator || c.Key != f.Key {
				continue
			}
			for _, v := range Distinct(c.Values) {
				if !slices.Contains(f.Values, v) {
					cut.Operator, cut.Key, cut.Values = c.Operator, c.Key, append(cut.Values, v)
				}
			}
			if len(cut.Values) > 0 {
				return cut, len(f.Values) > 0 && same(cut.Left(old), fresh)
			}
		}
	}
	return cut, false
}
