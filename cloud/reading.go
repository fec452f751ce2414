package cloud

import (
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"dera.example/dera"
)

// Reading is one read of a scope, and what a wire may use of the client for it.
type Reading struct {
	Scope dera.Scope
	// At is a time before the first call: what is read is at least as new.
	At time.Time
	// Full asks for everything that a plan needs.
	Full bool

	client *Client
	again  bool   // for a remediation, which reads several times within seconds
	fresh  bool   // nothing that is remembered counts
	facts  *facts // of this read and those that it needs
}

// facts are what is read once for all resources of a read.
type facts struct {
	mu sync.Mutex
	of map[string]any
}

func (c *Client) reading(scope dera.Scope, full bool) *Reading {
	return &Reading{Scope: scope, At: c.now(), Full: full, client: c, facts: &facts{of: map[string]any{}}}
}

// Reading is a read of a place, for what is about no resource of a type. Its region is one of
// AWS's, also for what an account has once.
func (c *Client) Reading(account, region string) *Reading {
	return c.reading(dera.Scope{Partition: dera.PartitionOf(region).ID, Account: account, Region: region}, true)
}

// Fail is the error of a call, for example s3:GetBucketPolicy, at the scope's
// account and region.
func (r *Reading) Fail(call string, err error) error { return r.FailAt(r.Scope.Region, call, err) }

// FailAt is Fail for a call to another region.
func (r *Reading) FailAt(region, call string, err error) error {
	return wrap(r.Scope.Account, region, call, err)
}

// Home is the region to send a request to: that of the scope, or for what an
// account has once the one that is used where none is named.
func (r *Reading) Home() string { return r.client.regionFor(r.Scope.Region) }

// ForRemediation reports whether a remediation reads, which does so several times within
// seconds and with the turns of writes: what is only shown beside a plan is not read then.
func (r *Reading) ForRemediation() bool { return r.again }

// Timeout is how long the reads of one resource among others may take.
func (r *Reading) Timeout() time.Duration { return r.client.cfg.Timeout / 4 }

// Accounts are the accounts that the client is configured for.
func (r *Reading) Accounts() []string {
	var out []string
	for _, a := range r.client.cfg.Accounts {
		out = append(out, a.ID)
	}
	return out
}

// Apart is the same read with nothing known so far: what it reads once for all is no answer to
// the reads of r.
func (r *Reading) Apart() *Reading {
	apart := *r
	apart.facts = &facts{of: map[string]any{}}
	return &apart
}

// Service returns the one reading client of a service for an account and region;
// clients, their credentials and their rate limits are shared. The name is that
// of the SDK package.
func Service[T any](r *Reading, name, account, region string, make func(aws.Config) T) T {
	return shared(r.client, name, account, region, make)
}

// answered is what came of reading a fact.
type answered[T any] struct {
	fact T
	err  error
}

// Once returns what read returned the first time that it was asked for in this
// read, under the key: a fact about an account is read once, and so is an answer
// that there is none. Of two that ask at the same time each reads.
func Once[T any](r *Reading, key string, read func() (T, error)) (T, error) {
	r.facts.mu.Lock()
	known, ok := r.facts.of[key].(answered[T])
	r.facts.mu.Unlock()
	if !ok {
		known.fact, known.err = read()
		r.facts.mu.Lock()
		r.facts.of[key] = known
		r.facts.mu.Unlock()
	}
	return known.fact, known.err
}

// remembered is a fact, and when it was asked for.
type remembered struct {
	at   time.Time
	fact any
}

// Remember returns a fact that any read read under the key within the lifetime, or
// reads it. The key names the account. An error is not kept.
func Remember[T any](r *Reading, key string, lifetime time.Duration, read func() (T, error)) (T, error) {
	if r.fresh {
		return read()
	}
	return remember(r.client, key, lifetime, read)
}

// RememberFor is Remember for a remediation, which reads the same resource several
// times within seconds. A look for a decision reads, and forgets what is
// remembered: what is decided on now is what is looked at again before a write.
func RememberFor[T any](r *Reading, key string, lifetime time.Duration, read func() (T, error)) (T, error) {
	if r.again {
		return remember(r.client, key, lifetime, read)
	}
	r.client.forget(key)
	return read()
}

func remember[T any](c *Client, key string, lifetime time.Duration, read func() (T, error)) (T, error) {
	c.mu.Lock()
	known, ok := c.remembered[key]
	c.mu.Unlock()
	at := c.now()
	if v, fits := known.fact.(T); ok && fits && at.Sub(known.at) < lifetime && !at.Before(known.at) {
		return v, nil
	}
	v, err := read()
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remembered[key] = remembered{at, v}
	return v, nil
}

// forgetBefore drops a fact that was read before a moment.
func (c *Client) forgetBefore(key string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.remembered[key]; ok && known.at.Before(at) {
		delete(c.remembered, key)
	}
}

// forget drops a fact.
func (c *Client) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.remembered, key)
}
