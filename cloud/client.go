// Package cloud reaches AWS: credentials and sessions of every account, clients by
// service, account and region, limits, the guard of writes, classes of errors,
// and queues. It knows no resource type: how one is read and written is a [Wire],
// data of the type's own wire package. Reads are retried by the SDK; writes have
// one attempt and are settled by reading. Layer: may import the words, iam and
// resource.
package cloud

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"dera.example/dera"
)

// Account says how to reach one account. An account without a role is reached
// with the engine's own credentials.
type Account struct {
	ID         string
	RoleARN    string
	ExternalID string
	// WriteRoleARN is the role for changes; empty means RoleARN.
	WriteRoleARN string
}

// Call is one API call that was made, for counting and for assertions.
type Call struct {
	Account   string
	Region    string
	Service   string
	Operation string
	Write     bool
	Err       error
	// Throttled is how many attempts were turned away for being too many.
	Throttled int
}

// Config is what New needs. Its zero value uses the standard credential chain,
// the environment's AWS_ENDPOINT_URL and no role.
type Config struct {
	// Region is the one that is used where none is named; empty means the
	// environment's, or us-east-1.
	Region string
	// Profile of the shared AWS configuration; empty means AWS_PROFILE, or default.
	Profile string
	// HTTPClient, Credentials and Endpoint replace the SDK's own.
	HTTPClient  *http.Client
	Credentials aws.CredentialsProvider
	Endpoint    string
	Accounts    []Account
	// Wires are the resource types that can be read and written.
	Wires []Wire
	// Ports fill the parts that are not read from AWS, by the name of the port. A part
	// whose port is not there is unread.
	Ports map[string]any
	// Observe is called once for each API call, also from several goroutines.
	Observe func(Call)
	// Timeout bounds one call with its retries; 0 means 60 s.
	Timeout time.Duration
	// Now is the clock of read times.
	Now func() time.Time
	// Limits bound how often AWS is called; nil means that nothing does.
	Limits *Limits
	// SessionName is the session of assumed roles; empty means dera.
	SessionName string
}

// Client reaches all accounts. It is safe for concurrent use.
type Client struct {
	cfg  Config
	base aws.Config

	mu         sync.Mutex
	accounts   map[string]Account
	creds      map[string]aws.CredentialsProvider
	clients    lately // by service, account and region
	remembered map[string]remembered
	recalled   recall
	// noSimulation says why IAM cannot simulate here, once it was found out.
	noSimulation string
}

// New loads the configuration of the environment. It makes no API call.
func New(ctx context.Context, cfg Config) (*Client, error) {
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.SessionName == "" {
		cfg.SessionName = "dera"
	}
	if cfg.Endpoint == "" {
		if err := checkEnvironment(os.Environ(), cfg.Profile == "" && cfg.Credentials == nil && os.Getenv("AWS_PROFILE") == ""); err != nil {
			return nil, err
		}
	}
	opts := []func(*config.LoadOptions) error{config.WithLogger(logging.Nop{})}
	if cfg.Region != "" {
		opts = append(opts, config.WithRegion(cfg.Region))
	}
	if cfg.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(cfg.Profile))
	}
	if cfg.Credentials != nil {
		opts = append(opts, config.WithCredentialsProvider(cfg.Credentials))
	}
	if cfg.Endpoint != "" {
		opts = append(opts, config.WithBaseEndpoint(cfg.Endpoint))
	}
	base, err := config.LoadDefaultConfig(ctx, opts...)
	if err = sourcesOf(cfg.Profile).loading(err); err != nil && !(cfg.Credentials != nil && cfg.Endpoint != "") {
		return nil, err
	} else if err != nil { // a profile that is not there does not matter where nothing is taken from it
		base = aws.Config{Region: cfg.Region, Credentials: cfg.Credentials, BaseEndpoint: &cfg.Endpoint}
	}
	if cfg.HTTPClient != nil {
		base.HTTPClient = cfg.HTTPClient // not by an option: that one clashes with AWS_CA_BUNDLE
	}
	if base.Region == "" {
		base.Region = "us-east-1"
	}
	base.Retryer = func() aws.Retryer { return retry.NewAdaptiveMode() }
	c := &Client{
		cfg: cfg, base: base, accounts: map[string]Account{}, creds: map[string]aws.CredentialsProvider{},
		remembered: map[string]remembered{},
	}
	answers := ownAnswers()
	for i := range cfg.Wires {
		if err := cfg.Wires[i].check(); err != nil {
			return nil, err
		}
		if err := cfg.Wires[i].checkPorts(cfg.Ports); err != nil {
			return nil, err
		}
		maps.Copy(answers, cfg.Wires[i].Answers)
	}
	c.base.APIOptions = append(c.base.APIOptions, answers.refuseForeign)
	for _, a := range cfg.Accounts {
		c.accounts[a.ID] = a
	}
	return c, nil
}

