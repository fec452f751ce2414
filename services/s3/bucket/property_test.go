package bucket_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services"
	"dera.example/dera/services/s3"
	"dera.example/dera/services/s3/bucket"
	"pgregory.net/rapid"
)

// TestLawsOnRandomBuckets: whatever the bucket, each plan holds every law, or
// there is a typed refusal.
func TestLawsOnRandomBuckets(t *testing.T) {
	t.Parallel()
	for _, c := range bucket.Controls() {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				laws().Hold(t, c, bucketResource(drawBucket(t)), control.Settings{})
			})
		})
	}
}

// publicRequests are requests for every combination of what an external principal can choose: of
// the addresses one for each region that the phrases cut the internet into.
func publicRequests() []request {
	froms := []netip.Addr{{}}
	for _, a := range []string{"9.9.9.9", "55.1.1.1", "200.1.1.1", "2a00::1"} {
		froms = append(froms, netip.MustParseAddr(a))
	}
	var out []request
	for _, action := range []string{"s3:GetObject", "s3:GetObjectAcl", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:PutBucketPolicy"} {
		for _, object := range []string{"shop", "shop/a", "shop/private/b"} {
			for _, from := range froms {
				for _, referer := range []string{"", "https://elsewhere.example/", "hunter2"} {
					for _, tls := range []bool{false, true} {
						for _, who := range [][2]string{{}, {"999988887777"}, {"999988887777", "o-zzzzzzzzzz"}} {
							out = append(out, request{who[0], who[1], action, object, from, tls, referer})
						}
					}
				}
			}
		}
	}
	return out
}

// writing reports whether the statement lets more than read, by the action that
// its text names.
func writing(s statement) bool {
	switch s.what.text {
	case `"Action":"s3:GetObject"`, `"Action": [ "s3:GetObject", "s3:ListBucket" ]`, `"Action":"s3:Get*"`:
		return false
	}
	return true
}

// TestPublicPolicyAgainstOracle tries every request of an external principal on random
// policies, one by one: what allows none is not public, and what allows one is.
// Under a full block nothing is, and after the plan nothing is left.
func TestPublicPolicyAgainstOracle(t *testing.T) {
	t.Parallel()
	c := find(t, "s3-bucket-public-policy")
	requests := publicRequests()
	count := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		list := drawStatements(t, true, 5)
		var want []string
		for _, key := range []string{s3.PolicyRead, s3.PolicyWrite} {
			if slices.ContainsFunc(list, func(s statement) bool {
				return writing(s) == (key == s3.PolicyWrite) && allowsPublic(s, list, requests)
			}) {
				want = append(want, key)
			}
		}
		b := &bucket.Bucket{Name: "shop", Owner: "111122223333", OwnerID: "owner", Ownership: "BucketOwnerEnforced", Policy: policyOf(list)}
		got, after := keysAndFix(t, c, b)
		if after == nil { // not decided, since readings of the documents disagree
			count["unknown"]++
			if slices.ContainsFunc(got, func(k string) bool { return !slices.Contains(want, k) }) {
				t.Fatalf("got %q, want at most %q of\n%s", got, want, b.Policy)
			}
			return
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q of\n%s", got, want, b.Policy)
		}
		count[fmt.Sprint(want)]++
		if len(want) == 0 {
			return
		}
		if left, _ := keysAndFix(t, c, after); after != b && len(left) > 0 {
			t.Errorf("after the plan: got %q of\n%s", left, after.Policy)
		}
		full := s3.FullBlock()
		b.Block = &full
		doc, err := policy.Parse(b.Policy)
		if err != nil {
			t.Fatal(err)
		}
		// Of some operators S3's page does not say whether its block goes by them.
		if d, _ := s3.Public(doc); d == s3.DeemedDoubtful {
			return
		}
		if got, _ := keysAndFix(t, c, b); len(got) > 0 {
			t.Errorf("under a full block: got %q, want nothing of\n%s", got, b.Policy)
		}
	})
	t.Logf("findings of random policies: %v", count)
	total := 0
	for _, n := range count {
		total += n
	}
	if len(count) < 4 || count["unknown"]*10 > total {
		t.Errorf("findings of random policies: got %v; the test says little", count)
	}
}

// allowsPublic reports whether the statement lets an external principal do something that no
// statement of the list denies.
func allowsPublic(s statement, list []statement, requests []request) bool {
	return !s.deny && slices.ContainsFunc(requests, func(r request) bool {
		return s.fits(r) && !slices.ContainsFunc(list, func(d statement) bool { return d.deny && d.fits(r) })
	})
}

