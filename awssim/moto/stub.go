package moto

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

//go:embed stub.py
var stubber string

// Stub is a server that answers as tests script it, in the shapes of botocore's model: for
// what moto does not have. It is safe for concurrent use.
type Stub struct {
	server *Server
	worlds atomic.Int64
}

// Answer is one answer to a call.
type Answer struct {
	// When are the members that a request must have for this answer; nil for any request.
	// Answers with such members go before those without. Of those that fit each is given
	// once, and the last again and again.
	When map[string]any
	// Output is the answer as the model has it, with its names; nil for an empty one.
	Output map[string]any
	// Error is the code of an error in place of the answer. A dry run gets DryRunOperation
	// where there is none. Status is its HTTP status; 0 for 400, or 403 of a denial.
	Error, Message string
	Status         int
	// Sets are what other operations of the service answer from then on, by their names; also
	// with an error, which is then one after the write took effect, and never of a dry run.
	Sets map[string]map[string]any
}

// StubCall is a call that was answered. Input has the model's names.
type StubCall struct {
	Service, Operation, Region string
	Input                      map[string]any
}

// StubWorld is what one access key sees of a stub.
type StubWorld struct {
	Credentials
	tb   testing.TB
	stub *Stub
}

// StartStub starts a server that ends with the test, or fails it with what installs moto.
func StartStub(tb testing.TB) *Stub {
	tb.Helper()
	python := Python()
	ctx := context.WithoutCancel(tb.Context())
	if err := check(ctx, python); err != nil {
		tb.Fatalf("start the stub: %v\ninstall moto with %s", err, Install)
	}
	cmd := exec.CommandContext(ctx, python, "-W", "ignore", "-c", stubber)
	var stderr tail
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatalf("run %s: %v", python, err)
	}
	tb.Cleanup(func() {
		_ = stdin.Close() // the child ends when it reads this
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed: the status says nothing
	})
	overdue := time.AfterFunc(startLimit, func() { _ = cmd.Process.Kill() }) // the read below then fails
	defer overdue.Stop()
	port, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		tb.Fatalf("the stub did not start: %v: %s", err, stderr.String())
	}
	return &Stub{server: &Server{url: "http://127.0.0.1:" + strings.TrimSpace(port), client: &http.Client{Timeout: 30 * time.Second}}}
}

// World returns a world of its own, whose caller is in the account 111122223333. When the
// test ends it fails for every request that did not fit the model or that had no answer.
func (s *Stub) World(tb testing.TB) *StubWorld {
	tb.Helper()
	return s.Before(tb, Credentials{"111122223333", fmt.Sprintf("AKIASTUB%012d", s.worlds.Add(1)), "none", ""}, "")
}

// Before returns the world of a caller of another server: what has no script goes on to its
// URL.
func (s *Stub) Before(tb testing.TB, c Credentials, url string) *StubWorld {
	tb.Helper()
	w := &StubWorld{Credentials: c, tb: tb, stub: s}
	w.say("/stub/on", map[string]any{"forward": url})
	tb.Cleanup(func() {
		for _, p := range w.Problems() {
			tb.Errorf("stub: %s", p)
		}
	})
	return w
}

// URL returns the endpoint of every service.
func (w *StubWorld) URL() string { return w.stub.server.url }

// On says how calls of an operation are answered from now on; the service is by botocore's
// name, for example "ec2". No answer takes the script away.
func (w *StubWorld) On(service, operation string, answers ...Answer) {
	w.tb.Helper()
	list := []map[string]any{}
	for _, a := range answers {
		list = append(list, map[string]any{"when": a.When, "output": a.Output, "error": a.Error, "message": a.Message, "status": a.Status, "sets": a.Sets})
	}
	w.say("/stub/on", map[string]any{"service": service, "operation": operation, "answers": list})
}

// Calls returns the calls of an operation, or of all for "", in their order. Those that went
// on to another server are not among them.
func (w *StubWorld) Calls(operation string) (out []StubCall) {
	w.tb.Helper()
	for _, c := range w.seen(false).Calls {
		if operation == "" || c.Operation == operation {
			out = append(out, c)
		}
	}
	return out
}

// Problems returns what was wrong since it was last asked: for tests in which something
// shall be.
func (w *StubWorld) Problems() []string {
	w.tb.Helper()
	return w.seen(true).Problems
}

type seen struct {
	Calls    []StubCall
	Problems []string
}

func (w *StubWorld) seen(drain bool) (out seen) {
	w.tb.Helper()
	if err := json.Unmarshal(w.say("/stub/seen", map[string]any{"drain": drain}), &out); err != nil {
		w.tb.Fatalf("read what the stub was asked: %v", err)
	}
	return out
}

// say also holds when the test is over: problems are asked for then.
func (w *StubWorld) say(path string, what map[string]any) []byte {
	w.tb.Helper()
	what["key"] = w.AccessKeyID
	body, err := json.Marshal(what)
	if err != nil {
		w.tb.Fatalf("encode for the stub: %v", err)
	}
	out, err := w.stub.server.post(context.WithoutCancel(w.tb.Context()), path, string(body), nil)
	if err != nil {
		w.tb.Fatalf("tell the stub: %v", err)
	}
	return out
}
