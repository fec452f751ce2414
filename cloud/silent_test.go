package cloud_test

import (
	"bytes"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/services/ec2/securitygroup"
)

// silentOnce is an AWS whose STS takes the first request for a session and never answers it.
type silentOnce struct {
	to    http.RoundTripper
	asked *atomic.Int64
}

func (s silentOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if bytes.Contains(body, []byte("Action=AssumeRole&")) && s.asked.Add(1) == 1 {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return s.to.RoundTrip(r)
}

// TestSilentSTSDoesNotLoseTheAccount: a request for a session that is never answered is given up, and the next read asks
// again, with no restart.
func TestSilentSTSDoesNotLoseTheAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		f := newFixture(t, func(c *cloud.Config) {
			c.Accounts = []cloud.Account{{ID: cloudtest.Member, RoleARN: "arn:aws:iam::" + cloudtest.Member + ":role/reader"}}
			c.Timeout, c.HTTPClient = time.Minute, &http.Client{Transport: silentOnce{c.HTTPClient.Transport, &asked}}
		})
		theirs := f.Cloud.Account(cloudtest.Member)
		theirs.AddRole("reader", cloudtest.Hub, "", "*")
		if _, err := theirs.Region(cloudtest.East).CreateSecurityGroup(t.Context(), "web", ssh()); err != nil {
			t.Fatal(err)
		}
		scope := dera.Scope{Partition: "aws", Account: cloudtest.Member, Region: cloudtest.East, Type: securitygroup.Name}
		if _, err := f.Read(t.Context(), scope, false); err == nil {
			t.Error("a read without a session says nothing of it")
		}
		<-time.After(time.Minute)
		page, err := f.Read(t.Context(), scope, false)
		if err != nil || len(page.Resources) == 0 {
			t.Errorf("later: got %d resources, %v, want them", len(page.Resources), err)
		}
	})
}
