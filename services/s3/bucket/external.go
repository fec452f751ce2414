package bucket

import (
	"context"

	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
)

// originAccess stands for an account in the ARN of a CloudFront origin access identity,
// which is the account's own.
const originAccess = "cloudfront"

// Outsiders finds those to whom the statement gives access, without those whom
// trusted knows. What the policy's denials take back does not count; in doubt it does.
func (b *Bucket) Outsiders(ctx context.Context, doc *policy.Document, index int, trusted func(id string) bool) []document.Outsider {
	return document.Outsiders(ctx, doc, index, document.Own{Account: b.Owner, Canonical: b.OwnerID, Alias: originAccess}, trusted)
}
