package aws

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"dera.example/dera/services/ec2/securitygroup"

	"dera.example/dera"
	"dera.example/dera/awssim"
	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

const (
	hub    = "111122223333"
	member = "444455556666"
	east   = "us-east-1"
)

// wire is the network between a client and a simulated AWS. It keeps the form of
// every request.
type wire struct {
	cloud  *awssim.Cloud
	answer func(form url.Values) *http.Response // nil, or a nil answer: the simulation's
	before func(form url.Values) error

	mu    sync.Mutex
	forms []url.Values
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	form, _ := url.ParseQuery(string(body)) // SQS speaks JSON: no form then
	w.mu.Lock()
	w.forms = append(w.forms, form)
	w.mu.Unlock()
	if w.before != nil {
		if err := w.before(form); err != nil {
			return nil, err
		}
	}
	if w.answer != nil {
		if res := w.answer(form); res != nil {
			res.Request = r
			return res, nil
		}
	}
	return w.cloud.Transport().RoundTrip(r)
}

// sent are the requests of an action.
func (w *wire) sent(action string) []url.Values {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []url.Values
	for _, f := range w.forms {
		if f.Get("Action") == action {
			out = append(out, f)
		}
	}
	return out
}

// failure is an error answer as EC2 sends it.
func failure(status int, code, message string) *http.Response {
	body := `<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>` + code + `</Code><Message>` + message +
		`</Message></Error></Errors><RequestID>r</RequestID></Response>`
	if code == "" {
		body = "no"
	}
	return answer(status, body)
}

func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(body))}
}

type fixture struct {
	*Client
	wire   *wire
	cloud  *awssim.Cloud
	region *awssim.Region
	calls  []Call
	some   string // a group of the test
	last   string // the last right answer of a listing
}

func newFixture(t *testing.T, set func(*Config)) *fixture {
	t.Helper()
	cloud := awssim.New(awssim.Config{Seed: 3})
	f := &fixture{cloud: cloud, wire: &wire{cloud: cloud}, region: cloud.Account(hub).Region(east)}
	creds := cloud.Account(hub).Credentials()
	cfg := Config{
		Region: east, HTTPClient: &http.Client{Transport: f.wire}, Endpoint: "https://aws.sim", Timeout: 10 * time.Second,
		Credentials: awssdk.CredentialsProvider(credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, "")),
		Observe: func(c Call) {
			f.wire.mu.Lock()
			defer f.wire.mu.Unlock()
			f.calls = append(f.calls, c)
		},
	}
	if set != nil {
		set(&cfg)
	}
	var err error
	if f.Client, err = New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	return f
}

func scopeOf(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: hub, Region: east, Type: securitygroup.Name, IDs: ids}
}

func (f *fixture) group(t *testing.T, name string, rules ...awssim.Rule) string {
	t.Helper()
	id, err := f.region.CreateSecurityGroup(t.Context(), name, rules...)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// authorize adds permissions as the SDK writes them, whatever their form.
func (f *fixture) authorize(t *testing.T, id string, perms ...types.IpPermission) {
	t.Helper()
	creds := f.cloud.Account(hub).Credentials()
	api := ec2.New(ec2.Options{
		Region: east, HTTPClient: f.cloud.HTTPClient(), BaseEndpoint: awssdk.String("https://aws.sim"),
		Credentials: credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, ""),
	})
	if _, err := api.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &id, IpPermissions: perms}); err != nil {
		t.Fatal(err)
	}
}

func ssh() awssim.Rule {
	return awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"}
}

// one reads one group.
func (f *fixture) one(t *testing.T, id string) *securitygroup.Group {
	t.Helper()
	page, err := f.Read(t.Context(), scopeOf(id), true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("read %s: got %+v, %v", id, page, err)
	}
	return page.Resources[0].Config.(*securitygroup.Group)
}
