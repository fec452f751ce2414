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
