package wire_test

import (
	"testing"
	"time"

	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3/account"
	"dera.example/dera/services/s3/bucket"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	accountwire "dera.example/dera/services/s3/account/wire"
	bucketwire "dera.example/dera/services/s3/bucket/wire"
)

type fixture struct{ *cloudtest.Fixture }

func newFixture(t *testing.T, set func(*cloud.Config)) fixture {
	t.Helper()
	return fixture{cloudtest.New(t, []cloud.Wire{accountwire.Wire(), bucketwire.Wire()}, set)}
}

const openPolicy = `{"Version":"2012-10-17","Statement":[{"Sid":"Open","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::media/*"}]}`

// newBucketsBy is a client of an account with some buckets, with a configuration of its own. Its endpoint is an
// address, as that of an emulator is.
func newBucketsBy(t *testing.T, set func(*cloud.Config)) fixture {
	t.Helper()
	f := newFixture(t, set)
	west := f.Cloud.Account(cloudtest.Hub).Region("eu-west-1")
	for _, err := range []error{
		f.Home.CreateBucket(t.Context(), "quiet"),
		f.Home.CreateLegacyBucket(t.Context(), "media"),
		f.Home.PutBucketPolicy(t.Context(), "media", openPolicy),
		f.Home.PutBucketWebsite(t.Context(), "media", "index.html"),
		f.Home.TagBucket(t.Context(), "media", map[string]string{"team": "web"}),
		f.Home.CreateAccessPoint(t.Context(), "door", "media", nil),
		west.CreateBucket(t.Context(), "far-away"),
		west.PutPublicAccessBlock(t.Context(), "far-away", nil),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	f.Cloud.Account(cloudtest.Hub).AddDistribution(awssim.Distribution{ID: "E1", Origins: []string{"media.s3.us-east-1.amazonaws.com", "www.example.com"}})
	return f
}

func bucketScope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: bucket.Name, IDs: ids}
}

func (f fixture) bucket(t *testing.T, name string) *bucket.Bucket {
	t.Helper()
	page, err := f.Read(t.Context(), bucketScope(name), true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("read %s: %d resources, %v", name, len(page.Resources), err)
	}
	return page.Resources[0].Config.(*bucket.Bucket)
}

func bucketPlan(t *testing.T, c dera.Change, err error) dera.Plan {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: bucket.ARNOf("aws", "media"), Type: bucket.Name, Changes: []dera.Change{c}}
}

// TestReadAccountBlock names the buckets of every region that may depend on
// public access.
func TestReadAccountBlock(t *testing.T) {
	t.Parallel()
	now := time.Now()
	f := newBucketsBy(t, func(c *cloud.Config) { c.Now = func() time.Time { return now } })
	scope := dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: dera.GlobalRegion, Type: account.Name}
	page, err := f.Read(t.Context(), scope, true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("got %d resources, %v", len(page.Resources), err)
	}
	a := page.Resources[0].Config.(*account.AccountBlock)
	if a.Block != nil || a.Buckets != 3 || len(a.Dependents) != 1 || a.Dependents[0].Bucket != "media" || a.Dependents[0].Region != cloudtest.East {
		t.Errorf("got %+v, want media alone of three buckets", a)
	}
	calls := len(f.Calls)
	if page, err = f.ReadAgain(t.Context(), scope); err != nil || len(f.Calls) < calls+10 {
		t.Errorf("a remediation begins: got %d calls, %v, want all buckets read again", len(f.Calls)-calls, err)
	}
	calls = len(f.Calls)
	if page, err = f.ReadAgain(t.Context(), scope); err != nil || len(page.Resources[0].Config.(*account.AccountBlock).Dependents) != 1 || len(f.Calls) != calls+1 {
		t.Errorf("again at once: got %d calls, %v, want the block alone to be read", len(f.Calls)-calls, err)
	}
	calls = len(f.Calls)
	if page, err = f.Read(t.Context(), scope, true); err != nil || len(page.Resources[0].Config.(*account.AccountBlock).Dependents) != 1 || len(f.Calls) > calls+3 {
		t.Errorf("a look for a decision at once: got %d calls, %v, want the block and the lists alone", len(f.Calls)-calls, err)
	}
	now = now.Add(time.Minute)
	calls = len(f.Calls)
	if _, err = f.Read(t.Context(), scope, true); err != nil || len(f.Calls) < calls+10 {
		t.Errorf("a look for a decision: got %d calls, %v, want all buckets read again", len(f.Calls)-calls, err)
	}
	calls = len(f.Calls)
	if _, err = f.ReadAgain(t.Context(), scope); err != nil || len(f.Calls) < calls+10 {
		t.Errorf("a remediation after a look: got %d calls, %v, want all buckets read again", len(f.Calls)-calls, err)
	}
	c, err := f.bucket(t, "media").EditPolicy(document.PolicyEdit{Drop: []int{0}})
	p := bucketPlan(t, c, err)
	if _, err := f.Do(t.Context(), p, resource.Of(c), cloudtest.Allow); err != nil {
		t.Fatal(err)
	}
	calls = len(f.Calls)
	if _, err = f.ReadAgain(t.Context(), scope); err != nil || len(f.Calls) < calls+10 {
		t.Errorf("after a write to a bucket: got %d calls, %v, want all buckets read again", len(f.Calls)-calls, err)
	}
	if page, err = f.Read(t.Context(), scope, false); err != nil || len(page.Resources[0].Config.(*account.AccountBlock).Dependents) > 0 {
		t.Errorf("cheap look: got %+v, %v, want no bucket read", page, err)
	}
	for _, c := range f.Calls[len(f.Calls)-1:] {
		if c.Operation != "GetPublicAccessBlock" {
			t.Errorf("cheap look: got the call %s", c.Operation)
		}
	}
}
