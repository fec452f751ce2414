package bucket

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dera.example/dera/resource/document"

	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
	"dera.example/dera/services/s3"
)

// Turn implements resource.History: a bucket is created before anything happens to
// it, unless it was there and is deleted in the same second.
func (h *history) Turn(c cloudtrail.Call, all []cloudtrail.Call) resource.Turn {
	if c.Source != s3.Source || c.Name != "CreateBucket" {
		return resource.TurnAny
	}
	if b := h.buckets[named(c)]; b != nil && b.Created && !b.Deleted {
		return resource.TurnAny
	}
	if slices.ContainsFunc(all, func(o cloudtrail.Call) bool {
		return o.Name == "DeleteBucket" && !o.Failed() && named(o) == named(c)
	}) {
		return resource.TurnAny
	}
	return resource.TurnFirst
}

// Touches implements resource.History.
func (h *history) Touches(c cloudtrail.Call) []resource.Mark {
	if marks := h.blocks.Touches(c); marks != nil {
		return marks
	}
	if c.Source != s3.Source || changes()[c.Name] == nil || named(c).ID == "" {
		return nil
	}
	part := ""
	for _, p := range []struct{ of, part string }{
		{"Policy", PartPolicy}, {"Acl", PartACL}, {"PublicAccessBlock", PartBlock}, {"OwnershipControls", PartOwnership},
		{"Tagging", PartTags}, {"Website", PartWebsite}, {"AccessPoint", PartAccessPoints},
	} {
		if strings.HasSuffix(c.Name, p.of) {
			part = p.part
		}
	}
	return []resource.Mark{{Place: named(c), Part: part}}
}

// Doubt implements resource.History.
func (h *history) Doubt(m resource.Mark, why string) {
	h.blocks.Doubt(m, why)
	if b := h.buckets[m.Place]; b != nil {
		b.Origin.Doubt(m.Part, why)
	}
}

// Possible implements resource.History.
func (h *history) Possible(c cloudtrail.Call) bool {
	if c.Source != s3.Source {
		return true
	}
	b := h.buckets[named(c)]
	deleted := b != nil && b.Deleted
	if c.Name == "CreateBucket" { // in us-east-1 whoever has the bucket may create it again
		return b == nil || deleted || !b.Created || c.Region == "us-east-1"
	}
	return !deleted
}

// Copy implements resource.History.
func (h *history) Copy(of []resource.Mark) resource.History {
	out := &history{map[resource.Place]*bucket{}, h.blocks.Copy(of)}
	for _, m := range of {
		if b := h.buckets[m.Place]; b != nil && out.buckets[m.Place] == nil {
			c := *b
			c.Origin = b.Origin.Copy()
			c.config.Unread, c.config.Grants, c.config.Tags = slices.Clone(b.config.Unread), slices.Clone(b.config.Grants), maps.Clone(b.config.Tags)
			out.buckets[m.Place] = &c
		}
	}
	return out
}

// Text implements resource.History.
func (h *history) Text() string {
	lines := []string{h.blocks.Text()}
	for at, b := range h.buckets {
		c := b.config
		c.Unread = slices.Sorted(slices.Values(c.Unread))
		text, err := json.Marshal(c)
		lines = append(lines, fmt.Sprint(at, b.Deleted, b.Created, string(text), err))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Exposure implements resource.History.
func (h *history) Exposure() int {
	n := h.blocks.Exposure()
	for _, b := range h.buckets {
		if b.Deleted {
			continue
		}
		n += 10_000 + s3.Open(b.config.Block)
		for _, g := range b.config.Grants {
			if g.URI != "" {
				n++
			}
		}
		if b.config.Policy != "" {
			n++
			doc, err := b.config.Parsed()
			if list, unsure := document.PublicStatements(context.Background(), s3.Target(b.config.ARN()), doc); err != nil || unsure != "" || len(list) > 0 {
				n += 10
			}
		}
		if b.config.Ownership != "BucketOwnerEnforced" {
			n++
		}
	}
	return n
}
