package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dera.example/dera/resource/document"
	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/services/s3"
	s3bucket "dera.example/dera/services/s3/bucket"
)

// mark is a part of a resource that a call touches; the part is "" where it may be
// any, "#ID" for a rule by its ID, and "?ID" where that is all that is known of it.
type mark struct{ resource, part string }

const (
	groupMark  = "group/"
	bucketMark = "bucket/"
	blockMark  = "block/"
)

// touched lists what a call touches.
func (s *State) touched(c call) []mark {
	if c.Source == "s3.amazonaws.com" {
		return touchedByS3(c)
	}
	var out []mark
	if c.Name == "CreateTags" || c.Name == "DeleteTags" {
		for _, id := range c.request.texts("resourcesSet", "resourceId") {
			for _, t := range c.request.list("tagSet") {
				out = append(out, mark{groupMark + c.Account + "/" + id, "tag " + t.text("key")})
			}
		}
		return out
	}
	id := s.groupID(c)
	if id == "" {
		return nil
	}
	name := groupMark + c.Account + "/" + id
	part := func(p string) { out = append(out, mark{name, p}) }
	rules, ids := c.rules()
	g := s.groups[place{c.Account, id}]
	for _, r := range rules {
		part(c.direction() + r.Line())
	}
	for _, ruleID := range ids {
		part("#" + ruleID)
		switch known := g.ruleOf(ruleID); {
		case known != nil:
			part("in " + known.Line())
		case len(rules) == 0 || strings.HasPrefix(c.Name, "Modify"):
			part("?" + ruleID) // any rule, unless another call says which
		}
	}
	return out
}

// direction tells inbound rules from outbound ones.
func (c call) direction() string {
	if strings.HasSuffix(c.Name, "Egress") {
		return "out "
	}
	return "in "
}

// rules are those that a call names, and IDs of rules.
func (c call) rules() (rules []securitygroup.Rule, ids []string) {
	switch c.Name {
	case "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress":
		rules = c.added()
	case "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress":
		rules, ids = c.removed()
		return rules, ids
	case "ModifySecurityGroupRules":
		for _, m := range c.modified() {
			rules, ids = append(rules, m), append(ids, m.ID)
		}
		return rules, ids
	}
	for _, r := range rules {
		if r.ID != "" {
			ids = append(ids, r.ID)
		}
	}
	return rules, ids
}

func (g *group) ruleOf(id string) *securitygroup.Rule {
	if g == nil {
		return nil
	}
	for _, list := range [][]securitygroup.Rule{g.config.Ingress, g.config.Egress} {
		if i := slices.IndexFunc(list, func(r securitygroup.Rule) bool { return r.ID == id }); i >= 0 {
			return &list[i]
		}
	}
	return nil
}

func touchedByS3(c call) []mark {
	if strings.HasSuffix(c.Name, "AccountPublicAccessBlock") {
		return []mark{{blockMark + c.Account, s3bucket.PartBlock}}
	}
	name := c.request.text("bucketName", "bucket")
	if bucketChanges()[c.Name] == nil || name == "" {
		return nil
	}
	part := ""
	for _, p := range []struct{ of, part string }{
		{"Policy", s3bucket.PartPolicy}, {"Acl", s3bucket.PartACL}, {"PublicAccessBlock", s3bucket.PartBlock}, {"OwnershipControls", s3bucket.PartOwnership},
		{"Tagging", s3bucket.PartTags}, {"Website", s3bucket.PartWebsite}, {"AccessPoint", s3bucket.PartAccessPoints},
	} {
		if strings.HasSuffix(c.Name, p.of) {
			part = p.part
		}
	}
	return []mark{{bucketMark + c.Account + "/" + name, part}}
}

