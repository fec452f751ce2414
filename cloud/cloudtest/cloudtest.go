// Package cloudtest is a client on a simulated AWS, for the tests of package cloud
// and of the wires.
package cloudtest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
)

// The accounts and the region of tests.
const (
	Hub    = "111122223333"
	Member = "444455556666"
	East   = "us-east-1"
)

// Wire is the network between a client and a simulated AWS. It keeps the form of
// every request.
type Wire struct {
	Cloud  *awssim.Cloud
	Answer func(form url.Values) *http.Response // nil, or a nil answer: the simulation's
	Before func(form url.Values) error

	mu    sync.Mutex
	forms []url.Values
}

// RoundTrip implements http.RoundTripper.
func (w *Wire) RoundTrip(r *http.Request) (*http.Response, error) {
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
	if w.Before != nil {
		if err := w.Before(form); err != nil {
			return nil, err
		}
	}
	if w.Answer != nil {
		if res := w.Answer(form); res != nil {
			res.Request = r
			return res, nil
		}
	}
	return w.Cloud.Transport().RoundTrip(r)
}

// Sent are the requests of an action.
func (w *Wire) Sent(action string) []url.Values {
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

// Failure is an error answer as EC2 sends it.
func Failure(status int, code, message string) *http.Response {
	body := `<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>` + code + `</Code><Message>` + message +
		`</Message></Error></Errors><RequestID>r</RequestID></Response>`
	if code == "" {
		body = "no"
	}
	return Answer(status, body)
}

// Answer is an answer of XML.
func Answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(body))}
}

// Fixture is a client on a simulated AWS.
type Fixture struct {
	*cloud.Client
	Wire  *Wire
	Cloud *awssim.Cloud
	Home  *awssim.Region // of Hub
	Calls []cloud.Call
}

// Static are credentials as the SDK takes them.
func Static(c awssim.Credentials) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
}

// Allow lets a write go out.
func Allow(context.Context) error { return nil }

// New returns a client with the wires. Its endpoint is an address, as that of an
// emulator is.
func New(t *testing.T, wires []cloud.Wire, set func(*cloud.Config)) *Fixture {
	t.Helper()
	sim := awssim.New(awssim.Config{Seed: 3})
	f := &Fixture{Cloud: sim, Wire: &Wire{Cloud: sim}, Home: sim.Account(Hub).Region(East)}
	cfg := cloud.Config{
		Wires: wires, Region: East, HTTPClient: &http.Client{Transport: f.Wire}, Endpoint: "https://127.0.0.1", Timeout: 10 * time.Second,
		Credentials: Static(sim.Account(Hub).Credentials()),
		Observe: func(c cloud.Call) {
			f.Wire.mu.Lock()
			defer f.Wire.mu.Unlock()
			f.Calls = append(f.Calls, c)
		},
	}
	if set != nil {
		set(&cfg)
	}
	var err error
	if f.Client, err = cloud.New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	return f
}