// keysAndFix returns what the control finds, and the bucket after its plan, or the
// same bucket where the plan is refused; no bucket where the control does not know.
func keysAndFix(t *rapid.T, c control.Control, b *bucket.Bucket) ([]string, *bucket.Bucket) {
	t.Helper()
	r := bucketResource(b)
	res, err := c.Check(r, control.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, f := range res.Failures {
		keys = append(keys, f.Key)
	}
	switch {
	case res.Outcome == control.UnknownResult:
		return keys, nil
	case len(keys) == 0:
		return nil, b
	}
	p, refusal, err := c.Plan(r, res.Failures, control.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if refusal != nil {
		for _, f := range res.Failures {
			if f.Start == dera.Auto && len(res.Failures) == 1 {
				t.Fatalf("plan of what starts at auto: got %v", refusal)
			}
		}
		return keys, b
	}
	after, err := services.Types().ApplyPlan(b, p)
	if err != nil {
		t.Fatal(err)
	}
	ev, err := c.Prove(r, res.Failures, p, control.Settings{})
	if errors.Is(err, evidence.ErrHidden) { // a person decides
		return keys, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	if blob, _, err := ev.Blob(); err != nil || strings.Contains(string(blob), "hunter") {
		t.Errorf("evidence: got %v, or it holds a value that can be secret: %s", err, blob)
	}
	return keys, after.(*bucket.Bucket)
}

// TestUnreadTagsAreReview: guardrails go by tags, so that a bucket whose tags
// could not be read is never fixed without a person.
func TestUnreadTagsAreReview(t *testing.T) {
	t.Parallel()
	open := bucket.Bucket{
		Name: "reports", Owner: "111122223333", Region: "us-east-1", Ownership: "BucketOwnerEnforced",
		Policy: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::reports/*"}}`,
	}
	granted, bare := open, open
	granted.Policy, granted.Ownership = "", "ObjectWriter"
	granted.Grants = []s3.Grant{{URI: s3.AllUsers, Permission: "READ"}}
	bare.Policy = ""
	for id, b := range map[string]bucket.Bucket{"s3-bucket-public-policy": open, "s3-bucket-public-acl": granted, "s3-bucket-access-block": bare} {
		for _, unread := range [][]string{nil, {bucket.PartTags}} {
			b.Unread = unread
			res, err := find(t, id).Check(bucketResource(&b), control.Settings{})
			if err != nil || len(res.Failures) == 0 {
				t.Fatalf("%s: got %d failures, %v", id, len(res.Failures), err)
			}
			want := dera.Auto
			if unread != nil {
				want = dera.Review
			}
			for _, f := range res.Failures {
				if f.Start != want {
					t.Errorf("%s, unread %q: starts at %s, want %s", id, unread, f.Start, want)
				}
			}
		}
	}
}

// TestPublicACLAgainstOracle looks at ownership, blocks and grants in every
// combination, without the control's own words for them.
func TestPublicACLAgainstOracle(t *testing.T) {
	t.Parallel()
	c := find(t, "s3-bucket-public-acl")
	rapid.Check(t, func(t *rapid.T) {
		b := drawBucket(t)
		b.Unread = nil
		ignored := b.Block != nil && b.Block.IgnorePublicACLs || b.AccountBlock != nil && b.AccountBlock.IgnorePublicACLs
		var want []string
		for key, permissions := range map[string][]string{s3.ACLRead: {"READ", "READ_ACP"}, s3.ACLWrite: {"WRITE", "WRITE_ACP", "FULL_CONTROL"}} {
			if b.Ownership != "BucketOwnerEnforced" && !ignored && slices.ContainsFunc(b.Grants, func(g s3.Grant) bool {
				return (g.URI == s3.AllUsers || g.URI == s3.AuthenticatedUsers) && slices.Contains(permissions, g.Permission)
			}) {
				want = append(want, key)
			}
		}
		slices.Sort(want)
		res, err := c.Check(bucketResource(b), control.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range res.Failures {
			got = append(got, f.Key)
			if f.Start == dera.Auto && (b.Website || len(b.Origins) > 0) {
				t.Errorf("%s starts at auto, although the bucket may be public on purpose", f.Key)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q of %v", got, want, b.Grants)
		}
	})
}