// doubtAt notes a doubt until a later call says what the part is.
func (s *State) doubtAt(m mark, why string) {
	account, id, _ := strings.Cut(m.resource[strings.Index(m.resource, "/")+1:], "/")
	switch at := (place{account, id}); {
	case strings.HasPrefix(m.resource, blockMark):
		if b := s.blocks[account]; b != nil {
			b.doubt = why
		}
	case strings.HasPrefix(m.resource, groupMark) && s.groups[at] != nil:
		if m.part == "" || strings.HasPrefix(m.part, "in ") || strings.HasPrefix(m.part, "tag ") { // no control goes by outbound rules
			s.groups[at].doubtOf(m.part, why)
		}
	case strings.HasPrefix(m.resource, bucketMark) && s.buckets[at] != nil:
		s.buckets[at].doubtOf(m.part, why)
	}
}

// possible reports whether a call can have had its recorded outcome in this state.
func (s *State) possible(c call) bool {
	if c.Source == "s3.amazonaws.com" {
		b := s.buckets[place{c.Account, c.request.text("bucketName", "bucket")}]
		gone := b != nil && b.gone
		if c.Name == "CreateBucket" { // in us-east-1 whoever has the bucket may create it again
			return b == nil || gone || !b.born || c.Region == "us-east-1"
		}
		return !gone
	}
	g := s.groups[place{c.Account, s.groupID(c)}]
	if g == nil {
		return true
	}
	if g.gone {
		return false
	}
	rules, ids := c.rules()
	here := func(r securitygroup.Rule) bool { return slices.ContainsFunc(*g.list(c), r.SamePermission) }
	mayBeHere := func(r securitygroup.Rule) bool {
		return here(r) || !g.born && !slices.ContainsFunc(*g.missing(c), r.SamePermission)
	}
	switch {
	case strings.HasPrefix(c.Name, "Authorize") && c.Failed(): // one of them was there
		return slices.ContainsFunc(rules, mayBeHere)
	case strings.HasPrefix(c.Name, "Authorize"):
		return !slices.ContainsFunc(rules, here)
	case strings.HasPrefix(c.Name, "Revoke") && c.Failed(): // one of them was not there
		return len(rules) == 0 || slices.ContainsFunc(rules, func(r securitygroup.Rule) bool { return !here(r) })
	case strings.HasPrefix(c.Name, "Revoke"), strings.HasPrefix(c.Name, "Modify"):
		if strings.HasPrefix(c.Name, "Revoke") && slices.ContainsFunc(rules, func(r securitygroup.Rule) bool { return !mayBeHere(r) }) {
			return false
		}
		if strings.HasPrefix(c.Name, "Modify") && g.holds(rules, ids) {
			return false
		}
		return !slices.ContainsFunc(ids, func(id string) bool {
			return g.ruleOf(id) == nil && (s.coming[id] || g.born && !g.unnamed())
		})
	}
	return true
}

// holds reports whether beside the rules with the IDs the group has one that permits
// what one of them is to permit: AWS refuses to make two of one.
func (g *group) holds(rules []securitygroup.Rule, ids []string) bool {
	for _, list := range [][]securitygroup.Rule{g.config.Ingress, g.config.Egress} {
		for _, r := range rules {
			if slices.ContainsFunc(list, func(o securitygroup.Rule) bool { return o.ID == r.ID }) &&
				slices.ContainsFunc(list, func(o securitygroup.Rule) bool { return r.SamePermission(o) && !slices.Contains(ids, o.ID) }) {
				return true
			}
		}
	}
	return false
}

// unnamed reports whether the group has rules whose IDs no event reported.
func (g *group) unnamed() bool {
	return slices.ContainsFunc(slices.Concat(g.config.Ingress, g.config.Egress), func(r securitygroup.Rule) bool { return strings.HasPrefix(r.ID, unknownRule) })
}

