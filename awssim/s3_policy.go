package awssim

import (
	"errors"
	"net/http"
	"strings"

	"dera.example/dera/iam/policy"
)

func noPolicy() *Error {
	return errorf(404, "NoSuchBucketPolicy", "The bucket policy does not exist")
}

// getBucketPolicy gives the policy back as it was put.
func getBucketPolicy(k *call) (any, error) {
	b, err := k.bucket(k.view())
	switch {
	case err != nil:
		return nil, err
	case b.policy == "":
		return nil, noPolicy()
	}
	return restAnswer{status: http.StatusOK, raw: []byte(b.policy), header: http.Header{"Content-Type": {"application/json"}}}, nil
}

// getBucketPolicyStatus says whether AWS takes the policy for public.
func getBucketPolicyStatus(k *call) (any, error) {
	b, err := k.bucket(k.view())
	switch {
	case err != nil:
		return nil, err
	case b.policy == "":
		return nil, noPolicy()
	}
	document, err := policy.Parse(b.policy)
	if err != nil {
		return nil, err
	}
	return s3Document("PolicyStatus", func(e *encoder) { e.flag("IsPublic", isPublicPolicy(document)) }), nil
}

func putBucketPolicy(k *call) (any, error) {
	b, err := k.bucket(view{})
	if err != nil {
		return nil, err
	}
	text := string(k.request.body)
	document, err := readResourcePolicy(text, bucketARN(b.name))
	if err != nil {
		return nil, err
	}
	if b.blocks(k).BlockPublicPolicy && isPublicPolicy(document) {
		return nil, blockedPolicy(k, bucketARN(b.name))
	}
	k.change(b, func(b *bucket) { b.policy = text })
	return noContent(), nil
}

// blockedPolicy is how S3 refuses a public policy.
func blockedPolicy(k *call, resource string) *Error {
	return errorf(403, "AccessDenied", "User: %s is not authorized to perform: %s on resource: \"%s\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
		k.Principal, k.action(), resource)
}

// deleteBucketPolicy succeeds without a policy too, as the API reference's 204 says.
func deleteBucketPolicy(k *call) (any, error) {
	b, err := k.bucket(view{})
	if err != nil {
		return nil, err
	}
	if b.policy != "" {
		k.change(b, func(b *bucket) { b.policy = "" })
	}
	return noContent(), nil
}

// readResourcePolicy reads and checks the policy of a bucket or access point, whose statements may be about it only.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
func readResourcePolicy(text, arn string) (*policy.Document, error) {
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return nil, errorf(400, "MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
	}
	document, err := policy.Parse(text)
	if err == nil {
		err = document.Validate(policy.Resource)
	}
	if err != nil {
		reason := err.Error()
		var refused *policy.Error
		if errors.As(err, &refused) {
			reason = refused.Reason
		}
		return nil, errorf(400, "MalformedPolicy", "%s", reason)
	}
	for _, s := range document.Statements {
		for _, pattern := range append(s.Resources, s.NotResources...) {
			if !mayName(pattern, arn) {
				return nil, errorf(400, "MalformedPolicy", "Policy has invalid resource")
			}
		}
	}
	return document, nil
}

// mayName reports whether a pattern can match the resource or what is in it.
func mayName(pattern, arn string) bool {
	if rest, ok := strings.CutPrefix(pattern, arn); ok && (rest == "" || rest[0] == '/') {
		return true
	}
	wild := strings.IndexAny(pattern, "*?$")
	return wild >= 0 && (strings.HasPrefix(arn+"/", pattern[:wild]) || strings.HasPrefix(pattern[:wild], arn+"/"))
}

// removeS3Neighbour is the fault LieNeighbour: the last other statement of the policy goes too, or the last grant to
// someone else; of a call on the ACL the grant first.
func (k *call) removeS3Neighbour() {
	b, err := k.bucket(view{})
	if err != nil {
		return
	}
	if k.Operation == "PutBucketAcl" && k.dropGrant(b) {
		return
	}
	if !k.dropStatement(b) {
		k.dropGrant(b)
	}
}

func (k *call) dropStatement(b *bucket) bool {
	document, err := policy.Parse(b.policy)
	if err != nil || len(document.Statements) == 0 {
		return false
	}
	left := ""
	if last := len(document.Statements) - 1; last > 0 {
		changed, err := document.Apply(policy.RemoveStatement(last))
		if err != nil {
			return false
		}
		left = changed.Text()
	}
	k.change(b, func(b *bucket) { b.policy = left })
	return true
}

func (k *call) dropGrant(b *bucket) bool {
	for i := len(b.grants) - 1; i >= 0; i-- {
		if b.grants[i].ID != CanonicalID(b.account) {
			kept := append(append([]Grant(nil), b.grants[:i]...), b.grants[i+1:]...)
			k.change(b, func(b *bucket) { b.grants = kept })
			return true
		}
	}
	return false
}
