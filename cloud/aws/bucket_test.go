package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/services"
	"dera.example/dera/services/s3"
	"dera.example/dera/services/s3/account"
	"dera.example/dera/services/s3/bucket"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

const openPolicy = `{"Version":"2012-10-17","Statement":[{"Sid":"Open","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::media/*"}]}`

// newBuckets is a client of an account with some buckets. Its endpoint is an
// address, as that of an emulator is.
func newBuckets(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t, func(c *Config) { c.Endpoint = "https://127.0.0.1" })
	west := f.cloud.Account(hub).Region("eu-west-1")
	for _, err := range []error{
		f.region.CreateBucket(t.Context(), "quiet"),
		f.region.CreateLegacyBucket(t.Context(), "media"),
		f.region.PutBucketPolicy(t.Context(), "media", openPolicy),
		f.region.PutBucketWebsite(t.Context(), "media", "index.html"),
		f.region.TagBucket(t.Context(), "media", map[string]string{"team": "web"}),
		f.region.CreateAccessPoint(t.Context(), "door", "media", nil),
		west.CreateBucket(t.Context(), "far-away"),
		west.PutPublicAccessBlock(t.Context(), "far-away", nil),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	f.cloud.Account(hub).AddDistribution(awssim.Distribution{ID: "E1", Origins: []string{"media.s3.us-east-1.amazonaws.com", "www.example.com"}})
	return f
}

func bucketScope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: hub, Region: east, Type: bucket.Name, IDs: ids}
}

func (f *fixture) bucket(t *testing.T, name string) *bucket.Bucket {
	t.Helper()
	page, err := f.Read(t.Context(), bucketScope(name), true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("read %s: %d resources, %v", name, len(page.Resources), err)
	}
	return page.Resources[0].Config.(*bucket.Bucket)
}

func TestReadBucket(t *testing.T) {
	t.Parallel()
	f := newBuckets(t)
	b := f.bucket(t, "media")
	if b.Policy != openPolicy || !b.Website || b.Tags["team"] != "web" || b.Ownership != "ObjectWriter" || b.Block != nil ||
		!slices.Equal(b.Origins, []string{"E1"}) || len(b.AccessPoints) != 1 || b.AccessPoints[0].Name != "door" || len(b.Unread) != 0 || b.OwnerID == "" {
		t.Errorf("media: got %+v", b)
	}
	if b := f.bucket(t, "quiet"); b.Policy != "" || b.Block == nil || *b.Block != s3.FullBlock() || !b.ACLsDisabled() {
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
		if err := f.region.CreateBucket(t.Context(), fmt.Sprintf("many-%03d", i)); err != nil {
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
			denied := f.cloud.Inject(awssim.Fault{Match: awssim.Match{Service: tt.service, Operation: tt.operation}, Kind: awssim.Denied})
			if b := f.bucket(t, "media"); !slices.Equal(b.Unread, []string{tt.unread}) {
				t.Errorf("unread: got %q, want %q", b.Unread, tt.unread)
			}
			denied.Remove()
			f.cloud.Inject(awssim.Fault{Match: awssim.Match{Service: tt.service, Operation: tt.operation}, Kind: awssim.ExpiredToken})
			if page, err := f.Read(t.Context(), bucketScope("media"), true); !Is(err, Expired) || len(page.Resources) > 0 {
				t.Errorf("expired credentials: got %d resources, %v, want the read to fail", len(page.Resources), err)
			}
		})
	}
}

// TestPartitionWithoutCloudFront: nobody is asked, and it is not known.
func TestPartitionWithoutCloudFront(t *testing.T) {
	t.Parallel()
	gov := awssim.New(awssim.Config{Regions: []string{"us-gov-west-1"}})
	if err := gov.Account(hub).Region("us-gov-west-1").CreateBucket(t.Context(), "office"); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(c *Config) {
		creds := gov.Account(hub).Credentials()
		c.Endpoint, c.Credentials = "https://127.0.0.1", credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, "")
		c.Region = "us-gov-west-1"
	})
	f.wire.cloud = gov
	scope := bucketScope("office")
	scope.Region = "us-gov-west-1" // its partition counts, whatever the scope says
	page, err := f.Read(t.Context(), scope, true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("got %d resources, %v", len(page.Resources), err)
	}
	if b := page.Resources[0].Config.(*bucket.Bucket); !slices.Equal(b.Unread, []string{bucket.PartOrigins}) {
		t.Errorf("unread: got %q, want the distributions", b.Unread)
	}
	for _, c := range f.calls {
		if c.Service == "cloudfront" {
			t.Errorf("got the call %s, want none", c.Operation)
		}
	}
}

