package bucket_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/s3"
	"dera.example/dera/services/s3/bucket"
	"dera.example/dera/services/s3/s3test"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// decodeBucket also refuses what a reader never makes: no name, no owner, a
// policy that S3 would not store.
func decodeBucket(data []byte) (any, error) {
	var b bucket.Bucket
	if err := controltest.Strict(data, &b); err != nil {
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
	b := config.(*bucket.Bucket)
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
func surgicalBucket(t controltest.TB, before, after any, p dera.Plan) {
	t.Helper()
	old, now := before.(*bucket.Bucket), after.(*bucket.Bucket)
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
	if !s3.Strictest(now.Block).AtLeast(s3.Strictest(old.Block)) {
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
func surgicalPolicy(t controltest.TB, old, now string) (touched []int) {
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

func betweenBuckets(t controltest.TB, states []any) {
	t.Helper()
	first, last := states[0].(*bucket.Bucket), states[len(states)-1].(*bucket.Bucket)
	for i, s := range states {
		// A policy is written once: each state has the first or the last one.
		if b := s.(*bucket.Bucket); b.Policy != first.Policy && b.Policy != last.Policy {
			t.Errorf("state %d has a policy that is neither that from before nor the last one: %s", i, b.Policy)
		}
	}
}

func sameBucket(t controltest.TB, a, b any) bool {
	t.Helper()
	x, y := a.(*bucket.Bucket), b.(*bucket.Bucket)
	return document.SamePolicy(x.Policy, y.Policy) && slices.Equal(x.Grants, y.Grants) && x.Blocked() == y.Blocked()
}

func laws() controltest.Laws {
	return controltest.Laws{
		Type: bucket.Type(), Evidence: []evidence.Kind{s3.AccessEvidence()},
		Decode: decodeBucket, Orders: bucketOrders, Surgical: surgicalBucket, Between: betweenBuckets, Same: sameBucket,
		Bodies: s3test.Bodies, Mutants: holdBucketMutants,
	}
}

// TestLaws holds every control on buckets against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	laws().RunAll(t, bucket.Controls())
}

func find(t testing.TB, id string) control.Control {
	t.Helper()
	for _, c := range bucket.Controls() {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("there is no control %s", id)
	return control.Control{}
}
