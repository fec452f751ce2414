package controltest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource"
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
	touched := surgicalPolicy(t, old.Policy, now.Policy)
	removed := 0
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
	var named []int
	for _, line := range p.Diff() {
		if rest, ok := strings.CutPrefix(line, "- "); ok {
			n := 0
			if _, err := fmt.Sscanf(rest, "statement %d", &n); err != nil {
				lines++
			} else if !slices.Contains(named, n-1) {
				named = append(named, n-1)
			}
		}
	}
	slices.Sort(named)
	if lines != removed || !slices.Equal(named, touched) {
		t.Errorf("the diff takes %d lines away and names statements %v, the plan %d and %v: %q", lines, named, removed, touched, p.Diff())
	}
}

// surgicalPolicy returns the statements that are not what they were, counted from
// 0. Each of them is gone, or has lost or got bytes but not both; what is new at the
// end is a part of one of them.
func surgicalPolicy(t TB, old, now string) (touched []int) {
	t.Helper()
	before, after := statements(old), statements(now)
	for i, text := range before {
		switch {
		case len(after) > 0 && after[0] == text:
			after = after[1:]
			continue
		case len(after) > 0 && (subsequence(text, after[0]) || subsequence(after[0], text)):
			after = after[1:]
		}
		touched = append(touched, i)
	}
	for _, text := range after {
		if !slices.ContainsFunc(touched, func(i int) bool { return within(text, before[i]) }) {
			t.Errorf("a statement is new that is no part of one that goes: %s", text)
		}
	}
	return touched
}

// subsequence reports whether a is b with some bytes left out.
func subsequence(a, b string) bool {
	for i := 0; i < len(b) && a != ""; i++ {
		if a[0] == b[i] {
			a = a[1:]
		}
	}
	return a == ""
}

// within reports whether one statement grants nothing that another does not.
func within(part, whole string) bool {
	wrap := func(text string) reason.Policies {
		doc, err := policy.Parse(`{"Version":"2012-10-17","Statement":` + text + `}`)
		if err != nil {
			return nil
		}
		return reason.Policies{doc}
	}
	return reason.Subset(context.Background(), wrap(part), wrap(whole), reason.Config{}).Verdict == reason.Proved
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
		// A policy is written once: each state has the first or the last one.
		if b := s.(*resource.Bucket); b.Policy != first.Policy && b.Policy != last.Policy {
			t.Errorf("state %d has a policy that is neither that from before nor the last one: %s", i, b.Policy)
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
	kept.Dropped, kept.Narrowed = nil, nil
	homeless := a
	homeless.House = nil
	foreign := a
	foreign.House = &resource.House{Account: "999988887777"}
	uncertified := a
	uncertified.NothingLost = a.NothingNew
	open := a
	open.New.Policy = strings.ReplaceAll(a.Old.Policy, "s3:Get", "s3:Put")
	return append(out, bentBody{"nothing goes", kept}, bentBody{"the house is another account", foreign}, bentBody{"there is no house", homeless}, bentBody{"a certificate is another", uncertified}, bentBody{"the new policy is another", open})
}
