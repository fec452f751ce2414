package wire

import (
	"context"

	"dera.example/dera/cloud"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/policy"
	iamwire "dera.example/dera/services/iam/wire"
)

// readAttached reads who has the policy, also as the permissions boundary, as the listing
// tells them: without their paths, as if they had none. Of the users that have it by a
// group the holders tell.
func readAttached(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	has, err := iamwire.EntitiesOf(ctx, r, string(x.ARN))
	if err != nil {
		return err
	}
	c := config(x)
	arn := func(e iamwire.Named) string { return string(e.Kind.ARN(x.Partition, x.Account, "/", e.Name)) }
	for _, e := range has.Attached {
		c.Holders = append(c.Holders, own.Holder{ARN: arn(e), Kind: e.Kind, Name: e.Name})
	}
	for _, e := range has.Boundary {
		c.BoundaryOf = append(c.BoundaryOf, arn(e))
	}
	return nil
}

// readHolders reads what else those may do that have the policy. An error is about them
// and not about the policy.
func readHolders(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	has, err := iamwire.EntitiesOf(ctx, r, string(x.ARN))
	if err == nil {
		var book iamwire.Book
		if book, err = iamwire.BookFor(ctx, r, has); err == nil {
			err = hold(ctx, book, x, has)
		}
	}
	if err != nil {
		lose(r, x, err)
	}
	return nil
}

// hold fills in who has a policy, with what else they may do. Of more than are read it
// says how many they are, and of each only who it is.
func hold(ctx context.Context, b iamwire.Book, x *cloud.Item, has iamwire.Entities) error {
	c, arn := config(x), string(x.ARN)
	who, boundaryOf, err := b.Expand(ctx, arn, has)
	if err != nil {
		return err
	}
	holders, tooMany, err := b.Holders(ctx, who, func(_, has string) bool { return has == arn })
	if err != nil {
		return err
	}
	if tooMany > 0 {
		lose(b.Reading, x, nil)
	}
	c.Holders, c.TooMany, c.BoundaryOf = holders, tooMany, boundaryOf
	c.Sort()
	return nil
}

// lose notes that it is not known who has the policy, or what else they may do, so that
// the ledger cannot be asked for them.
func lose(r *cloud.Reading, x *cloud.Item, err error) {
	x.Lost(policy.PartHolders, err)
	_ = iamwire.Unheld(r, x, true)
}
