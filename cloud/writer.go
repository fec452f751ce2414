package cloud

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"dera.example/dera/resource/role"
)

// Writer returns the configuration of clients whose requests change what no plan is about: with
// the credentials of the account, which STS has confirmed, one attempt each, and observed as
// writes. Where the account has a role, the session can do nothing but what the policy allows. Whoever
// uses it records an intent before each request.
func (c *Client) Writer(account, region string, allow role.Policy) aws.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	cfg := c.base.Copy()
	cfg.Region = region
	cfg.Credentials = c.limited(account, func() (string, error) { return policyText(allow) })
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), c.observe(account, region, true))
	return cfg
}

// mostSession is how many characters a session policy can have; AWS packs it besides, and refuses what
// is too large then (PackedPolicyTooLarge), so that nothing is sent.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
const mostSession = 2048

// limited are credentials for writes in an account: where it has a role, those of a session that can do
// what the policy allows and no more; without a policy there are none. c.mu is held.
func (c *Client) limited(account string, policy func() (string, error)) aws.CredentialsProvider {
	a := c.accounts[account]
	if a.RoleARN == "" && a.WriteRoleARN == "" {
		return c.credentials(account)
	}
	text, err := policy()
	if err == nil && text == "" {
		err = fmt.Errorf("write in account %s: the session has no policy", account)
	}
	if err == nil && len(text) > mostSession {
		err = fmt.Errorf("write in account %s: the policy of the session has %d characters, at most %d are possible", account, len(text), mostSession)
	}
	if err != nil {
		return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, err })
	}
	writer := cmp.Or(a.WriteRoleARN, a.RoleARN)
	return c.verified(account, writer, c.assume(a, writer, text))
}

// policyText is a policy as it is sent.
func policyText(p role.Policy) (string, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("session policy: %w", err)
	}
	return string(text), nil
}