// Region is the region that is used where none is named.
func (c *Client) Region() string { return c.base.Region }

// Identity is who the engine is, as STS sees it.
type Identity struct {
	Account string
	ARN     string
}

// Identity asks STS who the engine is.
func (c *Client) Identity(ctx context.Context) (Identity, error) {
	ctx, cancel := within(ctx, c.cfg.Timeout)
	defer cancel()
	return c.identity(ctx, "", c.base.Credentials)
}

// Regions returns the regions that are switched on in the account.
func (c *Client) Regions(ctx context.Context, account string) ([]string, error) {
	ctx, cancel := within(ctx, c.cfg.Timeout)
	defer cancel()
	for _, w := range c.cfg.Wires {
		if w.Regions != nil {
			return w.Regions(ctx, c.reading(dera.Scope{Account: account, Region: c.base.Region}, false))
		}
	}
	return nil, errors.New("list regions: this build has no service that lists them")
}

// shared returns the client of a service for an account and region, and has it made
// where it was not used lately. What is observed and the limit of its rate are in the
// configuration that it is made from.
func shared[T any](c *Client, service, account, region string, make func(aws.Config) T) T {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := service + "/" + account + "/" + region
	if cl, ok := c.clients.get(key).(T); ok {
		return cl
	}
	cfg := c.base.Copy()
	cfg.Region = region
	cfg.Credentials = c.credentials(account)
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), c.observe(account, region, false))
	cl := make(cfg)
	c.clients.put(key, cl)
	return cl
}

// credentials returns the account's cached credentials, which STS has confirmed to
// be the account's; c.mu is held.
func (c *Client) credentials(account string) aws.CredentialsProvider {
	if p := c.creds[account]; p != nil {
		return p
	}
	p := c.verified(account, "", c.base.Credentials)
	if a := c.accounts[account]; a.RoleARN != "" {
		p = c.verified(account, a.RoleARN, c.assume(a, a.RoleARN, ""), func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = 5 * time.Minute })
	}
	c.creds[account] = p
	return p
}

// assumer asks STS for a session of an account. It keeps no client of the SDK for the hour until the next one: each
// takes tens of kilobytes, and there may be thousands of accounts.
type assumer struct {
	client  *Client
	account string
}

var _ stscreds.AssumeRoleAPIClient = assumer{}

// AssumeRole implements stscreds.AssumeRoleAPIClient.
func (a assumer) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, set ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	return sts.NewFromConfig(a.client.base, func(o *sts.Options) {
		o.APIOptions = append(o.APIOptions, a.client.observe(a.account, a.client.base.Region, false))
	}).AssumeRole(ctx, in, set...)
}

func (c *Client) assume(a Account, role, policy string) aws.CredentialsProvider {
	return stscreds.NewAssumeRoleProvider(assumer{c, a.ID}, role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = c.cfg.SessionName
		if a.ExternalID != "" {
			o.ExternalID = aws.String(a.ExternalID)
		}
		if policy != "" {
			o.Policy = aws.String(policy)
		}
	})
}

// observe reports every call once, whatever its number of attempts.
func (c *Client) observe(account, region string, write bool) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		if err := c.limit(stack, account, region, write); err != nil {
			return err
		}
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("dera:observe",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				out, md, err := next.HandleInitialize(ctx, in)
				call := Call{
					Account: account, Region: region, Write: write, Err: err,
					Service:   strings.ToLower(middleware.GetServiceID(ctx)),
					Operation: middleware.GetOperationName(ctx),
				}
				if attempts, ok := retry.GetAttemptResults(md); ok {
					for _, a := range attempts.Results {
						if a.Err != nil && throttled(a.Err) {
							call.Throttled++
						}
					}
				}
				if c.cfg.Observe != nil {
					c.cfg.Observe(call)
				}
				if p, ok := ctx.Value(probeKey{}).(*probe); ok {
					p.note(call)
				}
				return out, md, err
			}), middleware.Before)
	}
}

// throttled reports whether AWS turned a request away for being one too many.
func throttled(err error) bool {
	p, ok := passing(Code(err))
	return ok && p == Throttled
}

// now is a time before the next call: what is read then is at least as new.
func (c *Client) now() time.Time { return c.cfg.Now().UTC() }

// PartitionOf is the partition of a scope: that of its region, and where it has
// none (dera.GlobalRegion), the one that it names.
func PartitionOf(s dera.Scope) string {
	if s.Partition != "" && (s.Region == dera.GlobalRegion || s.Region == "") {
		return s.Partition
	}
	return dera.PartitionOf(s.Region).ID
}

var errNoSuchType = errors.New("this resource type cannot be read")
