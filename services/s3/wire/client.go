// Package wire is what the wires of S3's resource types share: clients, the shapes
// of answers, the block of an account, and where buckets are.
package wire

import (
	"context"
	"net"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	smithyendpoints "github.com/aws/smithy-go/endpoints"

	"dera.example/dera/cloud"
)

// Buckets is the name of the type of buckets, by which other types ask for them.
const Buckets = "AWS::S3::Bucket"

// S3 returns the reading client for buckets. S3 throttles by bucket: a limit that
// all calls shared would let one bucket that answers SlowDown hold up the others.
func S3(r *cloud.Reading, account, region string) *s3.Client {
	return cloud.Service(r, "s3", account, region, func(cfg aws.Config) *s3.Client {
		return s3.NewFromConfig(cfg, func(o *s3.Options) { o.Retryer = retry.NewStandard() })
	})
}

// Control returns the reading client for access points and account blocks; of its
// limits the same is true.
func Control(r *cloud.Reading, account, region string) *s3control.Client {
	return cloud.Service(r, "s3control", account, region, func(cfg aws.Config) *s3control.Client {
		return s3control.NewFromConfig(cfg, PlainHost, func(o *s3control.Options) { o.Retryer = retry.NewStandard() })
	})
}

// Answers are the shapes of the answers of S3 and S3 Control.
func Answers() map[string]cloud.Shape {
	const buckets, control = "http://s3.amazonaws.com/doc/", "http://awss3control.amazonaws.com/doc/"
	return map[string]cloud.Shape{
		"S3 ListBuckets":                  {Root: "ListAllMyBucketsResult", Space: buckets},
		"S3 GetBucketLocation":            {Root: "LocationConstraint", Space: buckets},
		"S3 GetBucketPolicy":              {}, // the policy itself
		"S3 GetBucketAcl":                 {Root: "AccessControlPolicy", Space: buckets},
		"S3 GetPublicAccessBlock":         {Root: "PublicAccessBlockConfiguration", Space: buckets},
		"S3 GetBucketOwnershipControls":   {Root: "OwnershipControls", Space: buckets},
		"S3 GetBucketTagging":             {Root: "Tagging", Space: buckets},
		"S3 GetBucketWebsite":             {Root: "WebsiteConfiguration", Space: buckets},
		"S3 Control GetPublicAccessBlock": {Root: "PublicAccessBlockConfiguration", Space: control},
		"S3 Control ListAccessPoints":     {Root: "ListAccessPointsResult", Space: control},
		"S3 Control GetAccessPoint":       {Root: "GetAccessPointResult", Space: control},
		"S3 Control GetAccessPointPolicy": {Root: "GetAccessPointPolicyResult", Space: control},
	}
}

// Actions are the IAM actions of calls that have another name.
func Actions() map[string]string {
	return map[string]string{
		"s3:ListBuckets":                 "s3:ListAllMyBuckets",
		"s3:GetPublicAccessBlock":        "s3:GetBucketPublicAccessBlock",
		"s3control:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
		"s3control:*":                    "s3:*",
	}
}

// PlainHost leaves the account ID out of the host name where the endpoint is an
// address or localhost: there are no names below these. The account stands in a
// header too.
func PlainHost(o *s3control.Options) { o.EndpointResolverV2 = plainHosts{o.EndpointResolverV2} }

type plainHosts struct{ next s3control.EndpointResolverV2 }

// ResolveEndpoint implements s3control.EndpointResolverV2.
func (p plainHosts) ResolveEndpoint(ctx context.Context, params s3control.EndpointParameters) (smithyendpoints.Endpoint, error) {
	if params.Endpoint == nil {
		return p.next.ResolveEndpoint(ctx, params)
	}
	u, err := url.Parse(*params.Endpoint)
	if err != nil || u.Hostname() != "localhost" && net.ParseIP(u.Hostname()) == nil {
		return p.next.ResolveEndpoint(ctx, params)
	}
	end, err := p.next.ResolveEndpoint(ctx, params)
	end.URI = *u.JoinPath(end.URI.Path)
	return end, err
}
