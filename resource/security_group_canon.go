package resource

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Canon is equal for two groups that let the same in and out with the same
// descriptions and tags. Rule IDs, the order of rules and the attached
// interfaces are not part of it.
func (g *SecurityGroup) Canon() string {
	var b strings.Builder
	fmt.Fprintf(&b, "security-group %s name %s vpc %s\n", g.ID, strconv.Quote(g.Name), g.VPC)
	b.WriteString("tags" + canonTags(g.Tags) + "\n")
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
		lines = append(lines, direction+" "+r.canon())
	}
	slices.Sort(lines)
	return lines
}

func (r Rule) canon() string {
	return fmt.Sprintf("%s %d %d %s description %s tags%s",
		r.Protocol, r.From, r.To, r.Source(), strconv.Quote(r.Description), canonTags(r.Tags))
}
