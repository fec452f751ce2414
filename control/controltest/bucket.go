package controltest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dera"
	"dera/control"
	"dera/iam/policy"
	"dera/resource"
)

// decodeBucket also refuses what a reader never makes: no name, no owner, a
// policy that S3 would not store.
func decodeBucket(data []byte) (any, error) {
	var b resource.Bucket
	if err := strict(data, &b); err != nil {
		return nil, err
	}
	if b.Name == "" || b.Owner == "" || b.OwnerID == "" {
		return nil, fmt.Errorf("the bucket has no name, owner or owner_id")
	}
	doc, err := b.Parsed()
	if err != nil || doc == nil {
		return &b, nil // a control has to cope with what cannot be read
	}
	if err := doc.Validate(policy.Resource); err != nil {
		return nil, fmt.Errorf("S3 would refuse the policy: %w", err)
	}
	return &b, nil
}

func bucketOrders(config any) []any {
	b := config.(*resource.Bucket)
	if len(b.Grants) < 2 && len(b.AccessPoints) < 2 {
		return nil
	}
	other := *b
	other.Grants, other.AccessPoints = slices.Clone(b.Grants), slices.Clone(b.AccessPoints)
	slices.Reverse(other.Grants)
	slices.Reverse(other.AccessPoints)
	return []any{&other}
}

// surgicalBucket: statements, grants and settings that the plan does not name
// stay, those of the policy to the byte.
func surgicalBucket(t TB, before, after any, p dera.Plan) {
	t.Helper()
	old, now := before.(*resource.Bucket), after.(*resource.Bucket)
	a, b := *old, *now
	a.Policy, b.Policy, a.Grants, b.Grants, a.Block, b.Block = "", "", nil, nil, nil, nil
	if diff := cmp.Diff(a, b, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("something beside policy, ACL and block changed (-before +after):\n%s", diff)
	}
	gone := statements(old.Policy)
	for _, text := range statements(now.Policy) {
		i := slices.Index(gone, text)
		if i < 0 {
			t.Errorf("a statement is new, or not the same to the byte: %s", text)
			continue
		}
		gone = slices.Delete(gone, i, i+1)
	}
	removed := len(gone)
	for _, g := range now.Grants {
		if !slices.Contains(old.Grants, g) {
			t.Errorf("%s is new", g.Line())
		}
	}
	for _, g := range old.Grants {
		if !slices.Contains(now.Grants, g) {
			removed++
		}
	}
	if !resource.Strictest(now.Block).AtLeast(resource.Strictest(old.Block)) {
		t.Errorf("a setting of the block was switched off")
	}
	if old.Policy == now.Policy && len(old.Grants) == len(now.Grants) {
		removed++ // the line of the old block
	}
	lines := 0
	for _, line := range p.Diff() {
		if strings.HasPrefix(line, "- ") {
			lines++
		}
	}
	if lines != removed {
		t.Errorf("the diff takes %d lines away, the plan %d: %q", lines, removed, p.Diff())
	}
}

// statements are the texts of a policy's statements; what cannot be read is one
// text.
func statements(text string) []string {
	if text == "" {
		return nil
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return []string{text}
	}
	var out []string
	for i := range doc.Statements {
		span := doc.Statements[i].Span()
		out = append(out, text[span.Start:span.End])
	}
	return out
}

func betweenBuckets(t TB, states []any) {
	t.Helper()
	first, last := states[0].(*resource.Bucket), states[len(states)-1].(*resource.Bucket)
	for i, s := range states {
		b := s.(*resource.Bucket)
		for _, text := range statements(b.Policy) {
			if !slices.Contains(statements(first.Policy), text) {
				t.Errorf("state %d has a statement that was not there before: %s", i, text)
			}
		}
		for _, text := range statements(last.Policy) {
			if !slices.Contains(statements(b.Policy), text) {
				t.Errorf("state %d lacks a statement that is there in the end: %s", i, text)
			}
		}
	}
}

func sameBucket(t TB, a, b any) bool {
	t.Helper()
	x, y := a.(*resource.Bucket), b.(*resource.Bucket)
	return resource.SamePolicy(x.Policy, y.Policy) && slices.Equal(x.Grants, y.Grants) && x.Blocked() == y.Blocked()
}

func decodeAccountBlock(data []byte) (any, error) {
	var a resource.AccountBlock
	if err := strict(data, &a); err != nil {
		return nil, err
	}
	return &a, dera.ValidAccountID(a.Account)
}

func accountBlockOrders(config any) []any {
	a := *config.(*resource.AccountBlock)
	if len(a.Dependents) < 2 {
		return nil
	}
	a.Dependents = slices.Clone(a.Dependents)
	slices.Reverse(a.Dependents)
	return []any{&a}
}

func surgicalAccountBlock(t TB, before, after any, _ dera.Plan) {
	t.Helper()
	a, b := *before.(*resource.AccountBlock), *after.(*resource.AccountBlock)
	a.Block, b.Block = nil, nil
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("something beside the block changed (-before +after):\n%s", diff)
	}
}

func betweenAccountBlocks(t TB, states []any) {
	t.Helper()
	for i, s := range states[1:] {
		if !resource.Strictest(s.(*resource.AccountBlock).Block).AtLeast(resource.Strictest(states[i].(*resource.AccountBlock).Block)) {
			t.Errorf("state %d switches a setting off", i+1)
		}
	}
}

func sameAccountBlock(t TB, a, b any) bool {
	t.Helper()
	return resource.Strictest(a.(*resource.AccountBlock).Block) == resource.Strictest(b.(*resource.AccountBlock).Block)
}

// accessBodies are forgeries of a proof about who gets in.
func accessBodies(t TB, ev dera.Evidence) []bentBody {
	t.Helper()
	var a control.Access
	if err := strict(ev.Body, &a); err != nil {
		t.Fatalf("read body of evidence: %v", err)
	}
	same := a
	same.New = a.Old
	wider := a
	for _, permission := range []string{"FULL_CONTROL", "WRITE_ACP", "WRITE", "READ_ACP", "READ"} {
		g := resource.Grant{URI: resource.AllUsers, Permission: permission}
		if !slices.Contains(a.Old.Grants, g) {
			wider.New.Grants = append(slices.Clone(a.New.Grants), g)
			break
		}
	}
	aimless := a
	aimless.Goals = nil
	out := []bentBody{{"the new state is the old one", same}, {"a grant to all users is new", wider}, {"no finding is named", aimless}}
	if a.Old.Block != a.New.Block {
		off := a
		off.New.Block.PublicPolicy = false
		out = append(out, bentBody{"a setting of the new block is off", off})
	}
	if a.Old.Policy == a.New.Policy {
		return out
	}
	kept := a
	kept.Dropped = nil
	uncertified := a
	uncertified.NothingLost = a.NothingNew
	open := a
	open.New.Policy = strings.ReplaceAll(a.Old.Policy, "s3:Get", "s3:Put")
	return append(out, bentBody{"nothing is dropped", kept}, bentBody{"a certificate is another", uncertified}, bentBody{"the new policy is another", open})
}
