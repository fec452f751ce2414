package main

import (
	"context"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
)

// browserWorld is the demo's engine at work on its simulated AWS, with a console.
type browserWorld struct {
	*demo
	t    *testing.T
	base string // address of the console
}

// openWorld begins the demo without a word of it, seeded, and lets the misconfigurations of these names appear.
func openWorld(t *testing.T, seed func(*demo), names ...string) *browserWorld {
	t.Helper()
	a := &cli{in: strings.NewReader(""), out: io.Discard, err: io.Discard, now: time.Now, consoleOn: "127.0.0.1:0"}
	a.hurry = func(c *engine.Config) { c.LeaseTTL = 10 * time.Second } // a job whose lease nobody gives back is begun again while a test waits
	dir := t.TempDir()
	if os.Getenv("DERA_SCREENSHOTS") != "" { // the commands that pages name are short then
		t.Chdir(dir)
		dir = ""
	}
	w := &browserWorld{t: t, demo: &demo{cli: a, dir: dir, out: io.Discard, paint: newPaint(io.Discard), settled: make(chan struct{}, 1)}}
	if err := w.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if seed != nil {
		seed(w.demo)
	}
	served := make(chan string, 1)
	w.session.onConsole = func(base string) error { served <- base; return nil }
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.session.serve(ctx, w.world.queue, time.Hour, newDiscardLog()) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := w.session.close(ctx); err != nil {
			t.Error(err)
		}
	})
	select {
	case w.base = <-served:
	case err := <-ended:
		ended <- err
		t.Fatalf("it ended: %v", err)
	}
	w.calm()
	for _, name := range names {
		w.happens(name)
	}
	return w
}

// calm waits until the engine has nothing to do.
func (w *browserWorld) calm() {
	w.t.Helper()
	if err := w.quiet(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// happens lets a misconfiguration of the demo appear.
func (w *browserWorld) happens(name string) {
	w.t.Helper()
	for _, c := range demoCases() {
		if c.name == name {
			if err := w.appear(w.t.Context(), c); err != nil {
				w.t.Fatal(err)
			}
			return
		}
	}
	w.t.Fatalf("the demo has no %s", name)
}

// plan is the one that waits for what has the name.
func (w *browserWorld) plan(name string) dera.Remediation {
	w.t.Helper()
	list, err := w.session.store.RemediationsIn(w.t.Context(), dera.Waiting)
	if err != nil {
		w.t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(r dera.Remediation) bool {
		return slices.Contains([]string{name, w.groups[name]}, r.Plan.Resource.Name())
	})
	if i < 0 {
		w.t.Fatalf("no plan waits for %s", name)
	}
	return list[i]
}

// state is that of a remediation when the engine has nothing to do.
func (w *browserWorld) state(id string) dera.State {
	w.t.Helper()
	w.calm()
	r, err := w.session.store.Remediation(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.State
}

// is fails where a remediation is not in the state when the engine has nothing to do.
func (w *browserWorld) is(id string, want dera.State) {
	w.t.Helper()
	if got := w.state(id); got != want {
		w.t.Errorf("the remediation %s is %s, want %s", id, got, want)
	}
}

// ingress are the sources that a group of the simulated AWS lets in.
func (w *browserWorld) ingress(name string) []string {
	var out []string
	for _, g := range w.world.cloud.Snapshot().Groups {
		for _, r := range g.Rules {
			if g.ID == w.groups[name] && !r.Egress {
				out = append(out, r.CIDR)
			}
		}
	}
	return out
}

// opens opens another port of a group, as a person does.
func (w *browserWorld) opens(account int, name string, port int) {
	w.t.Helper()
	if _, err := w.region(account).Authorize(w.t.Context(), w.groups[name], awssim.Rule{Protocol: "tcp", FromPort: port, ToPort: port, CIDR: "0.0.0.0/0"}); err != nil {
		w.t.Fatal(err)
	}
	w.calm()
}

// link lets in the person of this name; without one, to look alone.
func (w *browserWorld) link(name string) string {
	w.t.Helper()
	var by dera.Actor
	if name != "" {
		by = dera.Actor{Name: "arn:aws:sts::100000000001:assumed-role/security/" + name, How: engine.HowConsole}
	}
	link, err := w.session.consoleLinkTo(w.base, by)
	if err != nil {
		w.t.Fatal(err)
	}
	return link
}

// enter opens a tab with a session, when the console lists as many plans as wait.
func (w *browserWorld) enter(b *browser, name string, width int64) *tab {
	w.t.Helper()
	x := b.tab(w.t, width)
	if status := x.open(w.link(name)); status != 200 {
		w.t.Fatalf("the link led to a page with status %d: %s", status, x.text())
	}
	waiting, err := w.session.store.RemediationsIn(w.t.Context(), dera.Waiting)
	if err != nil {
		w.t.Fatal(err)
	}
	x.until("document.querySelectorAll('#list a').length === " + strconv.Itoa(len(waiting)))
	x.open(w.base + "/")
	return x
}
