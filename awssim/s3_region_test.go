package awssim_test

import (
	"errors"
	"strings"
	"testing"

	"dera.example/dera/awssim"
)

// TestS3Helpers builds a world with the Go helpers alone, which take the same way as a client: with events, and refused
// alike.
func TestS3Helpers(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	home := cloud.Account(hub)
	r := home.Region(west).Via("192.0.2.44", "HashiCorp Terraform/1.9")
	block := awssim.PublicAccessBlock{RestrictPublicBuckets: true}
	for what, err := range map[string]error{
		"bucket":  r.CreateBucket(t.Context(), "closed"),
		"legacy":  r.CreateLegacyBucket(t.Context(), "media"),
		"acl":     r.PutBucketACL(t.Context(), "media", "log-delivery-write"),
		"policy":  r.PutBucketPolicy(t.Context(), "media", awssim.PublicReadPolicy("media")),
		"website": r.PutBucketWebsite(t.Context(), "media", "index.html"),
		"tags":    r.TagBucket(t.Context(), "media", map[string]string{"team": "red"}),
		"block":   r.PutPublicAccessBlock(t.Context(), "media", &block),
		"door":    r.CreateAccessPoint(t.Context(), "door", "media", nil),
		"door2":   r.CreateAccessPoint(t.Context(), "door2", "media", nil),
		"no_door": r.DeleteAccessPoint(t.Context(), "door2"),
		"gone":    r.DeleteBucket(t.Context(), "closed"),
		"account": r.PutAccountPublicAccessBlock(t.Context(), &awssim.PublicAccessBlock{IgnorePublicACLs: true}),
	} {
		if err != nil {
			t.Errorf("%s: got %v", what, err)
		}
	}
	b := bucketOf(t, cloud, "media")
	if b.Account != hub || b.Region != west || !b.Website || b.Tags["team"] != "red" || b.Block == nil || *b.Block != block || len(b.Grants) != 3 ||
		b.Ownership != "ObjectWriter" || b.Policy != awssim.PublicReadPolicy("media") {
		t.Errorf("bucket: got %+v", b)
	}
	if s := cloud.Snapshot(); len(s.Buckets) != 1 || len(s.AccessPoints) != 1 || !s.Blocks[hub].IgnorePublicACLs {
		t.Errorf("snapshot: got %d buckets, %d access points, blocks %v", len(s.Buckets), len(s.AccessPoints), s.Blocks)
	}
	for _, e := range cloud.Events() {
		if e.Account != hub || e.Region != west || !strings.Contains(string(e.Record), "[HashiCorp Terraform/1.9]") {
			t.Errorf("event %s: got account %s, Region %s, record %s", e.Name, e.Account, e.Region, e.Record)
		}
	}
	var refused *awssim.Error
	if err := home.Region(east).PutBucketPolicy(t.Context(), "media", ""); !errors.As(err, &refused) || refused.Code != "PermanentRedirect" {
		t.Errorf("from another Region: got %v, want PermanentRedirect", err)
	}
	if err := cloud.Account(member).Region(west).DeleteBucket(t.Context(), "media"); !errors.As(err, &refused) || refused.Code != "AccessDenied" {
		t.Errorf("by another account: got %v, want AccessDenied", err)
	}
	if err := r.SystemTagBucket("nobody", nil); !errors.As(err, &refused) || refused.Code != "NoSuchBucket" {
		t.Errorf("tags of nobody: got %v, want NoSuchBucket", err)
	}
}

// TestBucketNameAfterDeletion: a name is free again, for every account and Region.
func TestBucketNameAfterDeletion(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	legacy(t, cloud, "media")
	if err := cloud.Account(hub).Region(east).DeleteBucket(t.Context(), "media"); err != nil {
		t.Fatal(err)
	}
	if err := cloud.Account(member).Region(west).CreateBucket(t.Context(), "media"); err != nil {
		t.Fatal(err)
	}
	if b := bucketOf(t, cloud, "media"); b.Account != member || b.Region != west {
		t.Errorf("bucket: got account %s, Region %s", b.Account, b.Region)
	}
	// A creation that lies leaves the name free.
	cloud.Inject(awssim.Fault{Kind: awssim.LieNoEffect, Times: 1, Match: awssim.Match{Operation: "CreateBucket"}})
	for range 2 {
		if err := cloud.Account(hub).Region(west).CreateBucket(t.Context(), "other"); err != nil {
			t.Errorf("create: got %v", err)
		}
	}
	if b := bucketOf(t, cloud, "other"); b.Account != hub {
		t.Errorf("bucket: got account %s", b.Account)
	}
}
