package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/engine"
	"dera.example/dera/resource"
)

// fixes are the documents and functions of the customer of a world: what each does to a
// group, how long it takes and how it ends.
type fixes struct {
	w     *world
	clock *clock
	mu    sync.Mutex
	hash  map[string]string
	does  map[string]func(id string)
	takes time.Duration
	ends  map[string]string // how one ends; empty is success
	// lose loses the answer to so many starts; refuse refuses all; moved changes what is
	// started right before the start.
	lose   int
	unsent func() error // of a start that cannot be sent
	refuse error
	moved  bool
	calls  int               // starts that were sent
	tokens map[string]string // of documents, the execution
	runs   map[string]*fixRun
}

type fixRun struct {
	of, group string
	done      time.Time
	over      bool
}

type refusedError struct{}

func (refusedError) Error() string { return "InvalidAutomationExecutionParametersException" }
func (refusedError) Refused() bool { return true }

type movedError struct{}

func (movedError) Error() string { return "it is not what was approved any more" }
func (movedError) Moved() bool   { return true }

const (
	closing   = "Acme-ClosePort"
	reopening = "Acme-OpenPort"
)

// newFixWorld is a world in which custom fixes, by a document or a function, are those of a
// control.
func newFixWorld(t interface {
	Helper()
}, w func(set func(*world)) *world, id string, fix control.CustomFix) (*world, *fixes) {
	t.Helper()
	f := &fixes{hash: map[string]string{closing: "h1", reopening: "h2"}, does: map[string]func(string){}, ends: map[string]string{}, tokens: map[string]string{}, runs: map[string]*fixRun{}}
	made := w(func(w *world) {
		f.w, f.clock = w, w.clock
		w.config = func(c *engine.Config) {
			c.Custom = f
			c.Controls = slices.Clone(c.Controls)
			for i := range c.Controls {
				if c.Controls[i].ID == id {
					c.Controls[i] = c.Controls[i].WithCustom(fix)
				}
			}
		}
	})
	ssh := tcp(22, 22, "0.0.0.0/0")
	f.does[closing] = func(id string) { made.revoke(id, ssh) }
	f.does[reopening] = func(id string) { made.authorize(id, ssh) }
	return made, f
}

// byDocument is a fix by a document, with its undo or without.
func byDocument(undo bool) control.CustomFix {
	run := func(name string) control.CustomRun {
		return control.CustomRun{Document: name, Timeout: 30 * time.Minute, Role: "automation", Parameters: map[string][]string{"Group": {"{resource_id}"}, "Where": {"{account}/{region}"}}}
	}
	fix := control.CustomFix{Run: run(closing)}
	if undo {
		back := run(reopening)
		fix.Undo = &back
	}
	return fix
}

func byFunction() control.CustomFix {
	return control.CustomFix{Run: control.CustomRun{Function: closing, Version: "7", Parameters: map[string][]string{"Group": {"{resource_id}"}}}}
}

func (f *fixes) BindCustom(_ context.Context, _ dera.Resource, in dera.CustomInput, _ bool) (dera.CustomInput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	bind := func(in *dera.CustomInput) {
		in.Version, in.Hash = "3", f.hash[in.Document+in.Function]
		if in.Function != "" {
			in.Seconds = 30
		}
	}
	bind(&in)
	if in.Undo != nil {
		undo := *in.Undo
		in.Undo = &undo
		bind(in.Undo)
	}
	return in, nil
}

func (f *fixes) StartCustom(ctx context.Context, p dera.Plan, op resource.Operation, token string, allowed func(context.Context) error) (dera.CustomRun, string, error) {
	var in dera.CustomInput
	if err := resource.Decode(op, &in); err != nil {
		return dera.CustomRun{}, "", err
	}
	name := in.Document + in.Function
	if f.unsent != nil {
		if err := f.unsent(); err != nil {
			return dera.CustomRun{}, "", err
		}
	}
	if f.moved || f.hash[name] != in.Hash {
		return dera.CustomRun{}, "", movedError{}
	}
	if err := allowed(ctx); err != nil {
		return dera.CustomRun{}, "", err
	}
	if err := f.w.at(stepCall); err != nil {
		return dera.CustomRun{}, "", err
	}
	f.mu.Lock()
	f.calls++
	if f.refuse != nil {
		f.mu.Unlock()
		return dera.CustomRun{}, "req-1", f.refuse
	}
	id, again := f.tokens[token]
	if !again || in.Function != "" {
		id = fmt.Sprintf("e-%d", len(f.runs)+1)
		f.tokens[token] = id
		f.runs[id] = &fixRun{of: name, group: p.Resource.Name(), done: f.clock.Now().Add(f.takes)}
	}
	lost := f.lose > 0
	f.lose--
	f.mu.Unlock()
	f.carry(id)
	if err := f.w.at(stepCall); err != nil {
		return dera.CustomRun{}, "", err
	}
	if lost {
		return dera.CustomRun{}, "", fmt.Errorf("the connection broke")
	}
	if in.Function != "" {
		return dera.CustomRun{Ended: true, Failed: f.ends[name]}, "req-1", nil
	}
	return dera.CustomRun{Execution: id}, "req-1", nil
}

// carry lets a run that is over have its effect.
func (f *fixes) carry(id string) {
	f.mu.Lock()
	r := f.runs[id]
	due := !r.over && !f.clock.Now().Before(r.done)
	r.over = r.over || due
	f.mu.Unlock()
	if do := f.does[r.of]; due && do != nil {
		do(r.group)
	}
}

func (f *fixes) CustomRun(_ context.Context, _ dera.Plan, execution string) (dera.CustomRun, error) {
	if err := f.w.at(stepCall); err != nil {
		return dera.CustomRun{}, err
	}
	f.carry(execution)
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.runs[execution]
	if r == nil {
		return dera.CustomRun{}, fmt.Errorf("there is no execution %q", execution)
	}
	out := dera.CustomRun{Execution: execution, Ended: r.over}
	if r.over {
		out.Failed = f.ends[r.of]
	}
	return out, nil
}

// ran counts the runs of a document or a function.
func (f *fixes) ran(name string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.runs {
		if r.of == name {
			n++
		}
	}
	return n
}

// also lets a document do something else too.
func (f *fixes) also(name string, do func(id string)) {
	first := f.does[name]
	f.does[name] = func(id string) {
		if first != nil {
			first(id)
		}
		do(id)
	}
}

// saidOf is all that a remediation says of what happened.
func saidOf(r dera.Remediation) string {
	var out []string
	for _, s := range r.Steps {
		out = append(out, string(s.State)+": "+s.Why)
	}
	return strings.Join(slices.Concat(out, r.Notes, r.Unexpected, []string{r.Failure}), "\n")
}
