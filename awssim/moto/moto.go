// Package moto runs moto, an independent emulator of AWS, as a child process for tests: the second opinion beside awssim.
//
// Tests that need it fail without it, with the command that installs it; they never skip. The child ends with the test,
// and also when the test process is killed, because it watches the pipe to its parent.
package moto

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Version is the release that the tests are written against; scripts/moto-install installs it.
const Version = "5.2.1"

// Install is what to run where moto is missing.
const Install = "scripts/moto-install"

// startLimit is how long moto may take to listen; it takes two seconds.
const startLimit = 2 * time.Minute

//go:embed launch.py
var launcher string

// Config configures a [Server]. The zero value is a working one.
type Config struct {
	// ManagedPolicies loads AWS's managed IAM policies, which slows the first IAM call and every reset by a second.
	ManagedPolicies bool
	// Env are further variables, as "NAME=value".
	Env []string
}

// Server is a running moto. It is safe for concurrent use.
type Server struct {
	url      string
	client   *http.Client
	accounts atomic.Int64
	stop     func()
}

// Credentials sign for one account of the server.
type Credentials struct {
	Account         string
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
}

// Start starts a server that ends with the test.
func Start(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	s, err := Launch(context.WithoutCancel(tb.Context()), cfg)
	if err != nil {
		tb.Fatalf("start moto %s: %v\ninstall it with %s", Version, err, Install)
	}
	tb.Cleanup(s.Close)
	return s
}

