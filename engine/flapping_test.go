package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
)

const (
	eve      = "arn:aws:iam::" + account + ":user/eve"
	deployer = "arn:aws:sts::" + account + ":assumed-role/deployer/ci"
)

func flappingWorld(t *testing.T) *world {
	return newWorldWith(t, func(w *world) {
		code := evaluate.Code{Principals: []string{"arn:aws:iam::*:role/deployer"}}
		flap := evaluate.Flapping{Code: code, Now: w.clock.Now}
		w.gate = func(g *evaluate.Gate) { g.Finding = append(g.Finding, code, flap) }
		w.config = func(c *engine.Config) {
			c.Flapping, c.Own = flap, []string{"arn:aws:iam::" + account + ":user/dera"}
		}
	})
}

// reopen opens SSH again and tells of it, by an authenticated event.
func (w *world) reopen(id, actor, agent string) {
	w.t.Helper()
	w.clock.Advance(10 * time.Minute)
	if _, err := w.region.Authorize(w.t.Context(), id, tcp(22, 22, "0.0.0.0/0")); err != nil {
		w.t.Fatal(err)
	}
	ev := w.event(id)
	ev.Actor, ev.UserAgent, ev.Authenticated = actor, agent, true
	w.ingest(ev)
}

// TestReopeningDoesNotSwitchDeraOff: whoever opens SSH five times finds it closed
// five times, a bit later each time, and people are called.
func TestReopeningDoesNotSwitchDeraOff(t *testing.T) {
	t.Parallel()
	w := flappingWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.look(id)
	var waits []time.Duration
	for range 5 {
		w.reopen(id, eve, "console")
		began := w.clock.Now()
		w.quiet()
		if got := w.ingress(id); len(got) > 0 {
			t.Fatalf("after %d times: got %q, want it closed", len(waits)+1, got)
		}
		r := w.remediations(id)
		for _, s := range r[len(r)-1].Steps {
			if s.State == dera.Applying {
				waits = append(waits, s.At.Sub(began).Truncate(time.Minute))
			}
		}
	}
	if want := []time.Duration{0, 0, time.Minute, 2 * time.Minute, 4 * time.Minute}; !slices.Equal(waits, want) {
		t.Errorf("waits: got %v, want %v", waits, want)
	}
	calls := 0
	for _, n := range w.news {
		if n.What == "flapping" {
			calls++
		}
	}
	if calls != 3 {
		t.Errorf("calls for attention: got %d, want one each from the third time on", calls)
	}
	if f := w.findings(id)["ec2-securitygroup-admin-ports-open tcp/22"]; len(f.Returns) != 5 || f.LastActor != eve {
		t.Errorf("got %d returns by %q, want 5 by eve", len(f.Returns), f.LastActor)
	}
}

// TestCodeThatBringsItBack: against a declared principal of infrastructure as
// code dera stops, and its owner gets the diff of the code instead of a write.
func TestCodeThatBringsItBack(t *testing.T) {
	t.Parallel()
	w := flappingWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.look(id)
	for range 3 {
		w.reopen(id, deployer, "aws-sdk-go")
		w.quiet()
	}
	if got := w.ingress(id); len(got) != 1 {
		t.Fatalf("after three times: got %q, want dera to let it be", got)
	}
	r := w.remediations(id)
	last := r[len(r)-1]
	if last.State != dera.Waiting || last.Code == nil || last.Code.Language != "terraform" || !slices.ContainsFunc(last.Code.Lines, func(l string) bool { return strings.HasPrefix(l, "-resource ") }) {
		t.Fatalf("got %s with %+v, want it to wait with a diff for Terraform", last.State, last.Code)
	}
	records, err := w.store.Leaves(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(slices.Concat(records...)), "as terraform:") {
		t.Errorf("no record tells the diff")
	}
}

// TestWhatDeraDoesIsNoFlap: what dera's own role did counts for nothing.
func TestWhatDeraDoesIsNoFlap(t *testing.T) {
	t.Parallel()
	w := flappingWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.look(id)
	w.reopen(id, "arn:aws:iam::"+account+":user/dera", "dera")
	w.quiet()
	f := w.findings(id)["ec2-securitygroup-admin-ports-open tcp/22"]
	if f.LastActor != "" || len(f.Returns) != 0 {
		t.Errorf("got last actor %q, %d returns, want nobody, none", f.LastActor, len(f.Returns))
	}
}

// TestCodeOwnerGetsADiff: a resource of CloudFormation is not written to.
func TestCodeOwnerGetsADiff(t *testing.T) {
	t.Parallel()
	w := flappingWorld(t)
	id := w.group("web", tcp(0, 65535, "0.0.0.0/0"))
	if err := w.region.Tag(t.Context(), id, map[string]string{"managed-by": "aws-cdk"}); err != nil {
		t.Fatal(err)
	}
	w.sweep()
	if calls := w.ours(""); len(calls) > 0 {
		t.Errorf("writes: got %d, want none", len(calls))
	}
	for _, r := range w.remediations(id) {
		if r.State != dera.Waiting || r.Code == nil || r.Code.Language != "cloudformation" {
			t.Fatalf("%s: got %s with %+v, want it to wait with a diff for CloudFormation", r.Control, r.State, r.Code)
		}
	}
	r := slices.DeleteFunc(w.remediations(id), func(r dera.Remediation) bool { return r.Control != "ec2-securitygroup-admin-ports-open" })
	text := strings.Join(r[0].Code.Lines, "\n")
	for _, want := range []string{"-    ToPort: 65535", "+    FromPort: 23", "+    ToPort: 21"} {
		if !strings.Contains(text, want) {
			t.Errorf("the diff does not hold %q:\n%s", want, text)
		}
	}
}
