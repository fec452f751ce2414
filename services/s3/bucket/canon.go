package bucket

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3"
)

// Canon is equal for two buckets whose policy, ACL, ownership, block and tags
// mean the same. What belongs to other resources (the block of the account, the
// CloudFront distributions) is not part of it. In each line, what follows
// " description " may be the customer's own text.
func (b *Bucket) Canon() string {
	var out strings.Builder
	fmt.Fprintf(&out, "bucket %s owner %s\n", b.Name, b.Owner)
	out.WriteString("tags" + resource.CanonTags(b.Tags) + "\n")
	fmt.Fprintf(&out, "object ownership %s\n", strconv.Quote(b.Ownership))
	out.WriteString(s3.BlockLine(b.Block) + "\n")
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
	for _, line := range document.CanonPolicy(b.Policy) {
		out.WriteString(line + "\n")
	}
	var points []string
	for _, p := range b.AccessPoints {
		line := fmt.Sprintf("access point %s vpc %q %s", p.Name, p.VPC, s3.BlockLine(p.Block))
		if p.Policy != "" {
			line += " description " + strconv.Quote(document.CanonText(p.Policy))
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
