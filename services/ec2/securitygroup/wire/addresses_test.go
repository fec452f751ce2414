package wire

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
)

// silent is an AWS in which no account but the own one answers.
type silent struct{ to http.RoundTripper }

func (s silent) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if bytes.Contains(body, []byte("Action=AssumeRole&")) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return s.to.RoundTrip(r)
}

// among makes the own account one of many.
func among(accounts int) func(*cloud.Config) {
	return func(c *cloud.Config) {
		for _, id := range manyAccounts(accounts) {
			c.Accounts = append(c.Accounts, cloud.Account{ID: id, RoleARN: "arn:aws:iam::" + id + ":role/dera"})
		}
	}
}

// TestSilentAccountsFailNoRead: accounts that do not answer leave their addresses unknown; the group is read in time.
func TestSilentAccountsFailNoRead(t *testing.T) {
	t.Parallel()
	for _, accounts := range []int{100, 1000} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, func(c *cloud.Config) {
				among(accounts)(c)
				c.Timeout, c.HTTPClient = time.Minute, &http.Client{Transport: silent{c.HTTPClient.Transport}}
			})
			id := f.group(t, "web", ssh())
			if g := f.one(t, id); g.Network == nil || g.Network.Unread != "" || g.Network.OwnUnread == "" {
				t.Errorf("%d accounts: got %+v, want a network with addresses that are not known", accounts, g.Network)
			}
			<-time.After(2 * time.Minute) // what asks STS ends too
		})
	}
}

// TestSilentAccountIsWaitedForOnce: once a look waited for an account, later ones do not.
func TestSilentAccountIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	for _, accounts := range []int{1, 129} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, func(c *cloud.Config) {
				among(accounts)(c)
				c.Timeout, c.HTTPClient = time.Minute, &http.Client{Transport: silent{c.HTTPClient.Transport}}
			})
			id := f.group(t, "web", ssh())
			begin := time.Now()
			for range 5 { // of many accounts some were not asked in time
				f.one(t, id)
			}
			most := time.Since(begin)
			for range 10 {
				if g := f.one(t, id); g.Network.OwnUnread == "" {
					t.Error("the addresses of an account that does not answer are known")
				}
			}
			if took := time.Since(begin) - most; most == 0 || took != 0 {
				t.Errorf("%d accounts: the first looks took %s, and later ones %s more", accounts, most, took)
			}
			<-time.After(2 * time.Minute)
		})
	}
}

// TestFixAsksNoOtherAccount: what people are shown beside a plan is asked for before the decision, and no read of a fix
// waits for other accounts.
func TestFixAsksNoOtherAccount(t *testing.T) {
	t.Parallel()
	for _, accounts := range []int{100, 1000} {
		f := newFixture(t, among(accounts))
		id := f.group(t, "web", ssh())
		others := func() (n int) {
			for _, c := range f.Calls {
				if c.Account != cloudtest.Hub {
					n++
				}
			}
			return n
		}
		if _, err := f.ReadAgain(t.Context(), scopeOf(id)); err != nil || others() != 0 {
			t.Errorf("%d accounts: got %d calls of other accounts, %v", accounts, others(), err)
		}
		if f.one(t, id); others() == 0 {
			t.Errorf("%d accounts: a look for a decision asks nobody for public addresses", accounts)
		}
	}
}
