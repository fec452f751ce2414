// Package bucket is S3 general purpose buckets: their configuration, reads, writes,
// events and controls.
package bucket

// Name is the CloudFormation type name.
const Name = "AWS::S3::Bucket"
