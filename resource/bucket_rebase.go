package resource

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
)

// rebaseBucket takes a change back in the policy or ACL that the bucket has now.
func rebaseBucket(config any, undo, change Operation) (Operation, bool, error) {
	b, err := bucket(config)
	if err != nil {
		return undo, false, err
	}
	switch undo.Name {
	case PutBucketPolicy:
		return b.rebasePolicy(undo, change)
	case PutBucketACL:
		return b.rebaseACL(undo, change)
	}
	return undo, false, nil
}

func (b *Bucket) rebasePolicy(undo, change Operation) (Operation, bool, error) {
	wrote, err := bucketInput[BucketPolicyInput](b, change)
	if err != nil || SamePolicy(b.Policy, wrote.Policy) {
		return undo, false, err
	}
	back, err := bucketInput[BucketPolicyInput](b, undo)
	if err != nil || SamePolicy(b.Policy, back.Policy) {
		return undo, false, err
	}
	removed, err := statementsBeyond(back.Policy, wrote.Policy)
	if err != nil {
		return undo, false, err
	}
	added, err := statementsBeyond(wrote.Policy, back.Policy)
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
		if slices.ContainsFunc(removed, func(st writtenStatement) bool { return strings.Contains(st.text, "${") }) {
			err = errors.Join(err, &NotAllowedError{"the policy has another Version since, in which the variables of the statement mean something else"})
		}
		if err != nil {
			return undo, false, err
		}
	}
	if doc, err = restored(doc, removed, added); err != nil && !errors.Is(err, policy.ErrLast) {
		return undo, false, fmt.Errorf("put statements back into the policy of bucket %s: %w", b.Name, err)
	}
	in, op := BucketPolicyInput{Bucket: b.Name, Expect: b.Policy}, Operation{Name: PutBucketPolicy, Version: 1}
	if err != nil {
		op.Name = DeleteBucketPolicy
		op.Input, err = json.Marshal(in)
		return op, true, err
	}
	if err := acceptable(doc); err != nil {
		return undo, false, err
	}
	in.Policy = doc.Text()
	op.Input, err = json.Marshal(in)
	return op, true, err
}

// restored is the policy with the removed statements again, and without the added
// ones. What was changed within a statement is changed back in its place.
func restored(doc *policy.Document, removed, added []writtenStatement) (*policy.Document, error) {
	has := map[string]int{}
	for i := range doc.Statements {
		has[canonStatement(&doc.Statements[i])] = i
	}
	var edits []policy.Edit
	var put []string
	there := func(st writtenStatement) bool { _, ok := has[st.canon]; return ok }
	place := map[int]string{}
	for _, st := range removed {
		if there(st) {
			continue
		}
		at := slices.IndexFunc(added, func(a writtenStatement) bool { return a.frame == st.frame })
		switch {
		case at < 0:
			put = append(put, st.text)
			continue
		case !there(added[at]):
			return nil, &NotAllowedError{"a statement that was narrowed has been changed or removed since"}
		}
		place[has[added[at].canon]] = st.text
		added = slices.Delete(slices.Clone(added), at, at+1)
	}
	for _, st := range added {
		if there(st) {
			edits = append(edits, policy.RemoveStatement(has[st.canon]))
		}
	}
	doc, err := doc.Replace(place)
	if err == nil {
		doc, err = doc.Append(put...)
	}
	if err != nil {
		return nil, err
	}
	return doc.Apply(edits...)
}

// policyAgain puts what dera removed back where somebody else took the whole policy
// away since: the policy of before, without the statements that were theirs to take.
func (b *Bucket) policyAgain(before string, removed []writtenStatement) (Operation, bool, error) {
	op := Operation{Name: PutBucketPolicy, Version: 1}
	doc, err := policy.Parse(before)
	if err != nil {
		return op, false, err
	}
	var edits []policy.Edit
	for i := range doc.Statements {
		canon := canonStatement(&doc.Statements[i])
		at := slices.IndexFunc(removed, func(st writtenStatement) bool { return st.canon == canon })
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

// acceptable says why S3 would refuse the policy, or nil (S3 user guide, "Bucket
// policies and user policies": at most 20 KB, each Sid once).
func acceptable(doc *policy.Document) error {
	if len(doc.Text()) > 20<<10 {
		return &NotAllowedError{"the policy would be longer than the 20 KB that S3 takes"}
	}
	sids := map[string]bool{}
	for _, st := range doc.Statements {
		if st.Sid != "" && sids[st.Sid] {
			return &NotAllowedError{fmt.Sprintf("the policy would have two statements with the Sid %q: somebody else wrote one since", st.Sid)}
		}
		sids[st.Sid] = true
	}
	return nil
}

// writtenStatement is a statement as it was written, and what is equal for those
// that mean the same. frame is equal for a statement before and after it was
// narrowed: all but whom it is about and when.
type writtenStatement struct{ text, canon, frame string }

// statementsBeyond are the statements of one policy that another does not have.
func statementsBeyond(text, other string) ([]writtenStatement, error) {
	read := func(text string) ([]writtenStatement, error) {
		if text == "" {
			return nil, nil
		}
		doc, err := policy.Parse(text)
		if err != nil {
			return nil, err
		}
		var out []writtenStatement
		for i := range doc.Statements {
			st := &doc.Statements[i]
			out = append(out, writtenStatement{doc.Text()[st.Span().Start:st.Span().End], canonStatement(st), frameOf(*st)})
		}
		return out, nil
	}
	list, err := read(text)
	if err != nil {
		return nil, err
	}
	without, err := read(other)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(st writtenStatement) bool {
		i := slices.IndexFunc(without, func(o writtenStatement) bool { return o.canon == st.canon })
		if i >= 0 {
			without = slices.Delete(without, i, i+1)
		}
		return i >= 0
	}), nil
}

func frameOf(st policy.Statement) string {
	st.Principals, st.NotPrincipals, st.Conditions = nil, nil, nil
	return canonStatement(&st)
}

func canonStatement(st *policy.Statement) string {
	one := &policy.Document{Statements: []policy.Statement{*st}}
	return one.Canon()
}

func (b *Bucket) rebaseACL(undo, change Operation) (Operation, bool, error) {
	wrote, err := bucketInput[BucketACLInput](b, change)
	if err != nil || slices.Equal(grantsInOrder(b.Grants), grantsInOrder(wrote.Grants)) {
		return undo, false, err
	}
	back, err := bucketInput[BucketACLInput](b, undo)
	if err != nil {
		return undo, false, err
	}
	next := slices.DeleteFunc(slices.Clone(b.Grants), func(g Grant) bool {
		return slices.Contains(wrote.Grants, g) && !slices.Contains(back.Grants, g)
	})
	for _, g := range back.Grants {
		if !slices.Contains(wrote.Grants, g) {
			next = append(next, g)
		}
	}
	op := Operation{Name: PutBucketACL, Version: 1}
	op.Input, err = json.Marshal(BucketACLInput{b.Name, b.OwnerID, grantsInOrder(next)})
	return op, true, err
}
