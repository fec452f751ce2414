package bucket

import (
	"errors"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3"
)

// Operations on buckets, by the names of their IAM actions.
const (
	PutBucketPolicy    = "s3:PutBucketPolicy"
	DeleteBucketPolicy = "s3:DeleteBucketPolicy"
	PutBucketACL       = "s3:PutBucketAcl"
	PutBucketBlock     = "s3:PutBucketPublicAccessBlock"
	PutBucketTagging   = "s3:PutBucketTagging"
)

// BucketPolicyInput is version 1 of the input of PutBucketPolicy and, without
// Policy, of DeleteBucketPolicy. Expect is the text that it replaces: since S3
// knows no compare-and-set, it is read once more right before the write.
type BucketPolicyInput struct {
	Bucket string `json:"bucket"`
	Policy string `json:"policy,omitempty"`
	Expect string `json:"expect,omitempty"`
}

// BucketACLInput is version 1 of the input of PutBucketACL: all grants.
type BucketACLInput struct {
	Bucket  string     `json:"bucket"`
	OwnerID string     `json:"owner_id"`
	Grants  []s3.Grant `json:"grants"`
}

// BucketBlockInput is version 1 of the input of PutBucketBlock; no Block takes
// the bucket's block away.
type BucketBlockInput struct {
	Bucket string    `json:"bucket"`
	Block  *s3.Block `json:"block"`
}

// BucketTagsInput is version 1 of the input of PutBucketTagging: tags are added
// to those that are there at the time of the write, or taken away from them.
type BucketTagsInput struct {
	Bucket string            `json:"bucket"`
	Add    map[string]string `json:"add,omitempty"`
	Remove []string          `json:"remove,omitempty"`
}

// EditPolicy returns the change that edits the bucket policy and leaves every other
// byte; with the last statement the policy goes. It is an error where S3 would
// refuse what is left.
func (b *Bucket) EditPolicy(e document.PolicyEdit) (dera.Change, error) {
	doc, err := b.Parsed()
	if err != nil {
		return dera.Change{}, err
	}
	if doc == nil {
		return dera.Change{}, fmt.Errorf("bucket %s has no policy", b.Name)
	}
	undo := BucketPolicyInput{Bucket: b.Name, Policy: b.Policy}
	edited, err := e.Apply(doc)
	var c dera.Change
	switch {
	case err == nil && edited == nil:
		c, err = resource.NewChange(DeleteBucketPolicy, BucketPolicyInput{Bucket: b.Name, Expect: b.Policy}, b.Policy, nil, PutBucketPolicy, undo, e.Diff)
	case err != nil:
		return dera.Change{}, fmt.Errorf("edit the policy of bucket %s: %w", b.Name, err)
	default:
		left := *b
		left.Policy = edited.Text()
		if err := errors.Join(left.policyAllowed(), acceptable(edited)); err != nil {
			return dera.Change{}, err
		}
		undo.Expect = edited.Text()
		c, err = resource.NewChange(PutBucketPolicy, BucketPolicyInput{Bucket: b.Name, Policy: edited.Text(), Expect: b.Policy}, b.Policy, edited.Text(), PutBucketPolicy, undo, e.Diff)
	}
	if b.Blocked().PublicPolicy {
		c.Undo = nil // S3 would not take the policy back
	}
	return c, err
}

// DropGrants returns the change that takes the grants that fit out of the ACL. It
// is an error where S3 would refuse what is left.
func (b *Bucket) DropGrants(fits func(s3.Grant) bool) (dera.Change, error) {
	if b.OwnerID == "" {
		return dera.Change{}, fmt.Errorf("the owner of bucket %s is not known", b.Name)
	}
	keep := slices.DeleteFunc(slices.Clone(b.Grants), fits)
	if err := b.grantsAllowed(keep); err != nil {
		return dera.Change{}, err
	}
	var diff []string
	for _, g := range b.Grants {
		if fits(g) {
			diff = append(diff, "- "+g.Line())
		}
	}
	slices.Sort(diff)
	c, err := resource.NewChange(PutBucketACL, BucketACLInput{b.Name, b.OwnerID, grantsInOrder(keep)}, grantsInOrder(b.Grants), grantsInOrder(keep),
		PutBucketACL, BucketACLInput{b.Name, b.OwnerID, grantsInOrder(b.Grants)}, slices.Compact(diff))
	if b.Blocked().PublicACLs {
		c.Undo = nil // S3 would not take the ACL back
	}
	return c, err
}

// grantsInOrder makes the same list of the same grants, however S3 listed them.
func grantsInOrder(list []s3.Grant) []s3.Grant {
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b s3.Grant) int {
		return slices.Compare([]string{a.URI, a.ID, a.Permission}, []string{b.URI, b.ID, b.Permission})
	})
	if out == nil {
		out = []s3.Grant{}
	}
	return slices.Compact(out)
}

// SetBlock returns the change that puts the bucket's public access block.
func (b *Bucket) SetBlock(to s3.Block) (dera.Change, error) {
	return resource.NewChange(PutBucketBlock, BucketBlockInput{b.Name, &to}, b.Block, to, PutBucketBlock, BucketBlockInput{b.Name, b.Block}, s3.BlockDiff(b.Block, &to))
}

func (b *Bucket) policyAllowed() error {
	if !b.Blocked().PublicPolicy {
		return nil
	}
	doc, err := b.Parsed()
	if err != nil {
		return err
	}
	if deemed, _ := s3.Public(doc); deemed != s3.DeemedPrivate {
		return &resource.NotAllowedError{Why: "S3 refuses a public policy while BlockPublicPolicy is on for the bucket or its account"}
	}
	return nil
}

func (b *Bucket) grantsAllowed(grants []s3.Grant) error {
	switch public := slices.ContainsFunc(grants, s3.Grant.Public); {
	case b.ACLsDisabled():
		return &resource.NotAllowedError{Why: "S3 refuses to change the ACL, since the bucket's object ownership has disabled ACLs"}
	case public && b.Blocked().PublicACLs:
		return &resource.NotAllowedError{Why: "S3 refuses a public ACL while BlockPublicAcls is on"}
	}
	return nil
}