// TestReadAccountBlock names the buckets of every region that may depend on
// public access.
func TestReadAccountBlock(t *testing.T) {
	t.Parallel()
	f := newBuckets(t)
	scope := dera.Scope{Partition: "aws", Account: hub, Region: dera.GlobalRegion, Type: account.Name}
	page, err := f.Read(t.Context(), scope, true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("got %d resources, %v", len(page.Resources), err)
	}
	a := page.Resources[0].Config.(*account.AccountBlock)
	if a.Block != nil || a.Buckets != 3 || len(a.Dependents) != 1 || a.Dependents[0].Bucket != "media" || a.Dependents[0].Region != east {
		t.Errorf("got %+v, want media alone of three buckets", a)
	}
	calls := len(f.calls)
	if page, err = f.ReadAgain(t.Context(), scope); err != nil || len(f.calls) < calls+10 {
		t.Errorf("a remediation begins: got %d calls, %v, want all buckets read again", len(f.calls)-calls, err)
	}
	calls = len(f.calls)
	if page, err = f.ReadAgain(t.Context(), scope); err != nil || len(page.Resources[0].Config.(*account.AccountBlock).Dependents) != 1 || len(f.calls) != calls+1 {
		t.Errorf("again at once: got %d calls, %v, want the block alone to be read", len(f.calls)-calls, err)
	}
	for _, name := range []string{"a look for a decision", "the next one"} {
		calls = len(f.calls)
		if _, err = f.Read(t.Context(), scope, true); err != nil || len(f.calls) < calls+10 {
			t.Errorf("%s: got %d calls, %v, want all buckets read again", name, len(f.calls)-calls, err)
		}
	}
	calls = len(f.calls)
	if _, err = f.ReadAgain(t.Context(), scope); err != nil || len(f.calls) < calls+10 {
		t.Errorf("a remediation after a look: got %d calls, %v, want all buckets read again", len(f.calls)-calls, err)
	}
	c, err := f.bucket(t, "media").EditPolicy(document.PolicyEdit{Drop: []int{0}})
	p := bucketPlan(t, c, err)
	if _, err := f.Do(t.Context(), p, resource.Of(c), allow); err != nil {
		t.Fatal(err)
	}
	calls = len(f.calls)
	if _, err = f.ReadAgain(t.Context(), scope); err != nil || len(f.calls) < calls+10 {
		t.Errorf("after a write to a bucket: got %d calls, %v, want all buckets read again", len(f.calls)-calls, err)
	}
	if page, err = f.Read(t.Context(), scope, false); err != nil || len(page.Resources[0].Config.(*account.AccountBlock).Dependents) > 0 {
		t.Errorf("cheap look: got %+v, %v, want no bucket read", page, err)
	}
	for _, c := range f.calls[len(f.calls)-1:] {
		if c.Operation != "GetPublicAccessBlock" {
			t.Errorf("cheap look: got the call %s", c.Operation)
		}
	}
}

func allow(context.Context) error { return nil }

func bucketPlan(t *testing.T, c dera.Change, err error) dera.Plan {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return dera.Plan{Partition: "aws", Account: hub, Region: east, Resource: bucket.ARNOf("aws", "media"), Type: bucket.Name, Changes: []dera.Change{c}}
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
		{"acl", func(b *bucket.Bucket) (dera.Change, error) { return b.DropGrants(s3.Grant.Public) }},
		{"block", func(b *bucket.Bucket) (dera.Change, error) { return b.SetBlock(s3.FullBlock()) }},
		{"tags", func(b *bucket.Bucket) (dera.Change, error) {
			k, err := services.Types().Lookup(bucket.Name)
			if err != nil {
				return dera.Change{}, err
			}
			c, err := k.Tag(b, map[string]string{"dera:finding": "f-1"})
			return *c, err
		}},
	}
	kind, err := services.Types().Lookup(bucket.Name)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newBuckets(t)
			if err := f.region.PutBucketACL(t.Context(), "media", "public-read"); err != nil {
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
				if _, err := f.Do(t.Context(), p, op, allow); err != nil {
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
	if err := f.region.PutBucketPolicy(t.Context(), "media", theirs); err != nil {
		t.Fatal(err)
	}
	asked := false
	_, err = f.Do(t.Context(), p, resource.Of(c), func(context.Context) error { asked = true; return nil })
	if !errors.Is(err, ErrMoved) || asked {
		t.Errorf("got %v, asked %t, want ErrMoved before anything is asked or sent", err, asked)
	}
	if got := f.bucket(t, "media").Policy; got != theirs {
		t.Errorf("policy: got %s, want theirs", got)
	}
}

// TestBucketOfSomebodyElseIsNotOurs: a bucket that was made anew by another
// account under the same name is neither read nor changed.
func TestBucketOfSomebodyElseIsNotOurs(t *testing.T) {
	t.Parallel()
	f := newBuckets(t)
	other := f.cloud.Account(member).Region(east)
	if err := other.CreateBucket(t.Context(), "theirs"); err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(bucket.BucketBlockInput{Bucket: "theirs"})
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Partition: "aws", Account: hub, Region: east, Resource: bucket.ARNOf("aws", "theirs"), Type: bucket.Name}
	if _, err := f.Do(t.Context(), p, resource.Operation{Name: bucket.PutBucketBlock, Version: 1, Input: input}, allow); !Is(err, Denied) {
		t.Errorf("write: got %v, want denied", err)
	}
}

