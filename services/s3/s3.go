// Package s3 is what the resource types of S3 share: public access blocks, ACL
// grants, what S3 takes for public, and the evidence about who has access.
package s3

// AccountBlockName is the name of the type of an account's public access block, which
// stands above its buckets.
const AccountBlockName = "AWS::S3::AccountPublicAccessBlock"

// PartAccountBlock is that block as a part of each bucket of the account.
const PartAccountBlock = "account public access block"
