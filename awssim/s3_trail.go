package awssim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// s3Trail writes requestParameters as S3 does: the bucket, the host, the word of the query that chose the operation,
// other parameters by their own names, and the body under the name of its root; a policy is an object.
func s3Trail(k *call, e *encoder) {
	rest := k.request.rest
	e.optional("bucketName", rest.bucket)
	e.text("Host", k.request.host)
	if rest.subresource != "" {
		e.text(rest.subresource, "")
	}
	acl := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(k.request.flat)) {
		switch value := k.request.flat[name]; {
		case name == "Bucket", name == "AccountId":
		case name == "Name":
			e.text("name", value)
		case name == "x-amz-acl", strings.HasPrefix(name, "x-amz-grant-"):
			acl[name] = value
		default:
			e.text(name, value)
		}
	}
	if len(acl) > 0 {
		e.begin("accessControlList")
		for _, name := range slices.Sorted(maps.Keys(acl)) {
			e.text(name, acl[name])
		}
		e.end("accessControlList")
	}
	k.trailBody(e)
}

// trailBody writes the body of a request; one that is neither a policy nor XML is left out, as is none.
func (k *call) trailBody(e *encoder) {
	if k.Operation == "PutBucketPolicy" {
		if json.Valid(k.request.body) {
			e.raw("bucketPolicy", k.request.body)
		}
		return
	}
	if root, err := parseElement(k.request.body); err == nil {
		root.trail(e)
	}
}

// s3Extras writes what only events of S3 have.
func (k *call) s3Extras(e *encoder, answer any) {
	out := 0
	if a, ok := answer.(restAnswer); ok {
		out = len(a.response(s3Header(k)).body)
	}
	e.begin("additionalEventData")
	e.text("SignatureVersion", "SigV4")
	e.text("CipherSuite", "TLS_AES_128_GCM_SHA256")
	e.number("bytesTransferredIn", len(k.request.body))
	e.text("AuthenticationMethod", "AuthHeader")
	e.text("x-amz-id-2", hostID(k))
	e.number("bytesTransferredOut", out)
	e.end("additionalEventData")
	if k.request.rest == nil || k.request.rest.bucket == "" {
		return
	}
	e.name("resources")
	e.buf = append(e.buf, '[', '{')
	e.text("accountId", k.Account)
	e.text("type", "AWS::S3::Bucket")
	e.text("ARN", bucketARN(k.request.rest.bucket))
	e.buf = append(e.buf, '}', ']')
}