func TestFixers(t *testing.T) {
	t.Parallel()
	f := newBuckets(t)
	for _, r := range []awssim.ConfigRule{
		{Name: "scoped", ResourceTypes: []string{"AWS::EC2::SecurityGroup"}, Remediation: &awssim.ConfigRemediation{Automatic: true}},
		{Name: "managed", Identifier: "S3_BUCKET_PUBLIC_READ_PROHIBITED", Remediation: &awssim.ConfigRemediation{Automatic: true}},
		{Name: "by-hand", Identifier: "INCOMING_SSH_DISABLED", Remediation: &awssim.ConfigRemediation{}},
		{Name: "looks-only", Identifier: "INCOMING_SSH_DISABLED"},
		{Name: "strange", Identifier: "SOMETHING_NEW", Remediation: &awssim.ConfigRemediation{Automatic: true}},
	} {
		f.region.AddConfigRule(r)
	}
	list, err := f.Fixers(t.Context(), hub, east)
	var got []string
	for _, x := range list {
		got = append(got, x.Rule+" "+strings.Join(x.Types, ","))
	}
	slices.Sort(got)
	if want := []string{"managed AWS::S3::Bucket", "scoped AWS::EC2::SecurityGroup", "strange "}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	calls := len(f.calls)
	if _, err := f.Fixers(t.Context(), hub, east); err != nil || len(f.calls) != calls {
		t.Errorf("asked again: got %d calls, %v, want none", len(f.calls)-calls, err)
	}
	f.cloud.Inject(awssim.Fault{Match: awssim.Match{Service: "config"}, Kind: awssim.Denied})
	if _, err := f.Fixers(t.Context(), hub, "eu-west-1"); !Is(err, Denied) {
		t.Errorf("denied: got %v, want the error", err)
	}
}

func TestOriginOf(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, domain, path, want string }{
		{"regional", "media.s3.eu-west-1.amazonaws.com", "", "media"},
		{"global", "media.s3.amazonaws.com", "/static", "media"},
		{"older", "media.s3-us-west-2.amazonaws.com", "", "media"},
		{"website", "media.s3-website-us-east-1.amazonaws.com", "", "media"},
		{"dual_stack", "media.s3.dualstack.us-east-1.amazonaws.com", "", "media"},
		{"in_capitals_with_a_dot", "Media.S3.EU-West-1.AmazonAWS.com.", "", "media"},
		{"china", "media.s3.cn-north-1.amazonaws.com.cn", "", "media"},
		{"path_style", "s3.eu-west-1.amazonaws.com", "/media/static", "media"},
		{"path_style_global", "S3.amazonaws.com", "/media", "media"},
		{"path_style_older", "s3-us-west-2.amazonaws.com", "media", "media"},
		{"bucket_with_dots", "a.s3.b.s3.us-east-1.amazonaws.com", "", "a.s3.b"},
		{"bucket_like_the_service", "s3-media.s3.us-east-1.amazonaws.com", "/x", "s3-media"},
		{"no_bucket", "s3.us-east-1.amazonaws.com", "", ""},
		{"somebody_elses", "media.s3.example.com", "", ""},
		{"load_balancer", "web-1.us-east-1.elb.amazonaws.com", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := originOf(tt.domain, tt.path); got != tt.want {
				t.Errorf("origin %s%s: got %q, want %q", tt.domain, tt.path, got, tt.want)
			}
		})
	}
}
