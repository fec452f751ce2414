// Package s3 holds the controls on S3 buckets and accounts.
package bucket

import (
	"context"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3"
)

// BucketPublicPolicy finds buckets whose policy allows public access.
func BucketPublicPolicy() control.Control {
	return control.Define(control.Spec[*Bucket]{
		Meta: control.Meta{
			ID:       "s3-bucket-public-policy",
			Title:    "Bucket policy allows public access",
			Type:     Name,
			Severity: dera.Critical,
			Why: "Whoever finds the bucket's name can read what lies in it, or write to it. Names are guessed and listed all the time, " +
				"and most leaks of data from S3 began with such a policy.",
			Fix: "Public access is removed and nothing else: “*” from a list of principals, the wide range or value from a condition; every other " +
				"byte of the policy stays. A statement for everyone alone is narrowed to the organisation that the configuration names (aws:PrincipalOrgID), " +
				"or else to the bucket's own account (aws:PrincipalAccount), because its roles and users may have access through that statement only. When an " +
				"element is removed, that part stays as a statement of its own. A whole statement is removed only where other statements grant the same.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "a statement grants access to a caller of whom nothing is known, decided for every request that there can be, conditions included", Disposition: dera.Auto, Because: "only public access is removed, with a proof, and it can be undone"},
				{When: "a statement also names someone, and no single element can be removed that leaves their access", Disposition: dera.Review, Because: "only its owner knows which of them are meant"},
				{When: "a statement goes by aws:Referer or aws:UserAgent", Disposition: dera.Review, Because: "it is public, and often meant for a site"},
				{When: "a statement lets objects be written below AWSLogs/, or with full control for the bucket's owner", Disposition: dera.Review, Because: "services of AWS deliver logs that way, and come as everyone"},
				{When: "a statement leaves the decision to access points, or an access point with a policy exists", Disposition: dera.Review, Because: "access through them depends on the statement; they are named"},
				{When: "the bucket serves a static website or is the origin of a CloudFront distribution, or that, its access points or its tags could not be read", Disposition: dera.Review, Because: "it may be public on purpose"},
				{When: "BlockPublicPolicy is on although RestrictPublicBuckets is not", Disposition: dera.Review, Because: "S3 would not take the policy back"},
			},
			Refs:     s3.Refs("S3.2, S3.3", "S3_BUCKET_PUBLIC_READ_PROHIBITED, S3_BUCKET_PUBLIC_WRITE_PROHIBITED"),
			Reads:    s3.Reads(),
			Writes:   []string{PutBucketPolicy, DeleteBucketPolicy},
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: checkPolicy,
		Plan: func(b *Bucket, failures []control.Failure, s control.Settings) ([]dera.Change, *control.Refusal) {
			doc, err := b.Parsed()
			if err != nil {
				return nil, s3.CannotPlan(err)
			}
			open, _ := document.PublicStatements(context.Background(), s3.Target(b.ARN()), doc)
			n := narrowing{bucket: b, house: document.House{Account: b.Owner, Organization: s.Organization}, accounts: s.Accounts}
			for _, o := range open {
				if hasKey(failures, policyKey(o.Writes)) {
					n.look(doc, o.Index)
				}
			}
			if n.impossible != "" {
				return nil, &control.Refusal{Code: "cannot-narrow", Why: n.impossible}
			}
			c, err := b.Narrow(n.cuts, n.house)
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

func policyKey(writes bool) string {
	if writes {
		return s3.PolicyWrite
	}
	return s3.PolicyRead
}

func checkPolicy(b *Bucket, s control.Settings) control.Result {
	if !b.Read(PartPolicy) {
		return judged(nil, "dera lacks permission to read the bucket policy")
	}
	doc, err := b.Parsed()
	if err != nil {
		return judged(nil, err.Error())
	}
	open, unsure := document.PublicStatements(context.Background(), s3.Target(b.ARN()), doc)
	if b.Blocked().RestrictedBuckets && len(open) > 0 {
		// What S3 takes for public is cut down to the account itself, all of it. In
		// doubt the block does not help.
		if deemed, _ := s3.Public(doc); deemed == s3.DeemedPublic {
			return control.Result{Outcome: control.Pass}
		}
	}
	var failures []control.Failure
	for _, writes := range []bool{false, true} {
		var lines, actions []string
		n := narrowing{bucket: b, house: document.House{Account: b.Owner, Organization: s.Organization}, accounts: s.Accounts}
		for _, o := range open {
			if o.Writes == writes {
				n.look(doc, o.Index)
				lines = append(lines, "“"+o.Line+"”")
				actions = append(actions, granted(doc.Statements[o.Index])...)
			}
		}
		if len(lines) == 0 {
			continue
		}
		f := control.Failure{
			Key: policyKey(writes), Severity: dera.High, Permissions: slices.Compact(s3.Sorted(actions)), Title: "Bucket policy allows public read access",
			Why: "Public access is allowed by " + strings.Join(lines, ", ") + ".",
		}
		if writes {
			f.Severity, f.Title = dera.Critical, "Bucket policy allows public write access"
		}
		failures = append(failures, n.lower(lowered(b, f, b.Blocked().PublicPolicy)))
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
