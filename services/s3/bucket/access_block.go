package bucket

import (
	"context"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3"
)

// BucketAccessBlock finds buckets that no full public access block protects.
func BucketAccessBlock() control.Control {
	return control.Define(control.Spec[*Bucket]{
		Meta: control.Meta{
			ID:         "s3-bucket-access-block",
			Title:      "Bucket does not block all public access",
			Type:       Name,
			Severity:   dera.Medium,
			Why:        "Without the block, one wrong policy or ACL makes the bucket public at once.",
			Fix:        "All four settings of the bucket's block are switched on.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "a setting is off for the bucket and for its account, and nothing depends on public access: no public statement or grant, ACLs disabled, no website, no CloudFront distribution, and S3 takes neither the policy nor that of an access point for public", Disposition: dera.Auto, Because: "nobody who has access now loses it"},
				{When: "something may depend on public access, or could not be read", Disposition: dera.Review, Because: "the block could cut it off"},
				{When: "S3 takes the policy for public although it grants access to named principals only (aws:PrincipalAccount and other keys that are not on its list, a KMS key, a denial), or may", Disposition: dera.Review, Because: "RestrictPublicBuckets then cuts off every other account that the policy names; they are listed"},
			},
			Refs:     s3.Refs("S3.8", "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED"),
			Reads:    s3.Reads(),
			Writes:   []string{PutBucketBlock},
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: func(b *Bucket, _ control.Settings) control.Result {
			off := b.Blocked().Off()
			if len(off) == 0 {
				return control.Result{Outcome: control.Pass}
			}
			if !b.Read(PartBlock) {
				return judged(nil, "dera lacks permission to read the public access block")
			}
			f := control.Failure{
				Key: s3.BlockKey, Start: dera.Auto, Severity: dera.Medium, Title: "Bucket does not block all public access",
				Why: "Off for the bucket and its account: " + strings.Join(off, ", ") + ".",
			}
			if needs := b.Needs(context.Background()); len(needs) > 0 {
				f.Start = dera.Review
				f.Why += " The block could break something: " + strings.Join(needs, "; ") + "."
			}
			if !b.Read(PartTags) {
				f.Start = dera.Review
				f.Why += " Its " + PartTags + " could not be read, by which guardrails know who else changes it."
			}
			return judged([]control.Failure{f}, "")
		},
		Plan: func(b *Bucket, _ []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			doc, err := b.Parsed()
			if err != nil {
				return nil, s3.CannotPlan(err)
			}
			open, unsure := document.PublicStatements(context.Background(), s3.Target(b.ARN()), doc)
			if len(open) > 0 || unsure != "" || len(b.PublicGrants()) > 0 {
				return nil, &control.Refusal{Code: "still-public", Why: "the policy or the ACL allows public access, or may; that comes first"}
			}
			c, err := b.SetBlock(s3.FullBlock())
			if err != nil {
				return nil, s3.CannotPlan(err)
			}
			return []dera.Change{c}, nil
		},
		Prove: func(b *Bucket, failures []control.Failure, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
			return ProveBucket(b, s3.Keys(failures), changes, s)
		},
	})
}
