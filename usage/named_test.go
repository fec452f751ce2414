package usage

import (
	"slices"
	"testing"
)

// TestResources: what a call names besides ARNs is more than these.
func TestResources(t *testing.T) {
	t.Parallel()
	const one, two = "arn:aws:ecs:eu-west-1:111122223333:service/c/a", "arn:aws:ecs:eu-west-1:111122223333:service/c/b"
	const in, out = "arn:aws:s3:::in", "arn:aws:s3:::out"
	for _, tt := range []struct {
		name, source, call, record string
		arns                       []string
		more                       bool
	}{
		{"list of ARNs", "ecs", "DescribeServices", `"requestParameters":{"cluster":"c","services":["` + one + `" , "` + two + `"],"include":["TAGS"]}`, []string{one, two}, false},
		{"name behind an ARN", "ecs", "DescribeServices", `"requestParameters":{"services":["` + one + `", "b"]}`, []string{one}, true},
		{"name before an ARN", "ecs", "DescribeServices", `"requestParameters":{"services":["b","` + one + `"]}`, []string{one}, true},
		{"members of an object", "ecs", "UpdateService", `"requestParameters":{"cluster":"c","service":"` + one + `","x":{"a":"b"},"y":["z"]}`, []string{one}, false},
		{"nothing", "ecs", "DescribeServices", `"requestParameters":{"services":["b"]}`, nil, true},
		{"another bucket alone", "s3", "PutBucketInventory", `"requestParameters":{"bucketName":"in","InventoryConfiguration":{"Bucket":"` + out + `"}}`, []string{out}, true},
		{"both buckets", "s3", "PutBucketInventory", `"requestParameters":{"bucketName":"in","InventoryConfiguration":{"Bucket":"` + out + `"}},"resources":[{"type":"AWS::S3::Bucket","ARN":"` + in + `"}]`, []string{in, out}, false},
	} {
		a := newAggregate()
		addAll(t, a, Verified, rec("1", "2026-03-02T10:00:00Z", tt.source, tt.call, ","+tt.record))
		u := of(t, a, testRole).Uses[0]
		if !slices.Equal(u.Resources, tt.arns) || u.More != tt.more {
			t.Errorf("%s: got %v and more %t, want %v and %t", tt.name, u.Resources, u.More, tt.arns, tt.more)
		}
	}
}
