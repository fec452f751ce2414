package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// front stands before an AWS: it counts calls, notes what writes to security groups were taken, and refuses a request whose
// signature is older than AWS takes, which moto does not.
type front struct {
	*httptest.Server
	calls, late atomic.Int64

	mu    sync.Mutex
	taken map[string]map[string]int // by group, operation and network
}

func newFront(t *testing.T, upstream string, validity time.Duration) *front {
	t.Helper()
	to, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{taken: map[string]map[string]int{}}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host }}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.calls.Add(1)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body)) // what is none has no action
		what := form.Get("Action")
		if what != "AuthorizeSecurityGroupIngress" && what != "RevokeSecurityGroupIngress" || form.Get("DryRun") == "true" {
			proxy.ServeHTTP(w, r)
			return
		}
		if signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date")); err != nil || time.Since(signed) > validity+time.Second {
			f.late.Add(1)
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `<Response><Errors><Error><Code>RequestExpired</Code><Message>Request has expired.</Message></Error></Errors><RequestID>late</RequestID></Response>`)
			return
		}
		answer := httptest.NewRecorder()
		proxy.ServeHTTP(answer, r.WithContext(context.WithoutCancel(r.Context()))) // AWS does what it took, whoever waits for it
		if answer.Code == http.StatusOK {
			f.note(form, what)
		}
		for k, v := range answer.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes()) // who asked may be dead
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *front) note(form url.Values, what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := form.Get("GroupId")
	if f.taken[id] == nil {
		f.taken[id] = map[string]int{}
	}
	for k, v := range form {
		if strings.Contains(k, "CidrIp") {
			f.taken[id][what+" "+v[0]]++
		}
	}
}

// writes are those that were taken.
func (f *front) writes() map[string]map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.taken
}
