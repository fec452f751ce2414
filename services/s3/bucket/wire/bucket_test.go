package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/resource/document"
	s3res "dera.example/dera/services/s3"
	"dera.example/dera/services/s3/bucket"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
)

func TestReadBucket(t *testing.T) {
	t.Parallel()
	f := newBuckets(t)
	b := f.bucket(t, "media")
	if b.Policy != openPolicy || !b.Website || b.Tags["team"] != "web" || b.Ownership != "ObjectWriter" || b.Block != nil ||
		!slices.Equal(b.Origins, []string{"E1"}) || len(b.AccessPoints) != 1 || b.AccessPoints[0].Name != "door" || len(b.Unread) != 0 || b.OwnerID == "" {
		t.Errorf("media: got %+v", b)
	}
	if b := f.bucket(t, "quiet"); b.Policy != "" || b.Block == nil || *b.Block != s3res.FullBlock() || !b.ACLsDisabled() {
		t.Errorf("quiet: got %+v, want what AWS gives to a new bucket", b)
	}
	page, err := f.Read(t.Context(), bucketScope("nowhere", "quiet"), true)
	if err != nil || !slices.Equal(page.Missing, []string{"nowhere"}) || len(page.Resources) != 1 {
		t.Errorf("a bucket that does not exist: got %+v, %v, want it missing and the other read", page, err)
	}
}

// TestReadBucketSweep: each region sees its own buckets, page by page, and a
// cheap look leaves out what only a plan needs.
func TestReadBucketSweep(t *testing.T) {
	t.Parallel()
	f := newBuckets(t)
	for i := range bucketPage {
		if err := f.Home.CreateBucket(t.Context(), fmt.Sprintf("many-%03d", i)); err != nil {
			t.Fatal(err)
		}
	}
	scope := bucketScope()
	var names []string
	for pages := 1; ; pages++ {
		page, err := f.Read(t.Context(), scope, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Resources {
			names = append(names, r.ID)
			if b := r.Config.(*bucket.Bucket); r.Full || b.Website || b.Tags != nil {
				t.Errorf("%s: a cheap look read all of it", r.ID)
			}
		}
		if scope.Page = page.Next; scope.Page == "" {
			if pages < 2 {
				t.Errorf("got one page, want the sweep to go on")
			}
			break
		}
	}
	slices.Sort(names)
	if len(names) != bucketPage+2 || slices.Contains(names, "far-away") || len(slices.Compact(names)) != bucketPage+2 {
		t.Errorf("sweep: got %d buckets, want %d, each once and none of another region", len(names), bucketPage+2)
	}
}

// TestDeniedPartsAreUnread: a part that dera may not read is unknown, and the
// others are read; everything else that goes wrong fails the read.
func TestDeniedPartsAreUnread(t *testing.T) {
	t.Parallel()
	tests := []struct {
		service, operation string
		unread             string
	}{
		{"s3", "GetBucketPolicy", bucket.PartPolicy},
		{"s3", "GetBucketAcl", bucket.PartACL},
		{"s3", "GetPublicAccessBlock", bucket.PartBlock},
		{"s3", "GetBucketOwnershipControls", bucket.PartOwnership},
		{"s3", "GetBucketWebsite", bucket.PartWebsite},
		{"s3", "GetBucketTagging", bucket.PartTags},
		{"s3control", "GetPublicAccessBlock", bucket.PartAccountBlock},
		{"s3control", "ListAccessPoints", bucket.PartAccessPoints},
		{"s3control", "GetAccessPointPolicy", bucket.PartAccessPoints},
		{"cloudfront", "ListDistributions", bucket.PartOrigins},
	}
	for _, tt := range tests {
		t.Run(tt.service+"_"+tt.operation, func(t *testing.T) {
			t.Parallel()
			f := newBuckets(t)
			denied := f.Cloud.Inject(awssim.Fault{Match: awssim.Match{Service: tt.service, Operation: tt.operation}, Kind: awssim.Denied})
			if b := f.bucket(t, "media"); !slices.Equal(b.Unread, []string{tt.unread}) {
				t.Errorf("unread: got %q, want %q", b.Unread, tt.unread)
			}
			denied.Remove()
			f.Cloud.Inject(awssim.Fault{Match: awssim.Match{Service: tt.service, Operation: tt.operation}, Kind: awssim.ExpiredToken})
			if page, err := f.Read(t.Context(), bucketScope("media"), true); !cloud.Is(err, cloud.Expired) || len(page.Resources) > 0 {
				t.Errorf("expired credentials: got %d resources, %v, want the read to fail", len(page.Resources), err)
			}
		})
	}
}

// TestPartitionWithoutCloudFront: nobody is asked, and it is not known.
func TestPartitionWithoutCloudFront(t *testing.T) {
	t.Parallel()
	gov := awssim.New(awssim.Config{Regions: []string{"us-gov-west-1"}})
	if err := gov.Account(cloudtest.Hub).Region("us-gov-west-1").CreateBucket(t.Context(), "office"); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(c *cloud.Config) {
		creds := gov.Account(cloudtest.Hub).Credentials()
		c.Endpoint, c.Credentials = "https://127.0.0.1", credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, "")
		c.Region = "us-gov-west-1"
	})
	f.Wire.Cloud = gov
	scope := bucketScope("office")
	scope.Region = "us-gov-west-1" // its partition counts, whatever the scope says
	page, err := f.Read(t.Context(), scope, true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("got %d resources, %v", len(page.Resources), err)
	}
	if b := page.Resources[0].Config.(*bucket.Bucket); !slices.Equal(b.Unread, []string{bucket.PartOrigins}) {
		t.Errorf("unread: got %q, want the distributions", b.Unread)
	}
	for _, c := range f.Calls {
		if c.Service == "cloudfront" {
			t.Errorf("got the call %s, want none", c.Operation)
		}
	}
}

