package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
)

// errForeignAnswer means that a success carries something else than the answer
// to the call: the page of a proxy, the answer to another call, nothing. The SDK
// takes such a body for an empty answer.
var errForeignAnswer = errors.New("the answer is not one to this call")

func foreign(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errForeignAnswer, fmt.Sprintf(format, args...))
}

// shape is what the body of a success must be: a JSON object, or XML with a root
// of that name in a namespace of that service.
type shape struct {
	root  string
	space string
}

// shapeOf returns the shape of an operation's answer; ok is false for those with
// no body or none that dera reads.
func shapeOf(service, operation string) (s shape, ok bool) {
	const s3Space, controlSpace = "http://s3.amazonaws.com/doc/", "http://awss3control.amazonaws.com/doc/"
	switch service {
	case "EC2":
		return shape{operation + "Response", "http://ec2.amazonaws.com/doc/"}, true
	case "STS":
		return shape{operation + "Response", "https://sts.amazonaws.com/doc/"}, true
	case "CloudFront":
		return shape{"DistributionList", "http://cloudfront.amazonaws.com/doc/"}, operation == "ListDistributions"
	case "Config Service":
		return shape{}, true
	}
	roots := map[string]shape{
		"S3 ListBuckets":                  {"ListAllMyBucketsResult", s3Space},
		"S3 GetBucketLocation":            {"LocationConstraint", s3Space},
		"S3 GetBucketPolicy":              {}, // the policy itself
		"S3 GetBucketAcl":                 {"AccessControlPolicy", s3Space},
		"S3 GetPublicAccessBlock":         {"PublicAccessBlockConfiguration", s3Space},
		"S3 GetBucketOwnershipControls":   {"OwnershipControls", s3Space},
		"S3 GetBucketTagging":             {"Tagging", s3Space},
		"S3 GetBucketWebsite":             {"WebsiteConfiguration", s3Space},
		"S3 Control GetPublicAccessBlock": {"PublicAccessBlockConfiguration", controlSpace},
		"S3 Control ListAccessPoints":     {"ListAccessPointsResult", controlSpace},
		"S3 Control GetAccessPoint":       {"GetAccessPointResult", controlSpace},
		"S3 Control GetAccessPointPolicy": {"GetAccessPointPolicyResult", controlSpace},
	}
	s, ok = roots[service+" "+operation]
	return s, ok
}

// fits returns an error for a body of another shape.
func (s shape) fits(body []byte) error {
	if s.root == "" {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(body, &object); err != nil || object == nil {
			return foreign("it is no JSON object")
		}
		return nil
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		t, err := d.Token()
		if err != nil {
			return foreign("it is no XML")
		}
		if e, ok := t.(xml.StartElement); ok {
			// What AWS calls a Result, emulators call a Response.
			name := strings.Replace(e.Name.Local, "Response", "Result", 1)
			if name != strings.Replace(s.root, "Response", "Result", 1) || e.Name.Space != "" && !strings.HasPrefix(e.Name.Space, s.space) {
				return foreign("it begins with %.40q of %.60q, want %s", e.Name.Local, e.Name.Space, s.root)
			}
			return nil
		}
	}
}

// refuseForeign stands next to the wire and refuses a success whose body is not
// one of the operation.
func refuseForeign(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("dera:foreign",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, md, err := next.HandleDeserialize(ctx, in)
			want, known := shapeOf(middleware.GetServiceID(ctx), middleware.GetOperationName(ctx))
			res, ok := out.RawResponse.(*smithyhttp.Response)
			if err != nil || !known || !ok || res.StatusCode < 200 || res.StatusCode > 299 {
				return out, md, err
			}
			body, err := io.ReadAll(res.Body)
			if err == nil {
				err = want.fits(body)
			}
			_ = res.Body.Close() // it is read
			res.Body = io.NopCloser(bytes.NewReader(body))
			return out, md, err
		}), middleware.After)
}

// ofBucket returns an error for a bucket policy that is another bucket's: S3 takes
// a policy only where its resources lie in the bucket.
func ofBucket(text, bucket string) error {
	doc, err := policy.Parse(text)
	if err != nil {
		return nil // a policy that cannot be understood is judged as one
	}
	for _, st := range doc.Statements {
		if len(st.Resources) == 0 {
			return nil
		}
		for _, r := range st.Resources {
			_, name, arn := strings.Cut(r, ":::")
			name, _, _ = strings.Cut(name, "/")
			if !arn || strings.Contains(name, "$") || dera.MatchGlob(name, bucket) {
				return nil
			}
		}
	}
	if len(doc.Statements) == 0 {
		return nil
	}
	return foreign("it is the policy of another bucket")
}
