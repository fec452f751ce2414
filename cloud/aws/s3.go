package aws

import (
	"context"
	"net"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
)

// s3 returns the reading client for buckets. S3 throttles by bucket: a limit that
// all calls shared would let one bucket that answers SlowDown hold up the others.
func (c *Client) s3(account, region string) *s3.Client {
	return shared(c, "s3", account, region, func(cfg aws.Config, _ aws.Retryer) *s3.Client {
		return s3.NewFromConfig(cfg, func(o *s3.Options) {
			o.Retryer = retry.NewStandard()
			o.APIOptions = append(o.APIOptions, c.observe(account, region, false))
		})
	})
}

// s3control returns the reading client for access points and account blocks; of
// its limits the same is true.
func (c *Client) s3control(account, region string) *s3control.Client {
	return shared(c, "s3control", account, region, func(cfg aws.Config, _ aws.Retryer) *s3control.Client {
		return s3control.NewFromConfig(cfg, plainHost, func(o *s3control.Options) {
			o.Retryer = retry.NewStandard()
			o.APIOptions = append(o.APIOptions, c.observe(account, region, false))
		})
	})
}

// cloudfront returns the reading client for distributions.
func (c *Client) cloudfront(account, region string) *cloudfront.Client {
	return shared(c, "cloudfront", account, region, func(cfg aws.Config, limited aws.Retryer) *cloudfront.Client {
		return cloudfront.NewFromConfig(cfg, func(o *cloudfront.Options) {
			o.Retryer = limited
			o.APIOptions = append(o.APIOptions, c.observe(account, region, false))
		})
	})
}

// plainHost leaves the account ID out of the host name where the endpoint is an
// address or localhost: there are no names below these. The account stands in a
// header too.
func plainHost(o *s3control.Options) { o.EndpointResolverV2 = plainHosts{o.EndpointResolverV2} }

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
