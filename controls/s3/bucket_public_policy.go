// Package s3 holds the controls on S3 buckets and accounts.
package s3

import (
	"context"
	"slices"
	"strings"

	"dera"
	"dera/control"
	"dera/iam/policy"
	"dera/resource"
)

// BucketPublicPolicy finds buckets whose policy lets strangers in.
func BucketPublicPolicy() control.Control {
	return control.Define(control.Spec[*resource.Bucket]{
		Meta: control.Meta{
			ID:       "s3-bucket-public-policy",
			Title:    "A bucket policy lets strangers in",
			Type:     resource.BucketType,
			Severity: dera.Critical,
			Why: "Whoever finds the bucket's name can read what lies in it, or write to it. Names are guessed and listed all the time, " +
				"and most leaks of data from S3 began with such a policy.",
			Fix: "The statements that let strangers in go out of the policy; every other byte of it stays. With the last statement the " +
				"policy goes.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "a statement lets in a caller of whom nothing is known, decided for every request that there can be, conditions included", Disposition: dera.Auto, Because: "the statement can be dropped and put back"},
				{When: "the bucket serves a static website or is the origin of a CloudFront distribution, or that or its tags could not be read", Disposition: dera.Review, Because: "it may be public on purpose"},
				{When: "BlockPublicPolicy is on although RestrictPublicBuckets is not", Disposition: dera.Review, Because: "S3 would not take the policy back"},
			},
			Refs:     refs("S3.2, S3.3", "S3_BUCKET_PUBLIC_READ_PROHIBITED, S3_BUCKET_PUBLIC_WRITE_PROHIBITED"),
			Reads:    bucketReads(),
			Writes:   []string{resource.PutBucketPolicy, resource.DeleteBucketPolicy},
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: checkPolicy,
		Plan: func(b *resource.Bucket, failures []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			doc, err := b.Parsed()
			if err != nil {
				return nil, cannotPlan(err)
			}
			open, _ := resource.PublicStatements(context.Background(), b.ARN(), doc)
			var drop []int
			for _, o := range open {
				if hasKey(failures, policyKey(o.Writes)) {
					drop = append(drop, o.Index)
				}
			}
			c, err := b.DropStatements(drop)
			if err != nil {
				return nil, cannotPlan(err)
			}
			return []dera.Change{c}, nil
		},
		Prove: func(b *resource.Bucket, failures []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			return control.ProveBucket(b, keys(failures), changes)
		},
	})
}

func policyKey(writes bool) string {
	if writes {
		return control.PolicyWrite
	}
	return control.PolicyRead
}

func checkPolicy(b *resource.Bucket, _ control.Settings) control.Result {
	if !b.Read(resource.PartPolicy) {
		return judged(nil, "dera was not let read the bucket policy")
	}
	doc, err := b.Parsed()
	if err != nil {
		return judged(nil, err.Error())
	}
	open, unsure := resource.PublicStatements(context.Background(), b.ARN(), doc)
	if b.Blocked().RestrictedBuckets && len(open) > 0 {
		// What S3 takes for public is cut down to the account itself, all of it.
		if public, _ := resource.DeemedPublic(context.Background(), doc); public {
			return control.Result{Outcome: control.Pass}
		}
	}
	var failures []control.Failure
	for _, writes := range []bool{false, true} {
		var lines, actions []string
		for _, o := range open {
			if o.Writes == writes {
				lines = append(lines, "“"+o.Line+"”")
				actions = append(actions, granted(doc.Statements[o.Index])...)
			}
		}
		if len(lines) == 0 {
			continue
		}
		f := control.Failure{
			Key: policyKey(writes), Severity: dera.High, Permissions: slices.Compact(sorted(actions)), Title: "The bucket policy lets strangers read",
			Why: "Anybody is let in by " + strings.Join(lines, ", ") + ".",
		}
		if writes {
			f.Severity, f.Title = dera.Critical, "The bucket policy lets strangers write or more"
		}
		failures = append(failures, lowered(b, f, b.Blocked().PublicPolicy))
	}
	return judged(failures, unsure)
}

// granted are the actions of a statement as written; of NotAction nobody lists
// them.
func granted(st policy.Statement) []string {
	if len(st.NotActions) > 0 {
		return []string{"*"}
	}
	return st.Actions
}
