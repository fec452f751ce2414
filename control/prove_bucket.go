package control

import (
	"context"
	"errors"
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// ProveBucket makes the evidence for changes of a bucket. goals are the keys of
// the failures that they remove.
func ProveBucket(b *resource.Bucket, goals []string, changes []dera.Change, s Settings) (dera.Evidence, error) {
	config, err := resource.BucketTypeOf().ApplyPlan(b, dera.Plan{Changes: changes})
	if err != nil {
		return dera.Evidence{}, err
	}
	after := config.(*resource.Bucket)
	real := Access{Bucket: b.ARN(), Goals: goals, Old: side(b, b.Policy), New: side(after, after.Policy)}
	if !real.New.Block.AtLeast(real.Old.Block) || real.New.Block != real.Old.Block {
		real.Needs = b.Needs(context.Background())
	}
	var hide resource.Redactor
	redacted := real
	redacted.Old.Policy, redacted.New.Policy = hide.Text(b.Policy), hide.Text(after.Policy)
	for _, a := range []*Access{&real, &redacted} {
		if a.Old.Policy != a.New.Policy {
			house := resource.House{Account: b.Owner, Organization: s.Organization}
			a.House = &house
		}
		if err := a.compare(); err != nil {
			return dera.Evidence{}, err
		}
	}
	if err := redacted.certify(); err != nil {
		return dera.Evidence{}, err
	}
	// What holds of the stand-ins must hold of the texts themselves.
	if err := real.certify(); err != nil {
		return dera.Evidence{}, err
	}
	if a, b := real.claims(), redacted.claims(); !slices.EqualFunc(a, b, func(x, y dera.Claim) bool { return x.Verdict == y.Verdict }) {
		return dera.Evidence{}, errors.New("what is proved of the policy does not hold without the values that can be secret")
	}
	return redacted.Evidence()
}

func side(b *resource.Bucket, text string) Side {
	return Side{Policy: text, Grants: b.Grants, Block: b.Blocked()}
}
