package iam

import (
	"slices"
	"strings"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
)

// narrowable reports whether a program can narrow a policy: it lists what it allows.
func narrowable(doc *policy.Document) bool {
	return !slices.ContainsFunc(doc.Statements, func(st policy.Statement) bool {
		return st.Effect == policy.Allow && (st.NotActions != nil || st.Principals != nil || st.NotPrincipals != nil || slices.ContainsFunc(st.Actions, OfAnyService))
	})
}

// everything reports whether a policy has an entry for every action, which is too much
// to go through.
func everything(doc *policy.Document) bool {
	return slices.ContainsFunc(doc.Statements, func(st policy.Statement) bool {
		return st.Effect == policy.Allow && slices.ContainsFunc(st.Actions, every)
	})
}

func every(entry string) bool { return entry == "*" || entry == "*:*" }

// OfAnyService reports whether an entry has a wildcard where the service stands, other
// than AWS's own two ways to write every action. AWS does not document what it means: in
// doubt it means all that it matches.
func OfAnyService(entry string) bool {
	service, _, _ := strings.Cut(entry, ":")
	return !every(entry) && strings.ContainsAny(service, "*?")
}

// matches reports whether an entry matches an action; in doubt it does.
func matches(entry, action string) bool {
	if !OfAnyService(entry) {
		return catalog.MatchAction(entry, action)
	}
	service, name, ok := strings.Cut(entry, ":")
	if !ok {
		return catalog.Match(service, action)
	}
	of, is, _ := strings.Cut(action, ":")
	return catalog.Match(service, of) && catalog.Match(name, is)
}

// allows reports whether some statement of a policy allows an action.
func allows(doc *policy.Document, action string) bool {
	return slices.ContainsFunc(doc.Statements, func(st policy.Statement) bool { return st.Effect == policy.Allow && Lets(&st, action) })
}

// Lets reports whether a statement is about an action: its list has it, or is all but
// others. In doubt it is.
func Lets(st *policy.Statement, action string) bool {
	if st.NotActions != nil {
		return !slices.ContainsFunc(st.NotActions, func(e string) bool { return catalog.MatchAction(e, action) })
	}
	return slices.ContainsFunc(st.Actions, func(e string) bool { return matches(e, action) })
}

// Exactly reports whether a statement is about an action as AWS documents it, which a pattern
// of services it does not.
func Exactly(st *policy.Statement, action string) bool {
	return st.NotActions != nil && Lets(st, action) || slices.ContainsFunc(st.Actions, func(e string) bool { return catalog.MatchAction(e, action) })
}

// breadth says what a policy allows that no list can name, and no more than that.
func breadth(doc *policy.Document) string {
	var wide, open []*policy.Statement
	denies := ""
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect != policy.Allow {
			denies = ", apart from what it denies"
			continue
		}
		wide = append(wide, st)
		if onAll(st) && len(st.Conditions) == 0 {
			open = append(open, st)
		}
	}
	if what := reach(open...); what != "" {
		return what + denies
	}
	what := reach(wide...)
	alone := slices.DeleteFunc(slices.Clone(wide), func(st *policy.Statement) bool { return reach(st) != what })
	if len(alone) == 0 {
		alone = wide
	}
	var limits []string
	if slices.ContainsFunc(alone, func(st *policy.Statement) bool { return !onAll(st) }) {
		limits = append(limits, "on some resources")
	}
	if slices.ContainsFunc(alone, func(st *policy.Statement) bool { return len(st.Conditions) > 0 }) {
		limits = append(limits, "under conditions")
	}
	return what + ", " + strings.Join(limits, " and ") + denies
}

const (
	letsAll  = "everything"
	letsMost = "everything but a list of actions"
	letsSome = "actions by a pattern of services"
)

// onAll reports whether a statement is about all resources.
func onAll(st *policy.Statement) bool {
	return st.NotResources == nil && slices.Contains(st.Resources, "*")
}

// reach says how much some statements together allow that no list names, "" for nothing.
func reach(statements ...*policy.Statement) string {
	has := func(is func(st *policy.Statement) bool) bool { return slices.ContainsFunc(statements, is) }
	allBut := has(func(st *policy.Statement) bool { return st.NotActions != nil })
	pattern := has(func(st *policy.Statement) bool { return slices.ContainsFunc(st.Actions, OfAnyService) })
	if has(func(st *policy.Statement) bool { return slices.ContainsFunc(st.Actions, every) }) {
		return letsAll
	}
	if !allBut && !pattern {
		return ""
	}
	known, _ := catalog.Embedded().Expand("*")
	surely := func(st *policy.Statement, a string) bool {
		return Lets(st, a) && !slices.ContainsFunc(st.NotActions, func(e string) bool { return matches(e, a) })
	}
	switch left := func(a string) bool { return !has(func(st *policy.Statement) bool { return surely(st, a) }) }; {
	case !slices.ContainsFunc(known, left):
		return letsAll
	case allBut:
		return letsMost
	}
	return letsSome
}
