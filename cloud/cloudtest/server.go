package cloudtest

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"dera.example/dera/cloud"
)

// Asked is one call that a Server got: of the query protocol with its form, of the
// JSON protocol with its body. One of the REST protocols names no operation: it has its
// method and path.
type Asked struct {
	Operation string
	Path      string // for example GET /detector?maxResults=2
	Form      url.Values
	Body      string
}

// Server is a client on a server that answers as a test says, for the wires of
// services that awssim does not have. STS knows the account Hub.
type Server struct {
	*cloud.Client
	mu    sync.Mutex
	asked []Asked
}

// NewServer returns a client with the wires. answer is called for one call at a time.
func NewServer(t *testing.T, wires []cloud.Wire, answer func(Asked) (status int, body string), ports ...map[string]any) *Server {
	t.Helper()
	s := &Server{}
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a test that gets half of it fails
		a := Asked{Body: string(body), Path: r.Method + " " + r.URL.RequestURI()}
		if _, a.Operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), "."); a.Operation == "" {
			a.Form, _ = url.ParseQuery(a.Body)
			a.Operation = a.Form.Get("Action")
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, a)
		status, text := 200, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Account>`+Hub+
			`</Account><Arn>arn:aws:iam::`+Hub+`:user/x</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`
		if a.Operation != "GetCallerIdentity" {
			status, text = answer(a)
		}
		out.WriteHeader(status)
		_, _ = fmt.Fprint(out, text) // a client that disconnected has failed already
	}))
	t.Cleanup(server.Close)
	given := map[string]any{}
	for _, p := range ports {
		maps.Copy(given, p)
	}
	var err error
	s.Client, err = cloud.New(t.Context(), cloud.Config{
		Wires: wires, Region: East, Endpoint: server.URL, Timeout: 10 * time.Second, Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "none", ""), Ports: given,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Sent are the calls of an operation.
func (s *Server) Sent(operation string) (out []Asked) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asked {
		if a.Operation == operation {
			out = append(out, a)
		}
	}
	return out
}

// At returns a client with the wires on a server at a URL, such as a stub's, as the holder
// of an access key. observe, which may be nil, sees each call.
func At(t *testing.T, wires []cloud.Wire, url, key string, observe func(cloud.Call)) *cloud.Client {
	t.Helper()
	c, err := cloud.New(t.Context(), cloud.Config{
		Wires: wires, Region: East, Endpoint: url, Timeout: 10 * time.Second, Credentials: credentials.NewStaticCredentialsProvider(key, "none", ""), Observe: observe,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