// Launch starts a server that runs until Close, until the context ends or until this process does. It returns once the
// server listens.
func Launch(ctx context.Context, cfg Config) (*Server, error) {
	python := Python()
	if err := check(ctx, python); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, python, "-c", launcher)
	cmd.Env = append(os.Environ(), "MOTO_EC2_LOAD_DEFAULT_AMIS=false", "MOTO_IAM_LOAD_MANAGED_POLICIES="+strconv.FormatBool(cfg.ManagedPolicies))
	cmd.Env = append(cmd.Env, cfg.Env...)
	var stderr tail
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("open a pipe to moto: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("open a pipe from moto: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("run %s: %w", python, err)
	}
	overdue := time.AfterFunc(startLimit, func() { _ = cmd.Process.Kill() }) // the read below then fails
	port, err := bufio.NewReader(stdout).ReadString('\n')
	overdue.Stop()
	if err != nil {
		_ = stdin.Close() // it is over anyway: what it said counts
		return nil, errors.Join(fmt.Errorf("moto did not start: %s", stderr.String()), cmd.Wait())
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	s := &Server{url: "http://127.0.0.1:" + strings.TrimSpace(port), client: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
	s.stop = sync.OnceFunc(func() {
		transport.CloseIdleConnections()
		_ = stdin.Close()      // the child ends when it reads this
		_ = cmd.Process.Kill() // and need not tidy up
		_ = cmd.Wait()         // killed: the status says nothing
	})
	return s, nil
}

// Python returns the interpreter that has moto: that of $MOTO_PYTHON, of the repository's .tools folder, or python3.
func Python() string {
	if path := os.Getenv("MOTO_PYTHON"); path != "" {
		return path
	}
	dir, err := os.Getwd()
	for err == nil {
		if path := filepath.Join(dir, ".tools", "moto", "bin", "python"); isFile(path) {
			return path
		}
		if isFile(filepath.Join(dir, "go.mod")) || filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	return "python3"
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// check fails if the interpreter has no moto, or another release.
func check(ctx context.Context, python string) error {
	out, err := exec.CommandContext(ctx, python, "-c", "import importlib.metadata as m; print(m.version('moto'))").Output()
	if err != nil {
		return fmt.Errorf("find moto with %s: %w", python, err)
	}
	if got := strings.TrimSpace(string(out)); got != Version {
		return fmt.Errorf("moto of %s is %s, not %s", python, got, Version)
	}
	return nil
}

// URL returns the endpoint of every service.
func (s *Server) URL() string { return s.url }

// Close ends the server. It may be called more than once.
func (s *Server) Close() { s.stop() }

// Account returns credentials of an account that nobody used before. Accounts of moto are separate, and cost nothing.
func (s *Server) Account(tb testing.TB) Credentials {
	tb.Helper()
	c, err := s.AssumeRole(tb.Context(), fmt.Sprintf("%012d", 300000000000+s.accounts.Add(1)), "test")
	if err != nil {
		tb.Fatalf("enter a new moto account: %v", err)
	}
	return c
}

// AssumeRole returns a session of a role in an account; with enforcement off moto asks for neither to exist.
func (s *Server) AssumeRole(ctx context.Context, account, role string) (Credentials, error) {
	form := url.Values{
		"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "RoleSessionName": {"test"},
		"RoleArn": {"arn:aws:iam::" + account + ":role/" + role},
	}
	body, err := s.call(ctx, Credentials{AccessKeyID: "test"}, "sts", form)
	if err != nil {
		return Credentials{}, fmt.Errorf("assume role %s in %s: %w", role, account, err)
	}
	var answer struct {
		Key    string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
		Secret string `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
		Token  string `xml:"AssumeRoleResult>Credentials>SessionToken"`
	}
	if err := xml.Unmarshal(body, &answer); err != nil {
		return Credentials{}, fmt.Errorf("read the session: %w", err)
	}
	return Credentials{account, answer.Key, answer.Secret, answer.Token}, nil
}

// AddRole makes an IAM role in the account of the credentials, whose sessions may do the given actions on every resource,
// and returns its ARN. It needs enforcement to be off, or credentials that may do that.
func (s *Server) AddRole(ctx context.Context, c Credentials, name string, actions ...string) (string, error) {
	policy, err := json.Marshal(map[string]any{
		"Version":   "2012-10-17",
		"Statement": []any{map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*"}},
	})
	if err != nil {
		return "", fmt.Errorf("encode the policy: %w", err)
	}
	arn := "arn:aws:iam::" + c.Account + ":role/" + name
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`
	for _, form := range []url.Values{
		{"Action": {"CreateRole"}, "RoleName": {name}, "AssumeRolePolicyDocument": {trust}},
		{"Action": {"PutRolePolicy"}, "RoleName": {name}, "PolicyName": {"actions"}, "PolicyDocument": {string(policy)}},
	} {
		form.Set("Version", "2010-05-08")
		if _, err := s.call(ctx, c, "iam", form); err != nil {
			return "", fmt.Errorf("add role %s: %w", arn, err)
		}
	}
	return arn, nil
}

// Reset forgets the state of every account. It does not switch enforcement off.
func (s *Server) Reset(ctx context.Context) error {
	_, err := s.post(ctx, "/moto-api/reset", "", nil)
	return err
}

// Enforce switches the evaluation of IAM policies and of signatures on or off, for every account. It is off at first.
// moto checks the action only: for EC2 a policy must have the resource "*".
func (s *Server) Enforce(ctx context.Context, on bool) error {
	allowed := "inf" // calls that are let through before enforcement begins
	if on {
		allowed = "0"
	}
	_, err := s.post(ctx, "/moto-api/reset-auth", allowed, nil)
	return err
}

// call makes a call of the query protocol. It is not signed: the header only names the caller and the service.
func (s *Server) call(ctx context.Context, c Credentials, service string, form url.Values) ([]byte, error) {
	return s.post(ctx, "/", form.Encode(), http.Header{
		"Content-Type":         {"application/x-www-form-urlencoded"},
		"Authorization":        {"AWS4-HMAC-SHA256 Credential=" + c.AccessKeyID + "/20260101/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=none"},
		"X-Amz-Security-Token": {c.SessionToken},
	})
}

func (s *Server) post(ctx context.Context, path, body string, header http.Header) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	maps.Copy(r.Header, header)
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask moto: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // read to the end below
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("read moto's answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("moto answered %s: %s", answer.Status, read)
	}
	return read, nil
}

// tail keeps the last of what the child says, for the message of a failure.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.buf.Len() > 1<<16 {
		t.buf.Next(t.buf.Len() / 2)
	}
	return t.buf.Write(p)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}
