package bucket

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

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
	if err != nil || document.SamePolicy(b.Policy, wrote.Policy) {
		return undo, false, err
	}
	back, err := resource.Input[BucketPolicyInput](undo)
	if err != nil || document.SamePolicy(b.Policy, back.Policy) {
		return undo, false, err
	}
	removed, err := document.StatementsBeyond(back.Policy, wrote.Policy)
	if err != nil {
		return undo, false, err
	}
	added, err := document.StatementsBeyond(wrote.Policy, back.Policy)
	if err != nil {
		return undo, false, err
	}
	if b.Policy == "" {
		return b.policyAgain(back.Policy, removed)
	}
	doc, err := b.Parsed()
	if err != nil {
		return undo, false, err
	}
	if was, err := policy.Parse(back.Policy); err != nil || was.Variables() != doc.Variables() {
		if slices.ContainsFunc(removed, func(st document.WrittenStatement) bool { return strings.Contains(st.Text, "${") }) {
			err = errors.Join(err, &resource.NotAllowedError{Why: "the policy has another Version since, in which the variables of the statement mean something else"})
		}
		if err != nil {
			return undo, false, err
		}
	}
	if doc, err = document.Restored(doc, removed, added); err != nil && !errors.Is(err, policy.ErrLast) {
		return undo, false, fmt.Errorf("put statements back into the policy of bucket %s: %w", b.Name, err)
	}
	in, op := BucketPolicyInput{Bucket: b.Name, Expect: b.Policy}, resource.Operation{Name: PutBucketPolicy, Version: 1}
	if err != nil {
		op.Name = DeleteBucketPolicy
		op.Input, err = json.Marshal(in)
		return op, true, err
	}
	if err := document.Acceptable(doc); err != nil {
		return undo, false, err
	}
	in.Policy = doc.Text()
	op.Input, err = json.Marshal(in)
	return op, true, err
}

// policyAgain puts what dera removed back where someone else took the whole policy
// away since: the policy of before, without the statements that were theirs to take.
func (b *Bucket) policyAgain(before string, removed []document.WrittenStatement) (resource.Operation, bool, error) {
	op := resource.Operation{Name: PutBucketPolicy, Version: 1}
	doc, err := policy.Parse(before)
	if err != nil {
		return op, false, err
	}
	var edits []policy.Edit
	for i := range doc.Statements {
		canon := document.CanonStatement(&doc.Statements[i])
		at := slices.IndexFunc(removed, func(st document.WrittenStatement) bool { return st.Canon == canon })
		if at < 0 {
			edits = append(edits, policy.RemoveStatement(i))
			continue
		}
		removed = slices.Delete(removed, at, at+1)
	}
	left, err := doc.Apply(edits...)
	if err != nil {
		return op, false, err
	}
	op.Input, err = json.Marshal(BucketPolicyInput{Bucket: b.Name, Policy: left.Text()})
	return op, true, err
}

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
