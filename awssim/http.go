package awssim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxBody is the largest request that is read: SQS takes 1 MiB of messages, and JSON quoting may double that.
const maxBody = 4 << 20

// ServeHTTP answers one call. A call that hangs by a fault ends with its connection, unanswered.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := c.serve(r)
	if err != nil {
		panic(http.ErrAbortHandler) // the documented way to cut the connection
	}
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body) // a client that is gone cannot be told
}

// Transport returns a RoundTripper that serves every request in the caller's goroutine, whatever its host.
func (c *Cloud) Transport() http.RoundTripper {
	return transport{c}
}

// HTTPClient returns a client over [Cloud.Transport]. The AWS SDK takes it as aws.Config.HTTPClient.
func (c *Cloud) HTTPClient() *http.Client {
	return &http.Client{Transport: c.Transport()}
}

type transport struct{ cloud *Cloud }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }() // RoundTrip must close; the body is in memory
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	answer, err := t.cloud.serve(r)
	if err == nil {
		err = r.Context().Err() // an answer that comes too late is not heard
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", answer.status, http.StatusText(answer.status)), StatusCode: answer.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: answer.header, Body: io.NopCloser(bytes.NewReader(answer.body)), ContentLength: int64(len(answer.body)),
	}, nil
}

// Serve serves the cloud on a loopback address such as "127.0.0.1:0" until the context ends. It calls ready with the
// base URL once it listens. It refuses an address that others could reach.
func Serve(ctx context.Context, c *Cloud, addr string, ready func(baseURL string)) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("read address %q: %w", addr, err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("listen on %q: not a loopback address", addr)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %q: %w", addr, err)
	}
	server := &http.Server{Handler: c, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if ready != nil {
		ready("http://" + listener.Addr().String())
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve on %q: %w", addr, err)
	}
	return nil
}

// serve reads the request and takes the call through the pipeline.
func (c *Cloud) serve(r *http.Request) (response, error) {
	req, err := c.read(r)
	if err != nil {
		e := asError(err)
		return response{status: e.Status, header: http.Header{"Content-Type": {"text/plain"}}, body: []byte(e.Error() + "\n")}, nil
	}
	return c.handle(r.Context(), req)
}

// read finds out which service, Region and operation a request means, and who sends it.
func (c *Cloud) read(r *http.Request) (request, error) {
	req := request{userAgent: r.UserAgent(), sourceIP: sourceIP(r), host: r.Host, token: r.Header.Get("X-Amz-Security-Token")}
	if req.host == "" {
		req.host = r.URL.Host
	}
	req.readAuthorization(r)
	if req.service == "" {
		req.readHost()
	}
	if _, ok := c.services[req.service]; !ok {
		return req, notSimulated("the service %q", req.service)
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody)); err != nil {
			return req, errorf(400, "InvalidRequest", "read the request: %v", err)
		}
	}
	switch req.service {
	case "sqs", "config", "events":
		return req, req.readJSON(r, body)
	case "s3", "cloudfront", "scheduler", "backup", "lambda", "securityhub":
		err := req.readREST(r, body)
		return req, err
	}
	return req, req.readForm(r, body)
}

// readAuthorization reads the SigV4 header: Credential=KEY/date/region/service/aws4_request.
func (req *request) readAuthorization(r *http.Request) {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	scope, _, _ = strings.Cut(scope, ",")
	if parts := strings.Split(strings.TrimSpace(scope), "/"); len(parts) == 5 {
		req.accessKey, req.region, req.service = parts[0], parts[2], parts[3]
	}
}

// readHost reads service.region.amazonaws.com.
func (req *request) readHost() {
	parts := strings.Split(req.host, ".")
	if len(parts) >= 4 && parts[2] == "amazonaws" {
		req.service, req.region = parts[0], parts[1]
	}
}

func (req *request) readForm(r *http.Request, body []byte) error {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return errorf(400, "MalformedQueryString", "%v", err)
	}
	for name, values := range r.URL.Query() {
		form[name] = values
	}
	req.setForm(form)
	return nil
}

// setForm takes the parameters of the query protocol.
func (req *request) setForm(form url.Values) {
	req.operation = form.Get("Action")
	form.Del("Action")
	form.Del("Version")
	req.form = parseParameters(form)
	req.flat = make(map[string]string, len(form))
	for name, values := range form {
		req.flat[name] = values[0]
	}
}

func (req *request) readJSON(r *http.Request, body []byte) error {
	_, req.operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	req.body = body
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return errorf(400, "SerializationException", "%v", err)
	}
	req.flat = make(map[string]string, len(members))
	for name, value := range members {
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		req.flat[name] = text
	}
	return nil
}

func sourceIP(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return "192.0.2.1" // no socket: an address for documentation
}