func bucketPlan(t *testing.T, c dera.Change, err error) dera.Plan {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: bucket.ARNOf("aws", "media"), Type: bucket.Name, Changes: []dera.Change{c}}
}

// TestBucketWritesAndUndos: each operation does what package resource says that
// it does, and so does its undo.
func TestBucketWritesAndUndos(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		plan func(b *bucket.Bucket) (dera.Change, error)
	}{
		{"policy", func(b *bucket.Bucket) (dera.Change, error) {
			return b.EditPolicy(document.PolicyEdit{Drop: []int{0}})
		}},
		{"acl", func(b *bucket.Bucket) (dera.Change, error) { return b.DropGrants(s3res.Grant.Public) }},
		{"block", func(b *bucket.Bucket) (dera.Change, error) { return b.SetBlock(s3res.FullBlock()) }},
		{"tags", func(b *bucket.Bucket) (dera.Change, error) {
			c, err := bucket.Type().Tag(b, map[string]string{"dera:finding": "f-1"})
			return *c, err
		}},
	}
	kind := bucket.Type()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newBuckets(t)
			if err := f.Home.PutBucketACL(t.Context(), "media", "public-read"); err != nil {
				t.Fatal(err)
			}
			before := f.bucket(t, "media")
			c, err := tt.plan(before)
			p := bucketPlan(t, c, err)
			undo, err := resource.OfUndo(*c.Undo, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, op := range []resource.Operation{resource.Of(c), undo} {
				was := f.bucket(t, "media")
				if _, err := f.Do(t.Context(), p, op, cloudtest.Allow); err != nil {
					t.Fatalf("%s: %v", op.Name, err)
				}
				want, err := kind.Apply(was, op)
				if err != nil {
					t.Fatal(err)
				}
				now := f.bucket(t, "media")
				if got, want := now.Canon(), want.(*bucket.Bucket).Canon(); got != want {
					t.Errorf("after %s: got\n%s\nwant\n%s", op.Name, got, want)
				}
				if done, _, err := kind.Effect(now, op); err != nil || !done {
					t.Errorf("after %s: the effect shows %t, %v", op.Name, done, err)
				}
			}
			if got := f.bucket(t, "media"); got.Canon() != before.Canon() || got.Policy != before.Policy {
				t.Errorf("after the undo: got\n%s\nwant\n%s", got.Canon(), before.Canon())
			}
		})
	}
}

// TestMovedPolicyIsNotWrittenOver: nothing is sent, and allowed is not even asked.
func TestMovedPolicyIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	f := newBuckets(t)
	c, err := f.bucket(t, "media").EditPolicy(document.PolicyEdit{Drop: []int{0}})
	p := bucketPlan(t, c, err)
	theirs := strings.Replace(openPolicy, "Open", "Theirs", 1)
	if err := f.Home.PutBucketPolicy(t.Context(), "media", theirs); err != nil {
		t.Fatal(err)
	}
	asked := false
	_, err = f.Do(t.Context(), p, resource.Of(c), func(context.Context) error { asked = true; return nil })
	if !errors.Is(err, cloud.ErrMoved) || asked {
		t.Errorf("got %v, asked %t, want cloud.ErrMoved before anything is asked or sent", err, asked)
	}
	if got := f.bucket(t, "media").Policy; got != theirs {
		t.Errorf("policy: got %s, want theirs", got)
	}
}

// TestBucketOfSomebodyElseIsNotOurs: a bucket that was made again by another
// account under the same name is neither read nor changed.
func TestBucketOfSomebodyElseIsNotOurs(t *testing.T) {
	t.Parallel()
	f := newBuckets(t)
	other := f.Cloud.Account(cloudtest.Member).Region(cloudtest.East)
	if err := other.CreateBucket(t.Context(), "theirs"); err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(bucket.BucketBlockInput{Bucket: "theirs"})
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: bucket.ARNOf("aws", "theirs"), Type: bucket.Name}
	if _, err := f.Do(t.Context(), p, resource.Operation{Name: bucket.PutBucketBlock, Version: 1, Input: input}, cloudtest.Allow); !cloud.Is(err, cloud.Denied) {
		t.Errorf("write: got %v, want denied", err)
	}
}
