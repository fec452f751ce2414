package cloud

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Writer returns the configuration of clients whose requests change what no plan is about: with
// the credentials of the account, which STS has confirmed, one attempt each, and observed as
// writes. Whoever uses it records an intent before each request.
func (c *Client) Writer(account, region string) aws.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	cfg := c.base.Copy()
	cfg.Region = region
	cfg.Credentials = c.credentials(account)
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), c.observe(account, region, true))
	return cfg
}
