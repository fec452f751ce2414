package awssim

import "net/http"

// newS3 returns the bucket operations of S3. Beside each stands the action that a caller must be allowed on the bucket,
// the name that CloudTrail gives it if that is another, and the parameters it accepts; any other is refused.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
func newS3() service {
	const owner = "x-amz-expected-bucket-owner"
	const grants = " x-amz-acl x-amz-grant-read x-amz-grant-write x-amz-grant-read-acp x-amz-grant-write-acp x-amz-grant-full-control"
	ops := map[string]operation{
		"ListBuckets": {
			run: listBuckets, action: "s3:ListAllMyBuckets", readOnly: true,
			accepts: "max-buckets continuation-token prefix bucket-region",
		},
		"CreateBucket": {
			run: createBucket, action: "s3:CreateBucket", more: createBucketActions, home: newBucketHome,
			accepts: "x-amz-object-ownership" + grants,
		},
		"DeleteBucket":      {run: deleteBucket, action: "s3:DeleteBucket"},
		"HeadBucket":        {run: headBucket, action: "s3:ListBucket", readOnly: true, data: true},
		"GetBucketLocation": {run: getBucketLocation, action: "s3:GetBucketLocation", readOnly: true},

		"GetBucketPolicy":       {run: getBucketPolicy, action: "s3:GetBucketPolicy", readOnly: true},
		"PutBucketPolicy":       {run: putBucketPolicy, action: "s3:PutBucketPolicy", accepts: "x-amz-confirm-remove-self-bucket-access"},
		"DeleteBucketPolicy":    {run: deleteBucketPolicy, action: "s3:DeleteBucketPolicy"},
		"GetBucketPolicyStatus": {run: getBucketPolicyStatus, action: "s3:GetBucketPolicyStatus", readOnly: true},

		"GetBucketAcl": {run: getBucketACL, action: "s3:GetBucketAcl", readOnly: true},
		"PutBucketAcl": {run: putBucketACL, action: "s3:PutBucketAcl", accepts: grants},

		"GetPublicAccessBlock":    {run: getPublicAccessBlock, action: "s3:GetBucketPublicAccessBlock", event: "GetBucketPublicAccessBlock", readOnly: true},
		"PutPublicAccessBlock":    {run: putPublicAccessBlock, action: "s3:PutBucketPublicAccessBlock", event: "PutBucketPublicAccessBlock"},
		"DeletePublicAccessBlock": {run: deletePublicAccessBlock, action: "s3:PutBucketPublicAccessBlock", event: "DeleteBucketPublicAccessBlock"},

		"GetBucketOwnershipControls":    {run: getOwnership, action: "s3:GetBucketOwnershipControls", readOnly: true},
		"PutBucketOwnershipControls":    {run: putOwnership, action: "s3:PutBucketOwnershipControls"},
		"DeleteBucketOwnershipControls": {run: deleteOwnership, action: "s3:PutBucketOwnershipControls"},

		"GetBucketTagging":    {run: getBucketTagging, action: "s3:GetBucketTagging", readOnly: true},
		"PutBucketTagging":    {run: putBucketTagging, action: "s3:PutBucketTagging"},
		"DeleteBucketTagging": {run: deleteBucketTagging, action: "s3:PutBucketTagging"},

		"GetBucketWebsite":    {run: getBucketWebsite, action: "s3:GetBucketWebsite", readOnly: true},
		"PutBucketWebsite":    {run: putBucketWebsite, action: "s3:PutBucketWebsite"},
		"DeleteBucketWebsite": {run: deleteBucketWebsite, action: "s3:DeleteBucketWebsite"},

		"GetBucketVersioning": {run: getBucketVersioning, action: "s3:GetBucketVersioning", readOnly: true},
	}
	for name, op := range ops {
		if name != "ListBuckets" {
			op.resources = onBucket
			op.accepts += " Bucket " + owner
		}
		op.request = s3Trail
		ops[name] = op
	}
	return service{protocol: s3Protocol{}, operations: ops}
}

// s3Subresources are the operations that a word of the query chooses, by method. A new bucket's own are under "".
func s3Subresources() map[string]map[string]string {
	three := func(get, put, remove string) map[string]string {
		return map[string]string{http.MethodGet: get, http.MethodPut: put, http.MethodDelete: remove}
	}
	one := func(get string) map[string]string { return map[string]string{http.MethodGet: get} }
	return map[string]map[string]string{
		"":                  {http.MethodPut: "CreateBucket", http.MethodDelete: "DeleteBucket", http.MethodHead: "HeadBucket", http.MethodGet: "ListObjects"},
		"location":          one("GetBucketLocation"),
		"policy":            three("GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"),
		"policyStatus":      one("GetBucketPolicyStatus"),
		"acl":               {http.MethodGet: "GetBucketAcl", http.MethodPut: "PutBucketAcl"},
		"publicAccessBlock": three("GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock"),
		"ownershipControls": three("GetBucketOwnershipControls", "PutBucketOwnershipControls", "DeleteBucketOwnershipControls"),
		"tagging":           three("GetBucketTagging", "PutBucketTagging", "DeleteBucketTagging"),
		"website":           three("GetBucketWebsite", "PutBucketWebsite", "DeleteBucketWebsite"),
		"versioning":        one("GetBucketVersioning"),
	}
}

// routeS3 finds the operation of a request: of the account, of a bucket, or of an object, which is not simulated.
func (req *request) routeS3(key string) {
	rest := req.rest
	switch {
	case rest.bucket == "" && rest.method == http.MethodGet:
		req.operation = "ListBuckets"
		return
	case key != "":
		req.operation = rest.method + " of an object"
		return
	}
	table := s3Subresources()
	for name := range rest.query {
		if _, ok := table[name]; ok {
			rest.subresource = name
		}
	}
	if req.operation = table[rest.subresource][rest.method]; req.operation == "" {
		req.operation = rest.method + " of a bucket's " + rest.subresource
	}
}

func onBucket(k *call) []string {
	return []string{bucketARN(k.request.rest.bucket)}
}

func bucketARN(name string) string { return "arn:aws:s3:::" + name }
