package bucket_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/policies/policytest"
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
	touched := policytest.Surgical(t, old.Policy, now.Policy)
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

// bodies are forgeries of a proof about public access, or about requests without TLS.
func bodies(t controltest.TB, ev dera.Evidence) []controltest.Forgery {
	t.Helper()
	if ev.Kind != s3.TransportKind {
		return s3test.Bodies(t, ev)
	}
	var x s3.Transport
	if err := controltest.Strict(ev.Body, &x); err != nil {
		t.Fatalf("read body of evidence: %v", err)
	}
	same, other, half, wider := x, x, x, x
	same.New = x.Old
	other.Bucket = "arn:aws:s3:::other"
	half.New = regexp.MustCompile(`,\s*"arn:aws:s3:::reports/\*"\s*\]`).ReplaceAllString(x.New, "]")
	wider.New = strings.Replace(x.New, "s3:GetObject", "s3:*", 1)
	out := []controltest.Forgery{{How: "the new policy is the old one", Body: same}, {How: "the bucket is another", Body: other}, {How: "the objects are left out", Body: half}}
	if wider != x {
		out = append(out, controltest.Forgery{How: "another statement is wider", Body: wider})
	}
	return out
}

func laws() controltest.Laws {
	return controltest.Laws{
		Type: bucket.Type(), Evidence: []evidence.Kind{s3.AccessEvidence(), s3.TransportEvidence()},
		Decode: decodeBucket, Orders: bucketOrders, Surgical: surgicalBucket, Between: betweenBuckets, Same: sameBucket,
		Bodies: bodies, Mutants: holdBucketMutants,
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
