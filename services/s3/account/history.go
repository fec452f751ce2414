package account

import (
	"cmp"
	"context"
	"slices"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
	"dera.example/dera/services/s3"
)

// bucketType is the type of the resources that depend on the block.
const bucketType = "AWS::S3::Bucket"

// dependent is a bucket, which says what of it needs public access.
type dependent interface {
	Needs(ctx context.Context) []string
}

// history is what the blocks were set to.
type history struct{ s3.Blocks }

var _ resource.History = history{}

// History returns an empty history of account blocks.
func History() resource.History { return history{s3.Blocks{}} }

// Read implements resource.History. Buckets that no event names may depend on
// public access too.
func (h history) Read(ctx context.Context, scope dera.Scope, near resource.Near) (found []dera.Resource, missing []string) {
	known := h.Blocks[scope.Account]
	if known == nil || !scope.Sweep() && !slices.Contains(scope.IDs, scope.Account) {
		return nil, nil
	}
	c := &AccountBlock{Account: scope.Account, Block: known.Block}
	for _, r := range near(ctx, dera.Scope{Partition: scope.Partition, Account: scope.Account, Region: dera.EveryRegion, Type: bucketType}) {
		c.Buckets++
		why := []string{"it is not known what it needs"}
		if b, ok := r.Config.(dependent); ok {
			why = b.Needs(ctx)
		}
		if len(why) > 0 {
			c.Dependents = append(c.Dependents, Dependent{Bucket: r.ID, Region: r.Region, Why: why})
		}
	}
	slices.SortFunc(c.Dependents, func(a, b Dependent) int { return cmp.Compare(a.Bucket, b.Bucket) })
	c.Dependents = append(c.Dependents, Dependent{Bucket: "(others)", Region: "any region", Why: []string{"buckets that no recorded event names are not known"}})
	return []dera.Resource{{
		ARN: ARNOf(scope.Partition, scope.Account), Region: dera.GlobalRegion, ID: scope.Account, Name: "S3", Config: c,
	}}, nil
}

// Origin implements resource.History.
func (h history) Origin(config any) (*resource.Origin, []string) {
	if c, ok := config.(*AccountBlock); ok {
		if known := h.Blocks[c.Account]; known != nil {
			return &known.Origin, nil
		}
	}
	return nil, nil
}

// Turn implements resource.History.
func (history) Turn(cloudtrail.Call, []cloudtrail.Call) resource.Turn { return resource.TurnAny }

// Possible implements resource.History: a block can be put and deleted at any time.
func (history) Possible(cloudtrail.Call) bool { return true }

// Copy implements resource.History.
func (h history) Copy(of []resource.Mark) resource.History { return history{h.Blocks.Copy(of)} }
