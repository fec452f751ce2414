package engine_test

import (
	"maps"
	"slices"
	"testing"

	"dera.example/dera/services/ec2/securitygroup"
	s3account "dera.example/dera/services/s3/account"
	"dera.example/dera/services/s3/bucket"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
)

// TestNoPartIsReadMoreThanTwiceInOneLook counts the calls of the client by what
// they are about, for each way to look: a page of a sweep, and an event, which is
// looked at twice. What an account has once is read once a look.
func TestNoPartIsReadMoreThanTwiceInOneLook(t *testing.T) {
	t.Parallel()
	failing := map[string]int{
		"GetPublicAccessBlock": 1, "GetBucketPolicy": 1, "GetBucketOwnershipControls": 1, "GetBucketAcl": 1, "GetBucketTagging": 1, "GetBucketWebsite": 1,
		"account GetPublicAccessBlock": 1, "ListAccessPoints": 1, "ListMultiRegionAccessPoints": 1, "ListDistributions": 1,
	}
	clean := maps.Clone(failing)
	maps.DeleteFunc(clean, func(call string, _ int) bool {
		return slices.Contains([]string{"GetBucketTagging", "GetBucketWebsite", "ListDistributions"}, call)
	})
	group := map[string]int{"DescribeSecurityGroups": 1, "DescribeSecurityGroupRules": 1, "DescribeVpcs": 1, "DescribeRouteTables": 1, "DescribeAddresses": 1, "DescribeNetworkInterfaces": 2}
	block := maps.Clone(failing)
	block["ListBuckets"] = 1
	// The second look at an event is a quick one, whose result is completed.
	twice := func(one map[string]int, more map[string]int) map[string]int {
		out := map[string]int{}
		for call, n := range one {
			out[call] = 2 * n
		}
		maps.Copy(out, more)
		return out
	}
	sweep := func(m map[string]int, list string) map[string]int {
		out := maps.Clone(m)
		out[list] = 1
		return out
	}
	tests := []struct {
		name  string
		typ   string
		ids   []string // none: a sweep
		event bool
		set   func(t *testing.T, w *world)
		want  map[string]int
	}{
		{name: "failing_bucket_in_a_sweep", typ: bucket.Name, set: publicBucket, want: sweep(failing, "ListBuckets")},
		{name: "failing_bucket_by_an_event", typ: bucket.Name, ids: []string{"media"}, event: true, set: publicBucket, want: twice(failing, nil)},
		{name: "clean_bucket_in_a_sweep", typ: bucket.Name, set: quietBucket, want: sweep(clean, "ListBuckets")},
		{name: "clean_bucket_by_an_event", typ: bucket.Name, ids: []string{"media"}, event: true, set: quietBucket,
			want: twice(clean, nil)},
		{name: "bucket_with_a_past_by_an_event", typ: bucket.Name, ids: []string{"media"}, event: true, set: quietAgain, // all of it is read once
			want: twice(clean, map[string]int{"GetBucketTagging": 1, "GetBucketWebsite": 1, "ListDistributions": 1})},
		{name: "failing_group_in_a_sweep", typ: securitygroup.Name, set: openGroup, want: group},
		{name: "failing_group_by_an_event", typ: securitygroup.Name, ids: []string{"group"}, event: true, set: openGroup,
			want: twice(group, map[string]int{"DescribeAddresses": 1})}, // they are remembered
		{name: "account_block_with_buckets_in_two_regions", typ: s3account.Name, set: twoRegions,
			want: func() map[string]int {
				out := maps.Clone(block)
				for _, call := range []string{"GetPublicAccessBlock", "GetBucketPolicy", "GetBucketOwnershipControls", "GetBucketAcl", "GetBucketTagging", "GetBucketWebsite", "ListAccessPoints"} {
					out[call] = 2 // one for each bucket, or region
				}
				return out
			}()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) {
				w.mode = dera.Observe
				w.config = func(c *engine.Config) { c.Controls = rulebook(tt.typ) }
			})
			w.emptyDefault()
			tt.set(t, w)
			scope := dera.Scope{Partition: "aws", Account: account, Region: region, Type: tt.typ, IDs: slices.Clone(tt.ids)}
			if tt.typ == s3account.Name {
				scope.Region = dera.GlobalRegion
			}
			for i, id := range scope.IDs {
				if id == "group" {
					scope.IDs[i] = w.named("open")
				}
			}
			before := len(w.calls)
			if tt.event {
				w.ingest(dera.Event{Source: "test", Name: "Put", Scope: scope, Time: w.clock.Now()})
				w.drain()
				w.settle()
			} else if err := w.engine.LookNow(t.Context(), dera.Event{Source: "scan", Name: "scan", Scope: scope, Time: w.clock.Now()}, false); err != nil {
				t.Fatal(err)
			}
			got := map[string]int{}
			for _, c := range w.calls[before:] {
				switch {
				case c.Operation == "GetCallerIdentity":
				case c.Operation == "GetPublicAccessBlock" && c.Service == "s3 control":
					got["account "+c.Operation]++
				default:
					got[c.Operation]++
				}
			}
			if !maps.Equal(got, tt.want) {
				t.Errorf("calls:\n got %v\nwant %v", got, tt.want)
			}
		})
	}
}

func publicBucket(t *testing.T, w *world) { makeBucket(t, w.region, "media", true) }

// quietAgain is a bucket that was public when it was looked at before.
func quietAgain(t *testing.T, w *world) {
	publicBucket(t, w)
	e := dera.Event{Source: "scan", Name: "scan", Time: w.clock.Now(), Scope: dera.Scope{Partition: "aws", Account: account, Region: region, Type: bucket.Name, IDs: []string{"media"}}}
	if err := w.engine.LookNow(t.Context(), e, false); err != nil {
		t.Fatal(err)
	}
	err := w.region.PutBucketPolicy(t.Context(), "media", "")
	if err == nil {
		err = w.region.PutPublicAccessBlock(t.Context(), "media", &awssim.PublicAccessBlock{BlockPublicACLs: true, IgnorePublicACLs: true, BlockPublicPolicy: true, RestrictPublicBuckets: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := w.engine.LookNow(t.Context(), e, false); err != nil {
		t.Fatal(err)
	}
	list := w.findings("media")
	if len(list) == 0 {
		t.Fatal("there was no finding")
	}
	for _, f := range list {
		if f.State != dera.FindingResolved {
			t.Fatalf("got %+v, want it resolved", f)
		}
	}
}

func quietBucket(t *testing.T, w *world) { makeBucket(t, w.region, "media", false) }

func twoRegions(t *testing.T, w *world) {
	makeBucket(t, w.region, "media", true)
	makeBucket(t, w.cloud.Account(account).Region("eu-west-1"), "far-away", false)
}

func openGroup(_ *testing.T, w *world) { w.group("open", tcp(22, 22, "0.0.0.0/0")) }

// named is the ID of the group with the name.
func (w *world) named(name string) string {
	for _, g := range w.cloud.Snapshot().Groups {
		if g.Name == name {
			return g.ID
		}
	}
	w.t.Fatalf("there is no group %s", name)
	return ""
}

// makeBucket makes a bucket, with a policy that lets anybody read.
func makeBucket(t *testing.T, at *awssim.Region, name string, public bool) {
	t.Helper()
	err := at.CreateBucket(t.Context(), name)
	if public && err == nil {
		if err = at.PutPublicAccessBlock(t.Context(), name, nil); err == nil {
			err = at.PutBucketPolicy(t.Context(), name, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::`+name+`/*"}]}`)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
