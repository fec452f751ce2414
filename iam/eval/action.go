package eval

import (
	"slices"
	"strings"
	"unicode/utf8"

	"dera.example/dera/iam/policy"
)

// action is the action of a request, prepared once per question: hashes of the
// lower-case name and of the service before the colon.
type action struct {
	text    string
	name    string // after the colon
	hash    uint64
	service uint64
}

// newAction prepares an action. One without a colon, or with nothing before
// it, names no service.
func newAction(text string) action {
	a := action{text: text, hash: hashSeed}
	for i := range len(text) {
		if text[i] == ':' && a.name == "" {
			a.service = a.hash
			a.name = text[i+1:]
		}
		a.hash = hashByte(a.hash, toLower(text[i]))
	}
	return a
}

// FNV-1a.
const hashSeed, hashPrime = 14695981039346656037, 1099511628211

func hashByte(h uint64, c byte) uint64 { return (h ^ uint64(c)) * hashPrime }

// hashText hashes a text in lower case.
func hashText(lower string) uint64 {
	h := uint64(hashSeed)
	for i := range len(lower) {
		h = hashByte(h, lower[i])
	}
	return h
}

// near reports whether an entry may match the action, without compiling it: not
// when a letter before its first wildcard is another one. Beyond ASCII it does
// not look.
func (a *action) near(entry string) bool {
	for i := range len(entry) {
		c := entry[i]
		switch {
		case c == '*' || c == '?' || c >= utf8.RuneSelf:
			return true
		case i == len(a.text):
			return false
		case a.text[i] >= utf8.RuneSelf:
			return true
		case toLower(c) != toLower(a.text[i]):
			return false
		}
	}
	return len(entry) == len(a.text)
}

// among reports whether a statement may be about the action.
func (a *action) among(st *policy.Statement) bool {
	return st.NotActions != nil || slices.ContainsFunc(st.Actions, a.near)
}

// actionPattern is a compiled entry of Action or NotAction.
type actionPattern struct {
	kind    actionKind
	text    string // of an exact action, in lower case
	service uint64
	name    glob
}

type actionKind uint8

const (
	actionNone  actionKind = iota // matches nothing
	actionAny                     // *
	actionExact                   // service:Name
	actionGlob                    // service:Na*
)

// newActionPattern compiles an entry. Case does not matter; wildcards count in
// the name only: what has one before the colon matches nothing, nor does what
// has no colon.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
func newActionPattern(text string) actionPattern {
	text = strings.ToLower(text)
	service, name, found := strings.Cut(text, ":")
	switch {
	case text == "*" || text == "*:*":
		return actionPattern{kind: actionAny}
	case !found || service == "" || strings.ContainsAny(service, "*?"):
		return actionPattern{}
	case !strings.ContainsAny(name, "*?"):
		return actionPattern{kind: actionExact, text: text, service: hashText(service)}
	default:
		t := parseTemplate(name, syntax{wildcards: true})
		return actionPattern{kind: actionGlob, text: service + ":", service: hashText(service), name: newGlob(t.pieces)}
	}
}

// match reports whether the pattern matches an action.
func (p *actionPattern) match(a *action) bool {
	switch p.kind {
	case actionAny:
		return true
	case actionExact:
		return len(a.text) == len(p.text) && hasPrefixFold(a.text, p.text)
	case actionGlob:
		return p.service == a.service && hasPrefixFold(a.text, p.text) && p.name.matchFold(a.name)
	case actionNone:
	}
	return false
}

// matchActions reports whether one of the patterns matches.
func matchActions(patterns []actionPattern, a *action) bool {
	for i := range patterns {
		if patterns[i].match(a) {
			return true
		}
	}
	return false
}
