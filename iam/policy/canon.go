package policy

import (
	"maps"
	"slices"
	"strings"
)

// Canon gives the document in a form that depends on its meaning and not on
// how it is written: equal texts mean that the two documents say the same.
// (Documents that differ may still allow the same requests: that is for a
// prover to say.)
//
// Order is sorted away wherever it has no meaning, also among statements;
// duplicates go; a string becomes a list; actions, condition keys and the
// values of Null and Bool are written in lower case; account IDs and "*" take
// the one form of the several that AWS knows; a missing version is written
// out. Sid and Id stay, because people refer to them.
func (d *Document) Canon() string {
	statements := make([]string, len(d.Statements))
	for i := range d.Statements {
		statements[i] = canonStatement(&d.Statements[i])
	}
	slices.Sort(statements)
	version := d.Version
	if version == "" {
		version = Version2008
	}
	var c canon
	c.field("Version", quote(version))
	if d.ID != "" {
		c.field("Id", quote(d.ID))
	}
	c.field("Statement", "["+strings.Join(statements, ",")+"]")
	return c.object()
}

// canon gathers the members of one object.
type canon []string

func (c *canon) field(name, json string) { *c = append(*c, quote(name)+":"+json) }

func (c *canon) list(name string, values []string, spell func(string) string) {
	if values != nil {
		c.field(name, canonList(values, spell))
	}
}

func (c canon) object() string { return "{" + strings.Join(c, ",") + "}" }

func canonList(values []string, spell func(string) string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(spell(v))
	}
	slices.Sort(quoted)
	return "[" + strings.Join(slices.Compact(quoted), ",") + "]"
}

func asWritten(s string) string { return s }

func canonStatement(st *Statement) string {
	var c canon
	if st.Sid != "" {
		c.field("Sid", quote(st.Sid))
	}
	c.field("Effect", quote(st.Effect.String()))
	canonPrincipals(&c, "Principal", st.Principals)
	canonPrincipals(&c, "NotPrincipal", st.NotPrincipals)
	c.list("Action", st.Actions, strings.ToLower)
	c.list("NotAction", st.NotActions, strings.ToLower)
	c.list("Resource", st.Resources, asWritten)
	c.list("NotResource", st.NotResources, asWritten)
	canonConditions(&c, st.Conditions)
	return c.object()
}

// canonPrincipals writes {"AWS": ["*"]} for "*", and the digits of an account
// for the ARN of its root.
func canonPrincipals(c *canon, name string, ps *Principals) {
	if ps == nil {
		return
	}
	byKind := map[string][]string{}
	if ps.Any {
		byKind[PrincipalAWS] = []string{"*"}
	}
	for _, g := range ps.Groups {
		byKind[g.Kind] = append(byKind[g.Kind], g.Values...)
	}
	var groups canon
	for _, kind := range sortedKeys(byKind) {
		if len(byKind[kind]) > 0 {
			groups.list(kind, byKind[kind], canonPrincipal)
		}
	}
	c.field(name, groups.object())
}

func canonPrincipal(value string) string {
	if account, ok := RootAccount(value); ok {
		return account
	}
	return value
}

// RootAccount returns the account that a principal stands for as a whole:
// "arn:aws:iam::111122223333:root" and "111122223333" mean the same.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts
func RootAccount(principal string) (account string, ok bool) {
	account = principal
	if rest, isARN := strings.CutPrefix(principal, "arn:"); isARN {
		_, rest, _ = strings.Cut(rest, ":iam::")
		if account, ok = strings.CutSuffix(rest, ":root"); !ok {
			return "", false
		}
	}
	return account, account != "" && strings.Trim(account, "0123456789") == ""
}

// canonConditions sorts conditions by operator and key. Operators without keys
// hold always and are left out by Parse already.
func canonConditions(c *canon, all []Condition) {
	blocks := map[string]map[string]string{}
	for _, cond := range all {
		if blocks[cond.Operator] == nil {
			blocks[cond.Operator] = map[string]string{}
		}
		blocks[cond.Operator][canonKey(all, cond)] = canonList(cond.Values, canonSpelling(cond.Operator))
	}
	if len(blocks) == 0 {
		return
	}
	var operators canon
	for _, op := range sortedKeys(blocks) {
		var keys canon
		for _, key := range sortedKeys(blocks[op]) {
			keys.field(key, blocks[op][key])
		}
		operators.field(op, keys.object())
	}
	c.field("Condition", operators.object())
}

// canonKey gives a condition key in lower case. Two spellings of one key under
// one operator are two conditions, which stay as written to stay apart.
func canonKey(all []Condition, cond Condition) string {
	for _, other := range all {
		if other.Operator == cond.Operator && other.Key != cond.Key && strings.EqualFold(other.Key, cond.Key) {
			return cond.Key
		}
	}
	return strings.ToLower(cond.Key)
}

// canonSpelling: only the values of Null and Bool disregard case.
func canonSpelling(operator string) func(string) string {
	if op, _ := ParseOperator(operator); op.Test != "Null" && op.Test != "Bool" {
		return asWritten
	}
	return func(value string) string {
		if strings.Contains(value, "${") {
			return value
		}
		return strings.ToLower(value)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
