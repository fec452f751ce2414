package bucket

import (
	"context"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/s3"
)

// ProveBucket makes the evidence for changes of a bucket. goals are the keys of
// the failures that they remove.
func ProveBucket(b *Bucket, goals []string, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
	config, err := Type().ApplyPlan(b, dera.Plan{Changes: changes})
	if err != nil {
		return dera.Evidence{}, err
	}
	after := config.(*Bucket)
	real := s3.Access{Bucket: b.ARN(), Goals: goals, Old: sideOf(b, b.Policy), New: sideOf(after, after.Policy)}
	if !real.New.Block.AtLeast(real.Old.Block) || real.New.Block != real.Old.Block {
		real.Needs = b.Needs(context.Background())
	}
	var hide document.Redactor
	redacted := real
	redacted.Old.Policy, redacted.New.Policy = hide.Text(b.Policy), hide.Text(after.Policy)
	for _, a := range []*s3.Access{&real, &redacted} {
		if a.Old.Policy != a.New.Policy {
			house := document.House{Account: b.Owner, Organization: s.Organization}
			a.House = &house
		}
		if err := a.Compare(); err != nil {
			return dera.Evidence{}, err
		}
	}
	if err := redacted.Certify(); err != nil {
		return dera.Evidence{}, err
	}
	// What holds of the stand-ins must hold of the texts themselves.
	if err := real.Certify(); err != nil {
		return dera.Evidence{}, err
	}
	if a, b := real.Claims(), redacted.Claims(); !slices.EqualFunc(a, b, func(x, y dera.Claim) bool { return x.Verdict == y.Verdict }) {
		return dera.Evidence{}, fmt.Errorf("prove the policy: %w", evidence.ErrHidden)
	}
	return redacted.Evidence()
}

func sideOf(b *Bucket, text string) s3.Side {
	return s3.Side{Policy: text, Grants: b.Grants, Block: b.Blocked()}
}
