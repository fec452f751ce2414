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
			Fix: "What lets the public in goes, and no more: “*” out of a list of principals, the wide range or value out of a condition; every other " +
				"byte of the policy stays. A statement for anybody alone is narrowed to the organisation that the configuration names (aws:PrincipalOrgID), " +
				"else to the bucket's own account (aws:PrincipalAccount), because its roles and users may have access by that statement only. Where " +
				"such a part goes out of a statement, it stays as a statement of its own. A statement goes only where others give the same.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "a statement lets in a caller of whom nothing is known, decided for every request that there can be, conditions included", Disposition: dera.Auto, Because: "nobody loses access but the public, with a proof, and it can be undone"},
				{When: "a statement names somebody beside anybody, and no single element can go that leaves them in", Disposition: dera.Review, Because: "only its owner knows which of them are meant"},
				{When: "a statement goes by aws:Referer or aws:UserAgent", Disposition: dera.Review, Because: "it is public, and often meant for a site"},
				{When: "a statement leaves the decision to access points, or an access point with a policy exists", Disposition: dera.Review, Because: "who comes through them depends on the statement; they are named"},
				{When: "the bucket serves a static website or is the origin of a CloudFront distribution, or that, its access points or its tags could not be read", Disposition: dera.Review, Because: "it may be public on purpose"},
				{When: "BlockPublicPolicy is on although RestrictPublicBuckets is not", Disposition: dera.Review, Because: "S3 would not take the policy back"},
			},
			Refs:     refs("S3.2, S3.3", "S3_BUCKET_PUBLIC_READ_PROHIBITED, S3_BUCKET_PUBLIC_WRITE_PROHIBITED"),
			Reads:    bucketReads(),
			Writes:   []string{resource.PutBucketPolicy, resource.DeleteBucketPolicy},
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: checkPolicy,
		Plan: func(b *resource.Bucket, failures []control.Failure, s control.Settings) ([]dera.Change, *control.Refusal) {
			doc, err := b.Parsed()
			if err != nil {
				return nil, cannotPlan(err)
			}
			open, _ := resource.PublicStatements(context.Background(), b.ARN(), doc)
			n := narrowing{bucket: b, house: s.House(b)}
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
				return nil, cannotPlan(err)
			}
			return []dera.Change{c}, nil
		},
		Prove: func(b *resource.Bucket, failures []control.Failure, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
			return control.ProveBucket(b, keys(failures), changes, s)
		},
	})
}

func policyKey(writes bool) string {
	if writes {
		return control.PolicyWrite
	}
	return control.PolicyRead
}

// narrowing is what is found about the public statements of one plan.
type narrowing struct {
	bucket     *resource.Bucket
	house      resource.House
	cuts       []resource.PublicCut
	doubts     []string
	impossible string
}

func (n *narrowing) look(doc *policy.Document, index int) {
	cut, doubts, impossible := n.bucket.CutPublic(context.Background(), doc, index, n.house)
	n.cuts = append(n.cuts, cut)
	for _, d := range doubts {
		if !slices.Contains(n.doubts, d) {
			n.doubts = append(n.doubts, d)
		}
	}
	if n.impossible == "" {
		n.impossible = impossible
	}
}

// lower lowers a failure where a person has to decide.
func (n *narrowing) lower(f control.Failure) control.Failure {
	why := n.doubts
	switch {
	case n.impossible != "":
		why = append(why, "It cannot be narrowed without a decision: "+n.impossible+".")
	case f.Start == dera.Auto && len(why) == 0:
		if _, err := n.bucket.Narrow(n.cuts, n.house); err != nil {
			why = append(why, "It cannot be narrowed: "+err.Error()+".")
		}
	}
	if len(why) > 0 {
		f.Start = dera.Review
		f.Why += " " + strings.Join(why, " ")
	}
	if n.impossible == "" && n.house.Organization == "" {
		f.Why += " After the fix it is still public by S3's own definition where aws:PrincipalAccount holds a statement to the account, because that key is not " +
			"on S3's list: the public access block then waits for a person. With organization in the configuration aws:PrincipalOrgID is used, which is on it."
	}
	return f
}

func checkPolicy(b *resource.Bucket, s control.Settings) control.Result {
	if !b.Read(resource.PartPolicy) {
		return judged(nil, "dera was not let read the bucket policy")
	}
	doc, err := b.Parsed()
	if err != nil {
		return judged(nil, err.Error())
	}
	open, unsure := resource.PublicStatements(context.Background(), b.ARN(), doc)
	if b.Blocked().RestrictedBuckets && len(open) > 0 {
		// What S3 takes for public is cut down to the account itself, all of it. In
		// doubt the block does not help.
		if deemed, _ := resource.S3Public(doc); deemed == resource.DeemedPublic {
			return control.Result{Outcome: control.Pass}
		}
	}
	var failures []control.Failure
	for _, writes := range []bool{false, true} {
		var lines, actions []string
		n := narrowing{bucket: b, house: s.House(b)}
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
			Key: policyKey(writes), Severity: dera.High, Permissions: slices.Compact(sorted(actions)), Title: "The bucket policy lets strangers read",
			Why: "Anybody is let in by " + strings.Join(lines, ", ") + ".",
		}
		if writes {
			f.Severity, f.Title = dera.Critical, "The bucket policy lets strangers write or more"
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
