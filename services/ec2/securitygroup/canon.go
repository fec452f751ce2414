package securitygroup

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dera.example/dera/resource"
)

// Canon is equal for two groups that allow the same traffic in and out with the same
// descriptions and tags. Rule IDs, the order of rules and the attached
// interfaces are not part of it.
func (g *Group) Canon() string {
	var b strings.Builder
	fmt.Fprintf(&b, "security-group %s name %s vpc %s\n", g.ID, strconv.Quote(g.Name), g.VPC)
	b.WriteString("tags" + resource.CanonTags(g.Tags) + "\n")
	for _, line := range canonRules("in", g.Ingress) {
		b.WriteString(line + "\n")
	}
	for _, line := range canonRules("out", g.Egress) {
		b.WriteString(line + "\n")
	}
	return b.String()
}

func canonRules(direction string, rules []Rule) []string {
	lines := make([]string, 0, len(rules))
	for _, r := range rules {
		lines = append(lines, direction+" "+r.Canon())
	}
	slices.Sort(lines)
	return lines
}

// Canon is equal for two rules that allow the same with the same description and
// tags.
func (r Rule) Canon() string {
	return fmt.Sprintf("%s %d %d %s description %s tags%s",
		r.Protocol, r.From, r.To, r.Source(), strconv.Quote(r.Description), resource.CanonTags(r.Tags))
}
