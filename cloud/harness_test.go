package cloud_test

import (
	"testing"

	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/services/s3/bucket"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	groupwire "dera.example/dera/services/ec2/securitygroup/wire"
	accountwire "dera.example/dera/services/s3/account/wire"
	bucketwire "dera.example/dera/services/s3/bucket/wire"
)

type fixture struct{ *cloudtest.Fixture }

func wires() []cloud.Wire {
	return []cloud.Wire{groupwire.Wire(), accountwire.Wire(), bucketwire.Wire()}
}

func newFixture(t *testing.T, set func(*cloud.Config)) fixture {
	t.Helper()
	return fixture{cloudtest.New(t, wires(), set)}
}

func scopeOf(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: securitygroup.Name, IDs: ids}
}

func (f fixture) group(t *testing.T, name string, rules ...awssim.Rule) string {
	t.Helper()
	id, err := f.Home.CreateSecurityGroup(t.Context(), name, rules...)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func ssh() awssim.Rule {
	return awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"}
}

// one reads one group.
func (f fixture) one(t *testing.T, id string) *securitygroup.Group {
	t.Helper()
	page, err := f.Read(t.Context(), scopeOf(id), true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("read %s: got %+v, %v", id, page, err)
	}
	return page.Resources[0].Config.(*securitygroup.Group)
}

const openPolicy = `{"Version":"2012-10-17","Statement":[{"Sid":"Open","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::media/*"}]}`

// newBuckets is a client of an account with some buckets. Its endpoint is an
// address, as that of an emulator is.
func newBuckets(t *testing.T) fixture {
	t.Helper()
	f := newFixture(t, nil)
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
