package bucket

import "dera.example/dera/resource"

// Operations are the writes of a bucket.
func Operations() []resource.OperationType {
	policy := []string{"PutBucketPolicy", "DeleteBucketPolicy"}
	return []resource.OperationType{
		{Name: resource.PutBucketPolicy, Version: 1, Whole: true, Rivals: policy},
		{Name: resource.DeleteBucketPolicy, Version: 1, Whole: true, Rivals: policy},
		{Name: resource.PutBucketACL, Version: 1, Whole: true, Rivals: []string{"PutBucketAcl"}},
		{Name: resource.PutBucketBlock, Version: 1, Whole: true, Rivals: []string{"PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock"}},
		{Name: resource.PutBucketTagging, Version: 1, Whole: true},
	}
}
