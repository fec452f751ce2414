package cloud_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/services/ec2/securitygroup"
)

// silentOnce is an AWS that takes the first request with a text in its body or target and never answers it.
type silentOnce struct {
	to    http.RoundTripper
	text  string
	asked *atomic.Int64
}

func (s silentOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if strings.Contains(string(body)+r.Header.Get("X-Amz-Target"), s.text) && s.asked.Add(1) == 1 {
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
			c.Timeout, c.HTTPClient = time.Minute, &http.Client{Transport: silentOnce{c.HTTPClient.Transport, "Action=AssumeRole&", &asked}}
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

// TestSilentQueueIsGivenUp: what the queue never answers is an error after a while, so that its receivers go on.
func TestSilentQueueIsGivenUp(t *testing.T) {
	t.Parallel()
	one := []cloud.Message{{ID: "m", Receipt: "r"}}
	for text, call := range map[string]func(context.Context, *cloud.Queue) error{
		"ReceiveMessage": func(ctx context.Context, q *cloud.Queue) error {
			_, err := q.Receive(ctx, 10, 20*time.Second)
			return err
		},
		"DeleteMessageBatch":           func(ctx context.Context, q *cloud.Queue) error { return q.Delete(ctx, one) },
		"ChangeMessageVisibilityBatch": func(ctx context.Context, q *cloud.Queue) error { return q.Extend(ctx, one, time.Minute) },
		"SendMessage":                  func(ctx context.Context, q *cloud.Queue) error { return q.Send(ctx, "{}") },
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int64
				f := newFixture(t, func(c *cloud.Config) {
					c.Timeout, c.HTTPClient = time.Minute, &http.Client{Transport: silentOnce{c.HTTPClient.Transport, text, &asked}}
				})
				begin := time.Now()
				err := call(t.Context(), f.Queue("https://127.0.0.1/"+cloudtest.Hub+"/dera"))
				if took := time.Since(begin); err == nil || asked.Load() != 1 || took < time.Minute || took > 2*time.Minute {
					t.Errorf("got %v after %s and %d requests, want that it is given up", err, took, asked.Load())
				}
			})
		})
	}
}
