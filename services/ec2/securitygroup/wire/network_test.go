package wire

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"dera.example/dera/services/ec2/securitygroup"

	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
)

// What an answer leaves out about a group's network is not known: that it is
// attached in another VPC too, whose instance it is, and who else is in its VPC.
func TestNetworkThatIsNotWhole(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, action, from, to string // what the answer to the action says instead
		unread                 string
		facing                 securitygroup.Facing
	}{
		{"as_it_is", "DescribeVpcs", "", "", "", securitygroup.FacingPrivate},
		{"attached_in_another_vpc", "DescribeNetworkInterfaces", "<vpcId>vpc-", "<vpcId>vpc-0", "only its own VPC", securitygroup.FacingUnknown},
		{"instance_is_left_out", "DescribeInstances", "<instanceId>i-", "<instanceId>i-0", "returned nothing about i-", securitygroup.FacingUnknown},
		{"vpc_of_another_account", "DescribeVpcs", "<ownerId>" + cloudtest.Hub, "<ownerId>" + cloudtest.Member, "", securitygroup.FacingUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(c *cloud.Config) {
				c.HTTPClient = &http.Client{Transport: rewriting{c.HTTPClient.Transport, "Action=" + tt.action, tt.from, tt.to}}
			})
			id := f.group(t, "web", ssh())
			if _, err := f.Home.AttachInterface("", id); err != nil {
				t.Fatal(err)
			}
			page, err := f.Read(t.Context(), scopeOf(id), true)
			if err != nil || len(page.Resources) != 1 {
				t.Fatalf("got %+v, %v, want the group", page, err)
			}
			g := page.Resources[0].Config.(*securitygroup.Group)
			if why := g.NetworkUnread(); !strings.Contains(why, tt.unread) || (why == "") != (tt.unread == "") || g.Facing() != tt.facing {
				t.Errorf("got unread %q, facing %d, want %q, %d", why, g.Facing(), tt.unread, tt.facing)
			}
		})
	}
}

// An internet-facing load balancer need not have a public IPv4 address.
func TestLoadBalancerOfIPv6IsAnEntrance(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	id, other := f.group(t, "web", ssh()), f.group(t, "lb")
	_, err := f.Home.AttachInterface("", id)
	_, err2 := f.Home.Attach(awssim.Attachment{Description: "ELB app/web/1", IPv6: "2600:1f18:1::1", Requester: "amazon-elb"}, other)
	err3 := f.Home.AddRoute(f.Home.DefaultVPC(), awssim.Route{Destination: "::/0", Target: "igw-1"})
	page, err4 := f.Read(t.Context(), scopeOf(id), true)
	if err = errors.Join(err, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	if got := page.Resources[0].Config.(*securitygroup.Group).Facing(); got != securitygroup.FacingInternet {
		t.Errorf("got facing %d, want the internet", got)
	}
}

// rewriting replaces a text in the answers to an action.
type rewriting struct {
	next             http.RoundTripper
	action, from, to string
}

func (w rewriting) RoundTrip(r *http.Request) (*http.Response, error) {
	asked, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(asked))
	res, err := w.next.RoundTrip(r)
	if err != nil || w.from == "" || !strings.Contains(string(asked), w.action+"&") {
		return res, err
	}
	text, err := io.ReadAll(res.Body)
	text = bytes.ReplaceAll(text, []byte(w.from), []byte(w.to))
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	res.Header.Del("Content-Length")
	return res, err
}
