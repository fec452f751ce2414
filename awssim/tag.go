package awssim

import (
	"maps"
	"slices"
	"strings"
)

// tags are the tags of one resource. They are immutable once they are part of a row.
type tags map[string]string

// maxTags is the quota of tags of a resource.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html
const maxTags = 50

func (t tags) with(more tags) tags {
	merged := maps.Clone(t)
	if merged == nil {
		merged = tags{}
	}
	maps.Copy(merged, more)
	return merged
}

func (t tags) write(e *encoder) {
	e.beginList("tagSet")
	for _, key := range slices.Sorted(maps.Keys(t)) {
		e.item()
		e.text("key", key)
		e.text("value", t[key])
		e.endItem()
	}
	e.endList("tagSet")
}

// readTags reads Tag.N.Key and Tag.N.Value.
func readTags(p *parameters) (tags, error) {
	read := tags{}
	for _, t := range p.list("Tag") {
		key := t.text("Key")
		switch {
		case key == "":
			return nil, missing("tagKey")
		case len(key) > 128 || len(t.text("Value")) > 256:
			return nil, invalid("Tag key or value exceeds the maximum length (128 and 256 characters)")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, invalid("Tag keys starting with 'aws:' are reserved for internal use")
		}
		read[key] = t.text("Value")
	}
	return read, nil
}

// tagSpecification returns the tags that the request wants on the new resources of a type; it refuses other types.
func tagSpecification(p *parameters, resourceType string) (tags, error) {
	all := tags{}
	for _, spec := range p.list("TagSpecification") {
		if got := spec.text("ResourceType"); got != resourceType {
			return nil, invalid("'%s' is not a valid taggable resource type for this operation.", got)
		}
		read, err := readTags(spec)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, read)
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}
