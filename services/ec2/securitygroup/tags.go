package securitygroup

import (
	"dera.example/dera"
	"dera.example/dera/resource"
)

// Operations on the tags of EC2 resources, by the names of their IAM actions.
const (
	CreateTags = "ec2:CreateTags"
	DeleteTags = "ec2:DeleteTags"
)

// TagsInput is version 1 of the input of CreateTags and, with Remove alone, of
// DeleteTags. EC2 adds and removes single tags; others stay. An undo that has to
// put an old value back and to remove another tag is two operations of which the
// plan names the first: tags are taken by their own prefix, so that it does not
// come to that.
type TagsInput struct {
	Resource string            `json:"resource"`
	Add      map[string]string `json:"add,omitempty"`
	Remove   []string          `json:"remove,omitempty"`
}

// tag plans tags for a security group. One change adds, and its undo either
// removes what is new or puts the old values back; what it would take both for
// is left as it is.
func tag(g *Group, tags map[string]string) (*dera.Change, error) {
	add, back, gone := resource.NewTags(g.Tags, tags)
	if len(back) > 0 && len(gone) > 0 {
		for k := range back {
			delete(add, k)
		}
		back = nil
	}
	if len(add) == 0 {
		return nil, nil
	}
	undo, undoInput := DeleteTags, TagsInput{Resource: g.ID, Remove: gone}
	if len(back) > 0 {
		undo, undoInput = CreateTags, TagsInput{Resource: g.ID, Add: back}
	}
	c, err := resource.NewChange(CreateTags, TagsInput{Resource: g.ID, Add: add}, nil, nil, undo, undoInput, resource.TagDiff(g.Tags, add))
	c.Optional = true
	return &c, err
}
