package controltest

import (
	"dera.example/dera"
	"dera.example/dera/resource"
)

// kind is what the laws need to know of a resource type.
type kind struct {
	decode func([]byte) (any, error)
	// orders are the same configuration with its parts listed otherwise.
	orders func(config any) []any
	// stamp gives the parts without an ID one, as AWS does.
	stamp func(config any, id string) any
	// surgical says of everything that the plan changed beyond its diff.
	surgical func(t TB, before, after any, p dera.Plan)
	// between: no state of the way lets in more than the first one, nor less than
	// the last.
	between func(t TB, states []any)
	// same reports whether two configurations let in the same.
	same func(t TB, a, b any) bool
	// bodies are forgeries of the body of evidence.
	bodies func(t TB, ev dera.Evidence) []bentBody
}

// bentBody is a body that states what is not so.
type bentBody struct {
	how  string
	body any
}

func kindOf(t TB, typ string) kind {
	t.Helper()
	switch typ {
	case resource.SecurityGroupType:
		return kind{decodeGroup, groupOrders, stampGroup, surgicalGroup, betweenGroups, sameGroup, groupBodies}
	case resource.BucketType:
		return kind{decodeBucket, bucketOrders, unstamped, surgicalBucket, betweenBuckets, sameBucket, accessBodies}
	case resource.AccountBlockType:
		return kind{decodeAccountBlock, accountBlockOrders, unstamped, surgicalAccountBlock, betweenAccountBlocks, sameAccountBlock, accessBodies}
	}
	t.Fatalf("the laws do not know the resource type %q yet: give controltest a kind for it", typ)
	return kind{}
}

// unstamped is for resources whose parts have no IDs.
func unstamped(config any, _ string) any { return config }

func nameOf(r *dera.Resource) {
	switch c := r.Config.(type) {
	case *resource.SecurityGroup:
		r.ID, r.Name, r.Tags = c.ID, c.Name, c.Tags
		r.ARN = dera.NewARN(r.Partition, "ec2", r.Region, r.Account, "security-group/"+c.ID)
	case *resource.Bucket:
		r.ID, r.Name, r.Tags = c.Name, c.Name, c.Tags
		r.ARN = resource.BucketARN(r.Partition, c.Name)
	case *resource.AccountBlock:
		r.ID, r.Region = c.Account, dera.GlobalRegion
		r.ARN = resource.AccountBlockARN(r.Partition, c.Account)
	}
}
