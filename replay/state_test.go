package replay

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/detect"
	"dera.example/dera/resource"
	"dera.example/dera/services"
	"dera.example/dera/services/ec2/securitygroup"
	s3account "dera.example/dera/services/s3/account"
	s3bucket "dera.example/dera/services/s3/bucket"
)

// TestPartlyKnownNeverPasses: no check of a resource that no event created ends
// as a pass, whatever the events tell; of one that they created it can.
func TestPartlyKnownNeverPasses(t *testing.T) {
	t.Parallel()
	closed := event{"AuthorizeSecurityGroupIngress", `{"groupId":"sg-1","cidrIp":"10.0.0.0/8","fromPort":22,"toPort":22,"ipProtocol":"tcp"}`, "", ""}
	shut := event{"PutBucketPublicAccessBlock", `{"bucketName":"files","PublicAccessBlockConfiguration":{"BlockPublicAcls":true,"BlockPublicPolicy":true,"IgnorePublicAcls":true,"RestrictPublicBuckets":true}}`, "", ""}
	for name, tc := range map[string]struct {
		typ, id string
		events  []event
		passes  bool
	}{
		"group_before_the_record":  {securitygroup.Name, "sg-1", []event{closed}, false},
		"group_of_the_record":      {securitygroup.Name, "sg-1", []event{{"CreateSecurityGroup", created, withID, ""}, closed}, true},
		"group_with_tags_alone":    {securitygroup.Name, "sg-1", []event{{"CreateTags", `{"resourcesSet":{"items":[{"resourceId":"sg-1"}]},"tagSet":{"items":[{"key":"a","value":"b"}]}}`, "", ""}}, false},
		"bucket_before_the_record": {s3bucket.Name, "files", []event{shut}, false},
		"bucket_of_the_record":     {s3bucket.Name, "files", []event{{"CreateBucket", `{"bucketName":"files"}`, "", ""}, shut}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := follow(t, begin, tc.events...)
			r, ok := read(t, s, tc.typ, "eu-west-1", tc.id)
			if !ok {
				t.Fatal("got no resource")
			}
			a := detect.Detector{Controls: s.Careful(services.Controls())}.Assess(r)
			if len(a.Results) == 0 {
				t.Fatal("no control judged it")
			}
			passed := 0
			for _, j := range a.Results {
				switch j.Result.Outcome {
				case control.Pass, control.NotApplicable:
					passed++
				case control.UnknownResult:
					if !tc.passes && !strings.Contains(j.Result.Why, "no recorded event created it") {
						t.Errorf("%s: got the reason %q, want it to say that no event created it", j.Control.ID, j.Result.Why)
					}
				case control.Fail:
				}
			}
			if (passed > 0) != tc.passes {
				t.Errorf("got %d controls that pass, want some %t", passed, tc.passes)
			}
		})
	}
}

// TestNewBucketsByDate: what a new bucket is set to depends on when it was made.
func TestNewBucketsByDate(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		day     string
		blocked bool
		unknown bool
	}{
		"before_april_2023": {"2023-03-31", false, false},
		"in_april_2023":     {"2023-04-15", false, true},
		"since_may_2023":    {"2023-05-01", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, err := time.Parse(time.DateOnly, tc.day)
			if err != nil {
				t.Fatal(err)
			}
			s, _ := follow(t, from, event{"CreateBucket", `{"bucketName":"files","CreateBucketConfiguration":{"LocationConstraint":"EU"}}`, "", ""})
			r, ok := read(t, s, s3bucket.Name, "eu-west-1", "files")
			if !ok {
				t.Fatal("got no bucket")
			}
			b := r.Config.(*s3bucket.Bucket)
			if got := b.Block != nil; got != tc.blocked {
				t.Errorf("block: got %t, want %t", got, tc.blocked)
			}
			if got := slices.Contains(b.Unread, s3bucket.PartBlock); got != tc.unknown {
				t.Errorf("block unknown: got %t, want %t", got, tc.unknown)
			}
		})
	}
}

// TestAccountBlock: an event tells it whole, it holds for the buckets that are
// read, and the buckets that no event names stand among its dependents.
func TestAccountBlock(t *testing.T) {
	t.Parallel()
	off := event{"PutAccountPublicAccessBlock", `{"PublicAccessBlockConfiguration":{"BlockPublicAcls":false,"BlockPublicPolicy":false,"IgnorePublicAcls":false,"RestrictPublicBuckets":true}}`, "", ""}
	s, _ := follow(t, begin, event{"CreateBucket", `{"bucketName":"files"}`, "", ""}, off)
	r, ok := read(t, s, s3account.Name, dera.GlobalRegion, account)
	if !ok {
		t.Fatal("got no block")
	}
	b := r.Config.(*s3account.AccountBlock)
	if b.Block == nil || !b.Block.RestrictedBuckets || b.Block.PublicACLs || b.Buckets != 1 {
		t.Errorf("got %+v, want the block of the event and one bucket", b)
	}
	if n := len(b.Dependents); n == 0 || b.Dependents[n-1].Bucket != "(others)" {
		t.Errorf("dependents: got %v, want those that are not known last", b.Dependents)
	}
	bucket, _ := read(t, s, s3bucket.Name, "eu-west-1", "files")
	if got := bucket.Config.(*s3bucket.Bucket).AccountBlock; got == nil || !got.RestrictedBuckets {
		t.Errorf("the account's block of a bucket: got %v, want that of the event", got)
	}
	s, _ = follow(t, begin, off, event{"DeleteAccountPublicAccessBlock", `{}`, "", ""})
	if r, ok := read(t, s, s3account.Name, dera.GlobalRegion, account); !ok || r.Config.(*s3account.AccountBlock).Block != nil || s.Partly(r) != "" {
		t.Errorf("after its deletion: got %+v, want no block, and that it is known", r.Config)
	}
}

