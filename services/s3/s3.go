// Package s3 is what the resource types of S3 share: public access blocks, ACL
// grants, what S3 takes for public, and the evidence about who has access.
package s3

// AccountBlock is the name of the type of an account's public access block, which
// stands above its buckets.
const AccountBlock = "AWS::S3::AccountPublicAccessBlock"