// part is a state of what calls touch alone.
func (s *State) part(calls []moment) *State {
	out := New(s.now)
	out.made, out.coming = s.made, map[string]bool{}
	for _, m := range calls {
		if _, ids := m.rules(); strings.HasPrefix(m.Name, "Authorize") {
			for _, id := range ids {
				out.coming[id] = true
			}
		}
		for _, t := range s.touched(m.call) {
			account, id, _ := strings.Cut(t.resource[strings.Index(t.resource, "/")+1:], "/")
			at := place{account, id}
			if g := s.groups[at]; g != nil && strings.HasPrefix(t.resource, groupMark) {
				out.groups[at] = g
			}
			if b := s.buckets[at]; b != nil && strings.HasPrefix(t.resource, bucketMark) {
				out.buckets[at] = b
			}
			if b := s.blocks[account]; b != nil && strings.HasPrefix(t.resource, blockMark) {
				out.blocks[account] = b
			}
		}
	}
	return out.copy()
}

// copy is a state that can be changed apart.
func (s *State) copy() *State {
	out := New(s.now)
	out.made, out.coming = s.made, s.coming
	for at, g := range s.groups {
		c := *g
		c.doubts, c.missingIn, c.missingOut = slices.Clone(g.doubts), slices.Clone(g.missingIn), slices.Clone(g.missingOut)
		c.config.Ingress, c.config.Egress, c.config.Tags = slices.Clone(g.config.Ingress), slices.Clone(g.config.Egress), maps.Clone(g.config.Tags)
		out.groups[at] = &c
	}
	for at, b := range s.buckets {
		c := *b
		c.doubts = slices.Clone(b.doubts)
		c.config.Unread, c.config.Grants, c.config.Tags = slices.Clone(b.config.Unread), slices.Clone(b.config.Grants), maps.Clone(b.config.Tags)
		out.buckets[at] = &c
	}
	for account, b := range s.blocks {
		c := *b
		out.blocks[account] = &c
	}
	return out
}

// text is the same for states that are judged the same.
func (s *State) text() string {
	var lines []string
	for at, g := range s.groups {
		var rules []string
		for _, r := range g.config.Ingress {
			rules = append(rules, r.Line())
		}
		for _, r := range g.missingIn {
			rules = append(rules, "not "+r.Line())
		}
		slices.Sort(rules)
		lines = append(lines, fmt.Sprint(at, g.gone, g.born, rules, g.config.Tags))
	}
	for at, b := range s.buckets {
		c := b.config
		slices.Sort(c.Unread)
		text, err := json.Marshal(c)
		lines = append(lines, fmt.Sprint(at, b.gone, b.born, string(text), err))
	}
	for account, b := range s.blocks {
		lines = append(lines, fmt.Sprint(account, b.config != nil, b.config))
		if b.config != nil {
			lines = append(lines, fmt.Sprint(account, *b.config))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// exposure says how much is open, to choose between ends: what is there before what
// it allows, and a wide source before a narrow one.
func (s *State) exposure() int {
	n := 0
	for _, g := range s.groups {
		if g.gone {
			continue
		}
		n += 10_000
		for _, r := range g.config.Ingress {
			n += 33
			if r.CIDR.IsValid() {
				n += 32 - r.CIDR.Bits()*32/r.CIDR.Addr().BitLen()
			}
		}
	}
	open := func(b *s3.Block) int {
		if b == nil {
			return 4
		}
		flags := 4
		for _, on := range []bool{b.PublicACLs, b.IgnorePublicACLs, b.PublicPolicy, b.RestrictedBuckets} {
			if on {
				flags--
			}
		}
		return flags
	}
	for _, b := range s.buckets {
		if b.gone {
			continue
		}
		n += 10_000 + open(b.config.Block)
		for _, g := range b.config.Grants {
			if g.URI != "" {
				n++
			}
		}
		if b.config.Policy != "" {
			n++
			doc, err := b.config.Parsed()
			if list, unsure := document.PublicStatements(context.Background(), b.config.ARN(), doc); err != nil || unsure != "" || len(list) > 0 {
				n += 10
			}
		}
		if b.config.Ownership != "BucketOwnerEnforced" {
			n++
		}
	}
	for _, b := range s.blocks {
		n += open(b.config)
	}
	return n
}
