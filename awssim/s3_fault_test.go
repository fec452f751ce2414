package awssim_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"
)

const twoStatements = `{"Version":"2012-10-17","Statement":[` +
	`{"Sid":"Open","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::media/*"},` +
	`{"Sid":"Partner","Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::media/*"}]}`

// s3Writes are a write of S3 and one of S3 Control, each with what tells whether it took effect.
func s3Writes() map[string]struct {
	do   func(context.Context, *awssim.Cloud) error
	done func(awssim.Snapshot) bool
} {
	return map[string]struct {
		do   func(context.Context, *awssim.Cloud) error
		done func(awssim.Snapshot) bool
	}{
		"PutBucketPolicy": {
			func(ctx context.Context, cloud *awssim.Cloud) error {
				_, err := s3In(cloud, hub, east).PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String("media"), Policy: aws.String(twoStatements)})
				return err
			},
			func(s awssim.Snapshot) bool { b, _ := s.Bucket("media"); return b.Policy == twoStatements },
		},
		"PutPublicAccessBlock": {
			func(ctx context.Context, cloud *awssim.Cloud) error {
				_, err := controlClient(cloud, hub).PutPublicAccessBlock(ctx, &s3control.PutPublicAccessBlockInput{
					AccountId: aws.String(hub), PublicAccessBlockConfiguration: &controltypes.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true)},
				})
				return err
			},
			func(s awssim.Snapshot) bool { return s.Blocks[hub].BlockPublicACLs },
		},
	}
}

func TestS3Faults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		kind   awssim.Kind
		code   string
		status int
		done   bool
		event  bool
	}{
		{"throttle", awssim.Throttle, "SlowDown", 503, false, true},
		{"error_before", awssim.Error5xxBefore, "InternalError", 500, false, true},
		{"error_after", awssim.Error5xxAfter, "InternalError", 500, true, true},
		{"denied", awssim.Denied, "AccessDenied", 403, false, true},
		{"expired", awssim.ExpiredToken, "ExpiredToken", 400, false, true},
		{"lie", awssim.LieNoEffect, "", 0, false, true},
	}
	for operation, write := range s3Writes() {
		for _, tt := range tests {
			t.Run(operation+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				cloud, _ := newCloud(t)
				legacy(t, cloud, "media")
				before := len(cloud.Events())
				fault := cloud.Inject(awssim.Fault{Kind: tt.kind, Times: 1, Match: awssim.Match{Operation: operation}})
				wantCode(t, write.do(t.Context(), cloud), tt.code, tt.status)
				if fault.Fired() != 1 {
					t.Errorf("fired: got %d, want 1", fault.Fired())
				}
				if got := write.done(cloud.Snapshot()); got != tt.done {
					t.Errorf("took effect: got %t, want %t", got, tt.done)
				}
				if got := len(cloud.Events()) > before; got != tt.event {
					t.Errorf("event: got %t, want %t", got, tt.event)
				}
				if err := write.do(t.Context(), cloud); err != nil || !write.done(cloud.Snapshot()) {
					t.Errorf("again: got %v, want it done", err)
				}
			})
		}
	}
}

func TestS3Hangs(t *testing.T) {
	t.Parallel()
	for operation, write := range s3Writes() {
		for name, kind := range map[string]awssim.Kind{"before": awssim.Hang, "after": awssim.HangAfter} {
			t.Run(operation+"/"+name, func(t *testing.T) {
				t.Parallel()
				cloud, _ := newCloud(t)
				legacy(t, cloud, "media")
				cloud.Inject(awssim.Fault{Kind: kind, Times: 1, Match: awssim.Match{Operation: operation}})
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
				defer cancel()
				if err := write.do(ctx, cloud); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want the deadline", err)
				}
				if got := write.done(cloud.Snapshot()); got != (kind == awssim.HangAfter) {
					t.Errorf("took effect: got %t", got)
				}
			})
		}
	}
}

