package resource

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dera.example/dera/iam/policy"
)

// Canon is equal for two buckets whose policy, ACL, ownership, block and tags
// mean the same. What belongs to other resources (the block of the account, the
// CloudFront distributions) is not part of it. In each line, what follows
// " description " may be the customer's own text.
func (b *Bucket) Canon() string {
	var out strings.Builder
	fmt.Fprintf(&out, "bucket %s owner %s\n", b.Name, b.Owner)
	out.WriteString("tags" + canonTags(b.Tags) + "\n")
	fmt.Fprintf(&out, "object ownership %s\n", strconv.Quote(b.Ownership))
	out.WriteString(blockLine(b.Block) + "\n")
	if b.Website {
		out.WriteString("static website\n")
	}
	var grants []string
	for _, g := range b.Grants {
		grants = append(grants, g.Line())
	}
	slices.Sort(grants)
	for _, g := range slices.Compact(grants) {
		out.WriteString(g + "\n")
	}
	for _, line := range canonPolicy(b.Policy) {
		out.WriteString(line + "\n")
	}
	var points []string
	for _, p := range b.AccessPoints {
		line := fmt.Sprintf("access point %s vpc %q %s", p.Name, p.VPC, blockLine(p.Block))
		if p.Policy != "" {
			line += " description " + strconv.Quote(canonText(p.Policy))
		}
		points = append(points, line)
	}
	slices.Sort(points)
	for _, p := range points {
		out.WriteString(p + "\n")
	}
	for _, part := range slices.Sorted(slices.Values(b.Unread)) {
		out.WriteString("not read: " + part + "\n")
	}
	return out.String()
}

// canonPolicy is a line for each statement, so that a difference names it.
func canonPolicy(text string) []string {
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

func canonText(text string) string {
	doc, err := policy.Parse(text)
	if err != nil {
		return strconv.Quote(text)
	}
	return doc.Canon()
}

// SamePolicy reports whether two texts are policies that say the same.
func SamePolicy(a, b string) bool {
	return a == b || a != "" && b != "" && canonText(a) == canonText(b)
}
