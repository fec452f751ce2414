package document

import (
	"slices"
	"strconv"
	"strings"

	"dera.example/dera/iam/policy"
)

// CanonPolicy is a line for each statement, so that a difference names it.
func CanonPolicy(text string) []string {
	if text == "" {
		return nil
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return []string{"policy that cannot be read description " + strconv.Quote(text)}
	}
	out := []string{"policy of version " + strconv.Quote(doc.Version) + " description " + strconv.Quote(doc.ID)}
	var lines []string
	for i := range doc.Statements {
		st := &doc.Statements[i]
		one := &policy.Document{Version: doc.Version, Statements: []policy.Statement{*st}}
		line := StatementLine(i, st)
		_, line, _ = strings.Cut(line, ": ") // the order of statements means nothing
		lines = append(lines, "policy statement "+line+" description "+strconv.Quote(one.Canon()))
	}
	slices.Sort(lines)
	return append(out, lines...)
}

// CanonText is equal for two texts of policies that say the same.
func CanonText(text string) string {
	doc, err := policy.Parse(text)
	if err != nil {
		return strconv.Quote(text)
	}
	return doc.Canon()
}

// SamePolicy reports whether two texts are policies that say the same.
func SamePolicy(a, b string) bool {
	return a == b || a != "" && b != "" && CanonText(a) == CanonText(b)
}

// DiffPolicy is what changes between two texts of a policy, statement by statement, as
// lines of a diff; what stands before each statement is the prefix.
func DiffPolicy(prefix, before, after string) (out []string) {
	was, is := CanonPolicy(before), CanonPolicy(after)
	for _, l := range was {
		if !slices.Contains(is, l) {
			out = append(out, "- "+prefix+l)
		}
	}
	for _, l := range is {
		if !slices.Contains(was, l) {
			out = append(out, "+ "+prefix+l)
		}
	}
	return out
}