func TestS3StaleReads(t *testing.T) {
	t.Parallel()
	cloud, now := newCloud(t)
	legacy(t, cloud, "media")
	r := cloud.Account(hub).Region(east)
	if err := r.PutBucketPolicy(t.Context(), "media", twoStatements); err != nil {
		t.Fatal(err)
	}
	if err := r.PutAccountPublicAccessBlock(t.Context(), &awssim.PublicAccessBlock{BlockPublicACLs: true}); err != nil {
		t.Fatal(err)
	}
	now.Advance(time.Minute)
	if err := r.DeleteBucket(t.Context(), "media"); err != nil {
		t.Fatal(err)
	}
	if err := r.PutAccountPublicAccessBlock(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	read := func() (string, error) {
		out, err := s3In(cloud, hub, east).GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("media")})
		if err != nil {
			return "", err
		}
		return *out.Policy, nil
	}
	stale := cloud.Inject(awssim.Fault{Kind: awssim.StaleRead, Lag: 30 * time.Second})
	if got, err := read(); got != twoStatements {
		t.Errorf("stale policy of a bucket that is gone: got %q, %v", got, err)
	}
	if got := must(s3In(cloud, hub, east).ListBuckets(t.Context(), nil))(t); len(got.Buckets) != 1 {
		t.Errorf("stale list: got %d buckets, want 1", len(got.Buckets))
	}
	block := must(controlClient(cloud, hub).GetPublicAccessBlock(t.Context(), &s3control.GetPublicAccessBlockInput{AccountId: aws.String(hub)}))(t)
	if !*block.PublicAccessBlockConfiguration.BlockPublicAcls {
		t.Error("stale block: got the present one")
	}
	stale.Remove()
	_, err := read()
	wantCode(t, err, "NoSuchBucket", 404)
	_, err = controlClient(cloud, hub).GetPublicAccessBlock(t.Context(), &s3control.GetPublicAccessBlockInput{AccountId: aws.String(hub)})
	wantCode(t, err, "NoSuchPublicAccessBlockConfiguration", 404)
}

func TestS3LieNeighbour(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	legacy(t, cloud, "media")
	r := cloud.Account(hub).Region(east)
	partner := awssim.Grant{ID: awssim.CanonicalID(member), Permission: "READ"}
	if err := r.PutBucketGrants(t.Context(), "media", partner); err != nil {
		t.Fatal(err)
	}
	cloud.Inject(awssim.Fault{Kind: awssim.LieNeighbour, Match: awssim.Match{Service: "s3", Where: func(c awssim.Call) bool { return strings.HasPrefix(c.Operation, "Put") }}})
	if err := r.PutBucketPolicy(t.Context(), "media", twoStatements); err != nil {
		t.Fatal(err)
	}
	if got := bucketOf(t, cloud, "media").Policy; !strings.Contains(got, "Open") || strings.Contains(got, "Partner") {
		t.Errorf("policy: got %s, want it without its last statement", got)
	}
	other := awssim.Grant{URI: awssim.LogDelivery, Permission: "WRITE"}
	if err := r.PutBucketGrants(t.Context(), "media", other, partner); err != nil {
		t.Fatal(err)
	}
	if got := bucketOf(t, cloud, "media").Grants; len(got) != 2 || slices.Contains(got, partner) {
		t.Errorf("grants: got %v, want them without the last foreign one", got)
	}
}

// TestS3ConcurrentWriter: another writer comes between a client's read and its write.
func TestS3ConcurrentWriter(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	legacy(t, cloud, "media")
	r := cloud.Account(hub).Region(east)
	cloud.Inject(awssim.Fault{Kind: awssim.Hook, Times: 1, Match: awssim.Match{Operation: "DeleteBucketPolicy"}, Func: func() {
		if err := r.PutBucketPolicy(context.WithoutCancel(t.Context()), "media", twoStatements); err != nil {
			t.Error(err)
		}
	}})
	cloud.Inject(awssim.Fault{Kind: awssim.HookAfter, Times: 1, Match: awssim.Match{Operation: "DeleteBucketPolicy"}, Func: func() {
		if err := r.TagBucket(context.WithoutCancel(t.Context()), "media", map[string]string{"late": "yes"}); err != nil {
			t.Error(err)
		}
	}})
	if err := r.PutBucketPolicy(t.Context(), "media", ""); err != nil {
		t.Fatal(err)
	}
	if b := bucketOf(t, cloud, "media"); b.Policy != "" || b.Tags["late"] != "yes" {
		t.Errorf("after both writers: got policy %q, tags %v", b.Policy, b.Tags)
	}
}

func TestS3PartialPage(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	for _, name := range []string{"aaa", "bbb", "ccc"} {
		legacy(t, cloud, name)
	}
	cloud.Inject(awssim.Fault{Kind: awssim.PartialPage, Match: awssim.Match{Operation: "ListBuckets"}})
	c := s3In(cloud, hub, east)
	first := must(c.ListBuckets(t.Context(), nil))(t)
	if len(first.Buckets) != 2 || first.ContinuationToken == nil {
		t.Fatalf("first page: got %d buckets, token %v, want 2 and one", len(first.Buckets), first.ContinuationToken)
	}
	_, err := c.ListBuckets(t.Context(), &s3.ListBucketsInput{ContinuationToken: first.ContinuationToken})
	wantCode(t, err, "InvalidArgument", 400)
}
