package cloud

import (
	"context"

	"dera.example/dera"
	"dera.example/dera/resource/role"
)

// Canary is how resources of a type are made and opened on purpose, to see how fast they are closed.
type Canary struct {
	// Make, Open, Close and Delete are the operations, and Opens is what Open does, as a line of a diff.
	Make, Open, Close, Delete, Opens string
	// ARN is that of a canary.
	ARN func(partition, account, region, id string) dera.ARN
	// Policy is what the role of canaries needs in an account, "" for any.
	Policy func(partition, account string) role.Policy
	// New returns those of an account and region, into which the client gets by that role.
	New func(c *Client, account, region string) Canaries
}

// Canaries are the canaries of an account and region: resources that carry their tag. Each write is one
// request, whose ID at AWS is returned; errors are those of this package.
type Canaries interface {
	// Left are the IDs of all with the tag.
	Left(ctx context.Context) ([]string, error)
	// Make makes one in a VPC, "" for the default one.
	Make(ctx context.Context, vpc, run string) (id, requestID string, err error)
	// Attached is what uses one.
	Attached(ctx context.Context, id string) ([]string, error)
	// Open opens it to the internet; Opened reports whether it is.
	Open(ctx context.Context, id string) (requestID string, err error)
	Opened(ctx context.Context, id string) (bool, error)
	// Close takes back whatever opens it, and Delete deletes it; neither fails where there is nothing to do.
	Close(ctx context.Context, id string) (requestID string, err error)
	Delete(ctx context.Context, id string) (requestID string, err error)
}
