package bucket

import (
	"encoding/json"
	"fmt"
	"slices"

	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3"
)

// rebase takes a change back in the policy or ACL that the bucket has now.
func rebase(b *Bucket, undo, change resource.Operation) (resource.Operation, bool, error) {
	switch undo.Name {
	case PutBucketPolicy:
		return b.rebasePolicy(undo, change)
	case PutBucketACL:
		return b.rebaseACL(undo, change)
	}
	return undo, false, nil
}

func (b *Bucket) rebasePolicy(undo, change resource.Operation) (resource.Operation, bool, error) {
	wrote, err := resource.Input[BucketPolicyInput](change)
	if err != nil {
		return undo, false, err
	}
	back, err := resource.Input[BucketPolicyInput](undo)
	if err != nil {
		return undo, false, err
	}
	next, rebased, err := document.Rebased(b.Policy, wrote.Policy, back.Policy)
	if err != nil {
		return undo, false, fmt.Errorf("the policy of bucket %s: %w", b.Name, err)
	}
	if !rebased {
		return undo, false, nil
	}
	in, op := BucketPolicyInput{Bucket: b.Name, Policy: next, Expect: b.Policy}, resource.Operation{Name: PutBucketPolicy, Version: 1}
	if next == "" {
		op.Name = DeleteBucketPolicy
	} else if doc, err := policy.Parse(next); err != nil {
		return undo, false, err
	} else if err := acceptable(doc); err != nil {
		return undo, false, err
	}
	op.Input, err = json.Marshal(in)
	return op, true, err
}

// acceptable says why S3 would refuse a policy (S3 user guide, "Bucket policies and user
// policies": at most 20 KB).
func acceptable(doc *policy.Document) error { return document.Acceptable(doc, "S3", 20<<10) }

func (b *Bucket) rebaseACL(undo, change resource.Operation) (resource.Operation, bool, error) {
	wrote, err := resource.Input[BucketACLInput](change)
	if err != nil || slices.Equal(grantsInOrder(b.Grants), grantsInOrder(wrote.Grants)) {
		return undo, false, err
	}
	back, err := resource.Input[BucketACLInput](undo)
	if err != nil {
		return undo, false, err
	}
	next := slices.DeleteFunc(slices.Clone(b.Grants), func(g s3.Grant) bool {
		return slices.Contains(wrote.Grants, g) && !slices.Contains(back.Grants, g)
	})
	for _, g := range back.Grants {
		if !slices.Contains(wrote.Grants, g) {
			next = append(next, g)
		}
	}
	op := resource.Operation{Name: PutBucketACL, Version: 1}
	op.Input, err = json.Marshal(BucketACLInput{b.Name, b.OwnerID, grantsInOrder(next)})
	return op, true, err
}
