package cloud

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"dera.example/dera"
)

// AccountError means that a session or an answer belongs to another account than
// the one that it was to be used for. Nothing was changed, and nothing that was
// read counts.
type AccountError struct {
	Account string // that it was to be used for
	Got     string // that it belongs to
	What    string // whose it is, for people
	Fix     string // what to do
}

// Error implements error.
func (e *AccountError) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("%s: account %s, expected account %s; %s", e.What, e.Got, e.Account, e.Fix), "; ")
}

// session provides credentials only after STS confirmed that they belong to the
// account: the right account, or nothing. A cache in front of it makes that one
// question for each set of credentials. That cache takes the deadline off the context,
// and all who ask for the account meanwhile wait for one answer: so each question has a
// deadline of its own.
type session struct {
	client  *Client
	next    aws.CredentialsProvider
	account string
	role    string // that is assumed, or ""

	mu      sync.Mutex
	refused string // access key whose refusal is known
	err     error
}

// Retrieve implements aws.CredentialsProvider.
func (s *session) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if err := s.roleFits(); err != nil {
		return aws.Credentials{}, err // not even assumed
	}
	creds, err := s.retrieve(ctx)
	if err != nil {
		return creds, err
	}
	s.mu.Lock()
	refused, known := s.refused, s.err
	s.mu.Unlock()
	if known != nil && refused == creds.AccessKeyID {
		return aws.Credentials{}, known
	}
	err = s.verify(ctx, creds)
	var wrong *AccountError
	if errors.As(err, &wrong) {
		s.mu.Lock()
		s.refused, s.err = creds.AccessKeyID, err
		s.mu.Unlock()
	}
	if err != nil {
		return aws.Credentials{}, err
	}
	return creds, nil
}

// retrieve gets the credentials that are to be verified.
func (s *session) retrieve(ctx context.Context) (aws.Credentials, error) {
	ctx, cancel := within(ctx, s.client.cfg.Timeout)
	defer cancel()
	return s.next.Retrieve(ctx)
}

// verify asks STS whose the credentials are.
func (s *session) verify(ctx context.Context, creds aws.Credentials) error {
	ctx, cancel := within(ctx, s.client.cfg.Timeout)
	defer cancel()
	id, err := s.client.identity(ctx, s.account, aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return creds, nil }))
	if err != nil {
		return fmt.Errorf("get credentials: %w", err)
	}
	if id.Account != s.account {
		return s.wrong(id.Account)
	}
	// Emulators call every partition aws; AWS itself takes no credentials of another.
	if got := dera.ARN(id.ARN).Partition(); got != "aws" {
		return s.inPartition(got)
	}
	return nil
}

// inPartition refuses another partition than that of the regions.
func (s *session) inPartition(got string) error {
	want := dera.PartitionOf(s.client.base.Region).ID
	if got == want {
		return nil
	}
	return &AccountError{s.account, s.account + " of partition " + got, s.whose(), "expected partition " + want + ", that of region " + s.client.base.Region + ": correct role_arn or regions in the configuration"}
}

// roleFits compares the role with the account before anything is sent to STS.
func (s *session) roleFits() error {
	if s.role == "" {
		return nil
	}
	if got := dera.ARN(s.role).Account(); got != s.account {
		return s.wrong(got)
	}
	return s.inPartition(dera.ARN(s.role).Partition())
}

func (s *session) wrong(got string) error {
	fix := "correct the role in the entry of account " + s.account + " under accounts in the configuration (dera config check)"
	if s.role == "" {
		fix = "set role_arn in the entry of account " + s.account + " under accounts in the configuration, or use credentials of that account"
	}
	return &AccountError{s.account, got, s.whose(), fix}
}

func (s *session) whose() string {
	if s.role != "" {
		return "wrong account: the session of " + s.role + " belongs to"
	}
	return "wrong account: the credentials of dera itself belong to"
}

// identity asks STS who the credentials belong to.
func (c *Client) identity(ctx context.Context, account string, creds aws.CredentialsProvider) (Identity, error) {
	out, err := sts.NewFromConfig(c.base, func(o *sts.Options) {
		o.Credentials = creds
		o.APIOptions = append(o.APIOptions, c.observe(account, c.base.Region, false))
	}).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Identity{}, c.own(account, err)
	}
	return Identity{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn)}, nil
}

// Session returns who dera is in an account: as its reader, or with write as the
// one that changes. It fails with an [AccountError] where that is another account.
func (c *Client) Session(ctx context.Context, account string, write bool) (Identity, error) {
	ctx, cancel := within(ctx, c.cfg.Timeout)
	defer cancel()
	c.mu.Lock()
	creds := c.credentials(account)
	c.mu.Unlock()
	if a := c.accounts[account]; write && a.WriteRoleARN != "" {
		creds = c.verified(account, a.WriteRoleARN, c.assume(a, a.WriteRoleARN, ""))
	}
	return c.identity(ctx, account, creds)
}

// Check returns an error unless the credentials for an account are the account's.
func (c *Client) Check(ctx context.Context, account string) error {
	ctx, cancel := within(ctx, c.cfg.Timeout)
	defer cancel()
	c.mu.Lock()
	creds := c.credentials(account)
	c.mu.Unlock()
	if _, err := creds.Retrieve(ctx); err != nil {
		return c.own(account, err)
	}
	return nil
}

// verified gives credentials of an account out only if they are.
func (c *Client) verified(account, role string, next aws.CredentialsProvider, set ...func(*aws.CredentialsCacheOptions)) aws.CredentialsProvider {
	return aws.NewCredentialsCache(&session{client: c, next: next, account: account, role: role}, set...)
}

// OfAnother is the error for a resource that an answer says belongs to another
// account than the one that is covered.
func OfAnother(account, owner, resource string) error {
	return &AccountError{account, owner, resource + " belongs to", "it is not one of this account's, so nothing about it is decided"}
}
