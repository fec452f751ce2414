package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/services/iam/role"
)

const (
	trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	first = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::a+b/*"}]}`
	later = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
)

// network denies the actions and counts what is sent.
type network struct {
	mu   sync.Mutex
	deny []string
	sent map[string]int
}

// RoundTrip implements http.RoundTripper.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	form, _ := url.ParseQuery(string(body)) // a body of another kind has no action
	action := form.Get("Action")
	n.mu.Lock()
	n.sent[action]++
	denied := slices.Contains(n.deny, action)
	n.mu.Unlock()
	if denied {
		text := `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`
		return &http.Response{StatusCode: 403, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
	}
	return http.DefaultTransport.RoundTrip(r)
}

const account = "111122223333"

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: account, Region: dera.GlobalRegion, Type: role.Name, IDs: ids}
}

type fixture struct {
	server *moto.Server
	creds  aws.CredentialsProvider
	names  []string
}

// client is a new client on the account, whose calls of the actions are denied.
func (f fixture) client(t *testing.T, ports map[string]cloud.Port, deny ...string) (*cloud.Client, *network) {
	t.Helper()
	n := &network{deny: deny, sent: map[string]int{}}
	c, err := cloud.New(t.Context(), cloud.Config{
		Wires: []cloud.Wire{Wire()}, Region: "us-east-1", HTTPClient: &http.Client{Transport: n}, Credentials: f.creds, Endpoint: f.server.URL(),
		Timeout: 20 * time.Second, Ports: ports, Now: func() time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, n
}

// newRoles is an account with three roles that share a policy in its second version.
func newRoles(t *testing.T) fixture {
	t.Helper()
	s := moto.Start(t, moto.Config{})
	c, err := s.AssumeRole(t.Context(), account, "test")
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{server: s, creds: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken), names: []string{"app", "bare", "job"}}
	api := iam.New(iam.Options{Region: "us-east-1", Credentials: f.creds, BaseEndpoint: aws.String(s.URL())})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	p, err := api.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("own"), PolicyDocument: aws.String(first)})
	must(err)
	_, err = api.CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: p.Policy.Arn, PolicyDocument: aws.String(later), SetAsDefault: true})
	must(err)
	for _, name := range f.names {
		_, err = api.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String(name), Path: aws.String("/team/"), AssumeRolePolicyDocument: aws.String(trust),
			PermissionsBoundary: p.Policy.Arn, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String(name)}}})
		must(err)
		if name == "bare" {
			continue
		}
		_, err = api.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String("files"), PolicyDocument: aws.String(first)})
		must(err)
		_, err = api.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String(name), PolicyArn: p.Policy.Arn})
		must(err)
	}
	return f
}

func read(t *testing.T, c *cloud.Client, s dera.Scope) map[string]dera.Resource {
	t.Helper()
	page, err := c.Read(t.Context(), s, true)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]dera.Resource{}
	for _, x := range page.Resources {
		out[x.ID] = x
	}
	return out
}

// TestReads: one walk reads all roles as each is read alone; a part that may not be
// read is unread, and the ledger's is where there is no ledger.
func TestReads(t *testing.T) {
	t.Parallel()
	f := newRoles(t)
	c, n := f.client(t, nil)
	all := read(t, c, scope())
	if d := cmp.Diff(map[string]int{"GetAccountAuthorizationDetails": 1}, iamOnly(n.sent)); d != "" || len(all) != len(f.names) {
		t.Errorf("%d roles, calls of a sweep (-want +got):\n%s", len(all), d)
	}
	app := all["app"].Config.(*role.Role)
	want := &role.Role{Account: account, Name: "app", Path: "/team/", Trust: trust, Inline: map[string]string{"files": first},
		Boundary: app.Boundary, Tags: map[string]string{"team": "app"}, Unread: []string{role.PartActivity},
		Attached: []role.Policy{{ARN: app.Boundary, Version: "v2", Document: later}}}
	if d := cmp.Diff(want, app); d != "" || app.Boundary == "" {
		t.Errorf("app (-want +got):\n%s", d)
	}
	for _, name := range f.names {
		if d := cmp.Diff(all[name], read(t, c, scope(name))[name]); d != "" {
			t.Errorf("%s (-bulk +alone):\n%s", name, d)
		}
	}
	page, err := c.Read(t.Context(), scope("nobody"), true)
	if err != nil || !slices.Equal(page.Missing, []string{"nobody"}) {
		t.Errorf("a role that is not: got %+v, %v, want it missing", page, err)
	}
	t.Run("without_the_walk", func(t *testing.T) {
		t.Parallel()
		c, _ := f.client(t, nil, "GetAccountAuthorizationDetails")
		if d := cmp.Diff(all, read(t, c, scope())); d != "" {
			t.Errorf("(-bulk +listed):\n%s", d)
		}
	})
	for action, part := range map[string]string{
		"GetRole": role.PartRole, "ListRolePolicies": role.PartInline, "GetRolePolicy": role.PartInline, "ListAttachedRolePolicies": role.PartAttached,
		"GetPolicy": role.PartDocument, "GetPolicyVersion": role.PartDocument,
	} {
		t.Run("denied_"+action, func(t *testing.T) {
			t.Parallel()
			c, _ := f.client(t, nil, action)
			got := read(t, c, scope("app"))["app"].Config.(*role.Role)
			if got.Knows(part) || got.Canon() == app.Canon() {
				t.Errorf("got unread %q, want %s among them", got.Unread, part)
			}
		})
	}
}

// iamOnly are the calls but for those that say who dera is.
func iamOnly(sent map[string]int) map[string]int {
	out := map[string]int{}
	for action, n := range sent {
		if action != "GetCallerIdentity" {
			out[action] = n
		}
	}
	return out
}

// TestPort: one question for all roles; a failure makes the part unread, and says so.
func TestPort(t *testing.T) {
	t.Parallel()
	f := newRoles(t)
	asked := 0
	port := func(_ context.Context, _ dera.Scope, of []dera.ARN) (map[dera.ARN]json.RawMessage, error) {
		asked++
		out := map[dera.ARN]json.RawMessage{}
		for _, arn := range of {
			if strings.HasSuffix(string(arn), "role/team/app") {
				out[arn] = json.RawMessage(`{"actions":["s3:GetObject"]}`)
			}
		}
		return out, nil
	}
	c, _ := f.client(t, map[string]cloud.Port{role.PortUsage: port})
	all := read(t, c, scope())
	app, job := all["app"].Config.(*role.Role), all["job"].Config.(*role.Role)
	if d := cmp.Diff(&role.Activity{Actions: []string{"s3:GetObject"}}, app.Activity); d != "" || !app.Knows(role.PartActivity) || job.Knows(role.PartActivity) || asked != 1 {
		t.Errorf("asked %d times, job %+v, app (-want +got):\n%s", asked, job, d)
	}
	c, _ = f.client(t, map[string]cloud.Port{role.PortUsage: func(context.Context, dera.Scope, []dera.ARN) (map[dera.ARN]json.RawMessage, error) {
		return nil, io.ErrUnexpectedEOF
	}})
	x := read(t, c, scope("app"))["app"]
	if r := x.Config.(*role.Role); r.Knows(role.PartActivity) || !r.Knows(role.PartInline) || x.Unread == "" {
		t.Errorf("a port that fails: got %+v, unread %q", r, x.Unread)
	}
}
