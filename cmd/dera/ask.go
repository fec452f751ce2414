package main

import (
	"bufio"
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/engine"
	"dera.example/dera/services"
)

// interactive reports whether a person reads the output and types the input, so
// that a question can be asked.
func (a *cli) interactive() bool {
	in, ok := a.in.(*os.File)
	_, out := terminal(a.out)
	return ok && out && !a.json() && term.IsTerminal(int(in.Fd()))
}

// mostTyped bounds an answer.
const mostTyped = 4 << 10

// listen returns the lines that are typed from now on; the channel is closed at the
// end of the input.
func (a *cli) listen() <-chan string {
	lines := make(chan string, 256) // so that what is typed early does not wait in the terminal
	go func() {
		defer close(lines)
		s := bufio.NewScanner(a.in)
		s.Buffer(make([]byte, 0, mostTyped), mostTyped)
		for s.Scan() {
			lines <- strings.TrimSpace(s.Text())
		}
	}()
	return lines
}

// ask writes a question and returns the line that is typed after it; it is empty at
// the end of the input. What was typed before the question answers nothing: it asks
// when nothing came for a moment, and not where that never is. It ends with ctx.
func (a *cli) ask(ctx context.Context, lines <-chan string, question string) (string, error) {
	const moment, most = 100 * time.Millisecond, 3 * time.Second
	late := time.After(most)
	for early := true; early; {
		select {
		case _, early = <-lines:
		case <-time.After(moment):
			early = false
		case <-late:
			return "", &exitError{exitNo, errors.New("input keeps coming before the question, so nobody can answer it; nothing was changed")}
		}
	}
	a.printf("%s ", question)
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case s, ok := <-lines:
		if !ok {
			a.printf("\n")
		}
		return s, nil
	}
}

var errNotApproved = errors.New("not approved; nothing was changed")

// askApproval shows a plan, asks whether to approve it, and returns the digest of
// what was shown. Anything but a yes is an error.
func (a *cli) askApproval(ctx context.Context, s *session, r dera.Remediation, lines <-chan string) (string, error) {
	if r.State != dera.Waiting && !(r.State == dera.Ready && r.Approved()) {
		return "", &exitError{exitNo, &engine.RefusedError{Why: "remediation " + r.ID + " does not wait for an approval: it is " + string(r.State)}}
	}
	v, about, err := app.Show(ctx, s.store, r.ID, s.app.orderFlags(), s.app.now())
	if err != nil {
		return "", notFound(err)
	}
	v = v.Redacted(services.Types())
	if err := a.printProposal(v, about); err != nil {
		return "", err
	}
	switch typed, err := a.ask(ctx, lines, "Approve this plan? [y/N]"); {
	case err != nil:
		return "", err
	case !strings.EqualFold(typed, "y") && !strings.EqualFold(typed, "yes"):
		return "", &exitError{exitNo, errNotApproved}
	}
	return v.Remediation.Digest, nil
}

// printProposal shows what a person is asked about: what is wrong, the plan, what
// stays to be decided, why it was not done automatically, the evidence, and until
// when it waits.
func (a *cli) printProposal(v app.Shown, about *dera.Finding) error {
	p := newPaint(a.out)
	width, _ := terminal(a.out)
	if about != nil {
		a.printf("%s  %s\n%s\n", p.severity(about.Severity), p.bold(about.Title), wrap(about.Why, "  ", width))
	}
	r := *v.Remediation
	lowered := r
	lowered.Decision.Reasons = r.Decision.Lowered()
	v.Remediation = &lowered
	a.printRemediation(p, v, true, width)
	if err := a.printEvidence(p, v.Evidence, width); err != nil {
		return err
	}
	a.printf("\nexpires %s\n", app.Stamp(r.Expires))
	return nil
}
