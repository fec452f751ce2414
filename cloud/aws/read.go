package aws

import (
	"context"
	"fmt"
	"time"

	"dera.example/dera"
	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/services/s3/account"
	"dera.example/dera/services/s3/bucket"
)

// Page is what one read returned: the resources, the IDs that the service says
// do not exist, and where a sweep goes on.
type Page struct {
	Resources []dera.Resource
	Missing   []string
	Next      string
}

// accountTimes is how many times the timeout of a read the read of a whole
// account's buckets may take.
const accountTimes = 15

// Read reads one page of the scope. full asks for everything that a plan needs;
// a cheap look leaves out what only a plan does. A new resource type is one line
// here.
func (c *Client) Read(ctx context.Context, scope dera.Scope, full bool) (Page, error) {
	return c.read(ctx, scope, full, false)
}

// ReadAgain is a full Read for a remediation, which reads the same resource
// several times within seconds: what stands around the resource may be from its
// own reads up to half a minute ago, never from before the last Read of it. A
// resource of which something could not be read is an UnreadError: nothing is
// written on such a ground.
func (c *Client) ReadAgain(ctx context.Context, scope dera.Scope) (Page, error) {
	page, err := c.read(ctx, scope, true, true)
	for _, r := range page.Resources {
		if r.Unread != "" {
			return Page{}, &UnreadError{r.ARN, r.Unread}
		}
	}
	return page, err
}

// UnreadError says that the configuration of a resource is not known.
type UnreadError struct {
	Resource dera.ARN
	Why      string
}

// Error implements error.
func (e *UnreadError) Error() string {
	return fmt.Sprintf("the configuration of %s is not known: %s", e.Resource, e.Why)
}

// Unread tells callers that do not know this package that another read may do.
func (e *UnreadError) Unread() bool { return true }

func (c *Client) read(ctx context.Context, scope dera.Scope, full, again bool) (Page, error) {
	timeout := c.cfg.Timeout
	if scope.Type == account.Name && full {
		timeout *= accountTimes
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var page Page
	var err error
	switch scope.Type {
	case securitygroup.Name:
		page, err = c.readGroups(ctx, scope, full)
	case bucket.Name:
		page, err = c.readBuckets(ctx, scope, full)
	case account.Name:
		page, err = c.readAccountBlock(ctx, scope, full, again)
	default:
		err = fmt.Errorf("read %q: %w", scope.Type, errNoSuchType)
	}
	if err != nil {
		return Page{}, err // half a read is none
	}
	return page, nil
}

// now is a time before the next call: what is read then is at least as new.
func (c *Client) now() time.Time { return c.cfg.Now().UTC() }
