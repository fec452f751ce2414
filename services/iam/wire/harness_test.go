package wire_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	group "dera.example/dera/services/iam/group/wire"
	policy "dera.example/dera/services/iam/policy/wire"
	role "dera.example/dera/services/iam/role/wire"
	user "dera.example/dera/services/iam/user/wire"
)

// account is an account of moto behind a proxy that can answer itself.
type account struct {
	*cloud.Client
	api *iam.Client
	id  string
	typ string // of what is read
	// boundary is the role whose permissions boundary a policy is, by ARN.
	boundary map[string]string
	proxy    *proxy
}

// proxy counts the calls by their action and answers some of them.
type proxy struct {
	answer func(form url.Values) *http.Response // nil, or a nil answer: that of next
	next   http.RoundTripper
	page   string // the size of pages; empty: as asked for
	// reports answers what neither moto nor awssim does.
	reports moto.Reports

	mu    sync.Mutex
	calls map[string]int
}

func (p *proxy) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body)) // all of IAM is forms
	if res := p.reports.Answer(r, form); res != nil {
		res.Request = r
		return res, nil
	}
	p.mu.Lock()
	p.calls[form.Get("Action")]++
	p.mu.Unlock()
	if p.answer != nil {
		if res := p.answer(form); res != nil {
			res.Request = r
			return res, nil
		}
	}
	if p.page != "" && form.Has("MaxItems") {
		form.Set("MaxItems", p.page)
		text := form.Encode()
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	}
	return p.next.RoundTrip(r)
}

// count is how often a call was made since it was last asked for.
func (p *proxy) count(action string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.calls[action]
	delete(p.calls, action)
	return n
}

// wires are those of IAM's types.
func wires() []cloud.Wire { return []cloud.Wire{role.Wire(), user.Wire(), group.Wire(), policy.Wire()} }

func newAccount(t *testing.T, server *moto.Server, typ string, ports map[string]any) *account {
	t.Helper()
	creds := server.Account(t)
	static := credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken)
	a := accountOn(t, server.URL(), http.DefaultTransport, static, typ, ports)
	a.id, a.proxy.answer = creds.Account, a.bounded
	return a
}

// simulated is an account of awssim.
func simulated(t *testing.T, typ string) (*account, *awssim.Cloud) {
	t.Helper()
	sim := awssim.New(awssim.Config{Seed: 5})
	hub := sim.Account(cloudtest.Hub)
	a := accountOn(t, "https://127.0.0.1", sim.Transport(), cloudtest.Static(hub.Credentials()), typ, nil)
	a.id, a.proxy.answer = hub.ID(), func(url.Values) *http.Response { return nil }
	return a, sim
}

func accountOn(t *testing.T, at string, next http.RoundTripper, creds aws.CredentialsProvider, typ string, ports map[string]any) *account {
	t.Helper()
	a := &account{typ: typ, proxy: &proxy{calls: map[string]int{}, next: next}}
	var err error
	a.Client, err = cloud.New(t.Context(), cloud.Config{
		Wires: wires(), Region: cloudtest.East, Endpoint: at, HTTPClient: &http.Client{Transport: a.proxy}, Credentials: creds, Ports: ports, Timeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	a.api = iam.New(iam.Options{Region: cloudtest.East, Credentials: creds, BaseEndpoint: aws.String(at), HTTPClient: &http.Client{Transport: next}})
	return a
}

// total is how many calls were made since the last reset.
func (p *proxy) total() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.calls {
		n += c
	}
	return n
}

// reset forgets the calls.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.calls)
}

func (a *account) scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: a.id, Region: dera.GlobalRegion, Type: a.typ, IDs: ids}
}

// read returns the resources of a full read by their IDs.
func (a *account) read(t *testing.T, ids ...string) map[string]dera.Resource {
	t.Helper()
	page, err := a.Read(t.Context(), a.scope(ids...), true)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]dera.Resource{}
	for _, x := range page.Resources {
		x.ReadAt = time.Time{}
		out[x.ID] = x
	}
	return out
}

const (
	trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	// A plus and a percent sign survive only what decodes as IAM encodes.
	allow = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a+b/100%25 NAME/*"}]}`
)

// populate makes n roles in some paths, each with an inline policy, with one managed
// policy that all share, and one of its own; the first has a boundary.
func (a *account) populate(t *testing.T, n int) {
	t.Helper()
	ctx := t.Context()
	policy := func(name string) *string {
		out, err := a.api.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String(name), PolicyDocument: aws.String(allowOn(name))})
		if err != nil {
			t.Fatal(err)
		}
		return out.Policy.Arn
	}
	shared := policy("shared")
	for i := range n {
		name := aws.String(fmt.Sprintf("app-%d", i))
		in := &iam.CreateRoleInput{
			RoleName: name, Path: aws.String([]string{"/", "/team/"}[i%2]), AssumeRolePolicyDocument: aws.String(trust),
			MaxSessionDuration: aws.Int32(int32(3600 * (1 + i))), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("web")}},
		}
		if i == 0 {
			in.PermissionsBoundary = shared
		}
		must(t, func(ctx context.Context) error { _, err := a.api.CreateRole(ctx, in); return err })
		must(t, func(ctx context.Context) error {
			_, err := a.api.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("own"), PolicyDocument: aws.String(allowOn("own"))})
			return err
		})
		for _, arn := range []*string{shared, policy(fmt.Sprintf("p-%d", i))} {
			must(t, func(ctx context.Context) error {
				_, err := a.api.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: arn})
				return err
			})
		}
	}
}

func must(t *testing.T, do func(context.Context) error) {
	t.Helper()
	if err := do(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// failure is an error answer as IAM sends it.
func failure(status int, code string) *http.Response {
	return cloudtest.Answer(status, `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>`+code+
		`</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>`)
}

func allowOn(name string) string { return strings.ReplaceAll(allow, "NAME", name) }