// TestRead: what was deleted is missing, and what no event told of is neither
// there nor missing.
func TestRead(t *testing.T) {
	t.Parallel()
	s, _ := follow(t, begin,
		event{"CreateSecurityGroup", created, withID, ""}, event{"DeleteSecurityGroup", `{"groupId":"sg-1"}`, "", ""},
		event{"CreateSecurityGroup", created, `{"groupId":"sg-2"}`, ""}, event{"DeleteBucket", `{"bucketName":"files"}`, "", ""})
	groups := dera.Scope{Partition: "aws", Account: account, Region: "eu-west-1", Type: securitygroup.Name}
	page, err := s.Read(t.Context(), groups, false)
	if err != nil || len(page.Resources) != 1 || page.Resources[0].ID != "sg-2" || !page.Resources[0].Full {
		t.Errorf("sweep: got %v, %v, want sg-2 in full", page, err)
	}
	groups.IDs = []string{"sg-1", "sg-2", "sg-3"}
	if page, err = s.Read(t.Context(), groups, true); err != nil || len(page.Resources) != 1 || !slices.Equal(page.Missing, []string{"sg-1"}) {
		t.Errorf("by ID: got %v, %v, want sg-2, and sg-1 missing", page, err)
	}
	groups.Account = "444455556666"
	if page, err = s.Read(t.Context(), groups, true); err != nil || len(page.Resources)+len(page.Missing) != 0 {
		t.Errorf("of another account: got %v, %v, want nothing", page, err)
	}
	if _, err := s.Read(t.Context(), dera.Scope{Type: "AWS::IAM::Role"}, true); err == nil {
		t.Error("a type that no event tells of: got no error")
	}
	s = New(func() time.Time { return begin }, resource.Type{Name: "AWS::IAM::Role"})
	if _, err := s.Read(t.Context(), dera.Scope{Type: "AWS::IAM::Role"}, true); err == nil {
		t.Error("a type without a history: got no error")
	}
	if why := s.Partly(dera.Resource{Type: "AWS::IAM::Role"}); why == "" {
		t.Error("a resource of a type without a history: got that all of it is known")
	}
}

// TestCallsThatSayNothing: a call that changed something is followed, or reported
// as not followed, also where CloudTrail has left its parameters out.
func TestCallsThatSayNothing(t *testing.T) {
	t.Parallel()
	const omitted = `{"omitted":true,"originalSize":300000,"reason":"parameters too large"}`
	sure := []string{"DeleteAccountPublicAccessBlock"} // its account says it all
	for _, name := range []string{
		"CreateSecurityGroup", "DeleteSecurityGroup", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupIngress",
		"RevokeSecurityGroupEgress", "ModifySecurityGroupRules", "CreateTags", "DeleteTags", "PutAccountPublicAccessBlock", "DeleteAccountPublicAccessBlock",
		"CreateBucket", "DeleteBucket", "PutBucketPolicy", "DeleteBucketPolicy", "PutBucketAcl", "PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock",
		"PutBucketOwnershipControls", "DeleteBucketOwnershipControls", "PutBucketWebsite", "DeleteBucketWebsite", "PutBucketTagging", "DeleteBucketTagging",
		"CreateAccessPoint", "PutAccessPointPolicy", "DeleteAccessPointPolicy", "DeleteAccessPoint",
	} {
		for _, parameters := range []string{"", omitted, "{}", `"text"`} {
			if _, lost := follow(t, begin, event{name, parameters, parameters, ""}); (len(lost) == 0) != slices.Contains(sure, name) {
				t.Errorf("%s with parameters %q: got not followed %q", name, parameters, lost)
			}
		}
	}
	// A part is not enough: what is not told of a named resource is not known.
	for _, e := range []event{
		{"PutBucketPolicy", `{"bucketName":"files"}`, "", ""}, {"PutBucketAcl", `{"bucketName":"files"}`, "", ""}, {"PutBucketTagging", `{"bucketName":"files","tagging":""}`, "", ""},
		{"PutBucketPublicAccessBlock", `{"bucketName":"files"}`, "", ""}, {"PutBucketOwnershipControls", `{"bucketName":"files"}`, "", ""},
		{"CreateSecurityGroup", omitted, withID, ""}, {"CreateSecurityGroup", created, omitted, ""}, {"AuthorizeSecurityGroupIngress", `{"groupId":"sg-1"}`, omitted, ""},
		{"RevokeSecurityGroupIngress", `{"groupId":"sg-1"}`, "", ""}, {"ModifySecurityGroupRules", `{"ModifySecurityGroupRulesRequest":{"GroupId":"sg-1"}}`, "", ""},
		{"CreateTags", `{"resourcesSet":{"items":[{"resourceId":"sg-1"}]}}`, "", ""},
	} {
		if _, lost := follow(t, begin, e); len(lost) != 1 {
			t.Errorf("%s of %s: got not followed %q, want one", e.name, e.request, lost)
		}
	}
	if _, lost := follow(t, begin, event{"AuthorizeSecurityGroupIngress", omitted, world22Set, ""}); len(lost) != 0 {
		t.Errorf("a request that is left out and an answer that is not: got not followed %q", lost)
	}
}
