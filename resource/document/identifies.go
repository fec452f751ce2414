package document

import (
	"strings"
)

// Identifies reports whether a key is one of the keys of the page, and those beside them that tell who or
// where a caller is.
func Identifies(key string) bool {
	for _, prefix := range []string{"aws:principal", "aws:source", "aws:vpce"} {
		if strings.HasPrefix(key, prefix) && !strings.HasPrefix(key, "aws:principaltag") {
			return true
		}
	}
	return OnS3List(key)
}

// OnS3List reports whether S3 takes a policy with a condition on the key for not
// public (S3 user guide, "Blocking public access to your Amazon S3 storage").
func OnS3List(key string) bool {
	switch key {
	case "aws:principalorgid", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount", "aws:userid",
		"s3:dataaccesspointarn", "s3:dataaccesspointaccount", KMSKeyID:
		return true
	}
	return false
}

// KMSKeyID is the condition key of the KMS key of an object.
const KMSKeyID = "s3:x-amz-server-side-encryption-aws-kms-key-id"
