// Package bucket is S3 general purpose buckets: their configuration, reads, writes,
// events and controls.
package bucket

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3"
)

// Name is the CloudFormation type name.
const Name = "AWS::S3::Bucket"

// Type is S3 general purpose buckets.
func Type() resource.Type {
	return resource.Define(resource.Spec[Bucket]{
		Name:       Name,
		ARN:        func(partition, _, _, id string) dera.ARN { return ARNOf(partition, id) },
		SampleIDs:  []string{"a1b", "logs.example.com", "zz-quite-another-name-9"},
		Identify:   func(b *Bucket) (id, name string, tags map[string]string) { return b.Name, b.Name, b.Tags },
		Operations: operations(),
		Parts:      Parts(),
		Canon:      (*Bucket).Canon,
		Brief: func(b *Bucket) *Bucket {
			brief := *b
			brief.Tags, brief.Website = nil, false
			brief.Unread = slices.DeleteFunc(slices.Clone(b.Unread), func(p string) bool { return p == PartTags || p == PartWebsite || p == PartOrigins })
			return &brief
		},
		Attached: func(b *Bucket) (out []string) {
			for _, o := range b.Origins {
				out = append(out, "CloudFront distribution "+o)
			}
			for _, p := range b.pointsInOrder() {
				out = append(out, "access point "+p.Name)
			}
			return out
		},
		// S3 user guide, "Download and upload objects with presigned URLs".
		Note: "AWS services and named external principals that relied on public access lose it; the bucket's own account, or its " +
			"organisation where one is configured, keeps it. Presigned URLs keep the rights of whoever signed them.",
		Rebase:  rebase,
		Under:   []string{s3.AccountBlockName},
		Tag:     tag,
		Declare: declare,
		Redact:  redact,
		Events:  Events(), History: History,
	})
}

func operations() []resource.Operator[Bucket] {
	policyEvents := []string{"PutBucketPolicy", "DeleteBucketPolicy"}
	ofPolicy := func(in BucketPolicyInput) (string, error) { return in.Bucket, nil }
	return []resource.Operator[Bucket]{
		resource.Op(resource.OpSpec[Bucket, BucketPolicyInput]{
			OperationType: resource.OperationType{Name: PutBucketPolicy, Whole: true, Rivals: policyEvents, Denies: resource.DeniesByResource},
			Of:            ofPolicy, Took: tookPolicy,
			Apply: func(b *Bucket, in BucketPolicyInput) { b.Policy = in.Policy },
			Refuse: func(b *Bucket, in BucketPolicyInput) error {
				next := *b
				next.Policy = in.Policy
				return next.policyAllowed()
			},
		}),
		resource.Op(resource.OpSpec[Bucket, BucketPolicyInput]{
			OperationType: resource.OperationType{Name: DeleteBucketPolicy, Whole: true, Rivals: policyEvents, Denies: resource.DeniesByResource},
			Of:            ofPolicy, Took: tookPolicy,
			Apply: func(b *Bucket, _ BucketPolicyInput) { b.Policy = "" },
			Refuse: func(b *Bucket, _ BucketPolicyInput) error {
				if b.Policy == "" {
					return fmt.Errorf("bucket %s has no policy", b.Name)
				}
				return nil
			},
		}),
		resource.Op(resource.OpSpec[Bucket, BucketACLInput]{
			OperationType: resource.OperationType{Name: PutBucketACL, Whole: true, Rivals: []string{"PutBucketAcl"}, Denies: resource.DeniesWithin},
			Took:          tookACL,
			Of:            func(in BucketACLInput) (string, error) { return in.Bucket, nil },
			Apply:         func(b *Bucket, in BucketACLInput) { b.Grants = in.Grants },
			Refuse:        func(b *Bucket, in BucketACLInput) error { return b.grantsAllowed(in.Grants) },
		}),
		resource.Op(resource.OpSpec[Bucket, BucketBlockInput]{
			OperationType: resource.OperationType{Name: PutBucketBlock, Whole: true, Rivals: []string{"PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock"}, Denies: resource.DeniesWithin},
			Took:          tookBlock,
			Of:            func(in BucketBlockInput) (string, error) { return in.Bucket, nil },
			Apply:         func(b *Bucket, in BucketBlockInput) { b.Block = in.Block },
		}),
		resource.Op(resource.OpSpec[Bucket, BucketTagsInput]{
			OperationType: resource.OperationType{Name: PutBucketTagging, Denies: resource.DeniesNothing},
			Of:            func(in BucketTagsInput) (string, error) { return in.Bucket, nil },
			Apply:         func(b *Bucket, in BucketTagsInput) { b.Tags = resource.Retag(b.Tags, in.Add, in.Remove) },
		}),
	}
}

