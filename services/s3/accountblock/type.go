// Package accountblock is the S3 public access block of an account: its
// configuration, reads, writes, events and controls.
package accountblock

// Name is the type name that AWS Config uses.
const Name = "AWS::S3::AccountPublicAccessBlock"