// ARNOf names a bucket.
func ARNOf(partition, name string) dera.ARN { return dera.NewARN(partition, "s3", "", "", name) }

// ARN names the bucket, in the partition of its region. A policy is asked about
// this ARN: with the partition of another one nothing would be public.
func (b *Bucket) ARN() dera.ARN {
	return ARNOf(dera.PartitionOf(b.Region).ID, b.Name)
}

// Needs says what blocking all public access to the bucket could break, or what
// could not be read that would tell. Nothing means that it breaks nothing.
func (b *Bucket) Needs(ctx context.Context) []string {
	var out []string
	doc, err := b.Parsed()
	cut := false
	switch open, unsure := document.PublicStatements(ctx, s3.Target(b.ARN()), doc); {
	case err != nil:
		out = append(out, "its policy could not be read")
	case len(open) > 0:
		cut = true
		out = append(out, "its policy allows public access ("+open[0].Line+")")
	case unsure != "":
		out = append(out, unsure)
	default:
		// S3 takes more for public than what allows public access, and then also cuts
		// off the other accounts that the policy names.
		if deemed, why := s3.Public(doc); deemed != s3.DeemedPrivate {
			out = append(out, "S3 takes its policy for public, or may ("+strings.Join(why, "; ")+"), since it counts no denial and knows few condition keys")
			cut = true
		}
	}
	if who := s3.CutByBlock(doc, b.Owner); cut && len(who) > 0 {
		out = append(out, "RestrictPublicBuckets would cut off "+strings.Join(who, "; "))
	}
	if len(b.PublicGrants()) > 0 {
		out = append(out, "its ACL grants public access")
	}
	if !b.ACLsDisabled() {
		out = append(out, "ACLs are enabled, so that single objects may be public by an ACL of their own")
	}
	if b.Website {
		out = append(out, "it serves a static website")
	}
	if len(b.Origins) > 0 {
		out = append(out, "it is the origin of CloudFront "+strings.Join(b.Origins, ", "))
	}
	for _, p := range b.pointsInOrder() {
		if p.VPC != "" || p.Policy == "" {
			continue // S3 never takes it for public
		}
		point, err := policy.Parse(p.Policy)
		if deemed, why := s3.PublicAccessPoint(point); err != nil || deemed != s3.DeemedPrivate {
			out = append(out, "S3 takes the policy of access point "+p.String()+" for public, or may ("+strings.Join(why, "; ")+")")
		}
	}
	for _, part := range b.Unread {
		if part != PartTags {
			out = append(out, "its "+part+" could not be read")
		}
	}
	return out
}

// tag plans tags for a bucket: none where the bucket's own policy goes by
// tags, since a tag could then change who has access.
func tag(b *Bucket, tags map[string]string) (*dera.Change, error) {
	if doc, err := b.Parsed(); err != nil || byTags(doc) || !b.Read(PartTags, PartPolicy) {
		return nil, err
	}
	add, back, gone := resource.NewTags(b.Tags, tags)
	if len(add) == 0 {
		return nil, nil
	}
	c, err := resource.NewChange(PutBucketTagging, BucketTagsInput{Bucket: b.Name, Add: add}, nil, nil,
		PutBucketTagging, BucketTagsInput{Bucket: b.Name, Add: back, Remove: gone}, resource.TagDiff(b.Tags, add))
	c.Optional = true
	return &c, err
}

// byTags reports whether a policy decides by tags of principals, resources or
// requests.
func byTags(doc *policy.Document) bool {
	if doc == nil {
		return false
	}
	return slices.ContainsFunc(doc.Statements, func(st policy.Statement) bool {
		return slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool {
			key := strings.ToLower(c.Key)
			return strings.Contains(key, "tag/") || strings.Contains(key, "tagkeys")
		})
	})
}

// redact hides what can be secret in the input, before and after of a
// bucket's changes.
func redact(p dera.Plan) dera.Plan {
	var r document.Redactor
	p.Changes = slices.Clone(p.Changes)
	for i, c := range p.Changes {
		if c.Operation != PutBucketPolicy && c.Operation != DeleteBucketPolicy {
			continue
		}
		c.Input, c.Before, c.After = redactJSON(&r, c.Input), redactJSON(&r, c.Before), redactJSON(&r, c.After)
		if c.Undo != nil {
			undo := *c.Undo
			undo.Input = redactJSON(&r, undo.Input)
			c.Undo = &undo
		}
		p.Changes[i] = c
	}
	return p
}
