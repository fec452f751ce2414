package main

import (
	"bufio"
	"context"
	"errors"
	"os"
	"strings"

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

// ask writes a question and returns the line that is typed; it is empty at the end
// of the input. It ends with ctx: what is typed then is nobody's answer.
func (a *cli) ask(ctx context.Context, question string) (string, error) {
	a.printf("%s ", question)
	line := make(chan string, 1)
	go func() {
		s := bufio.NewScanner(a.in)
		s.Buffer(make([]byte, 0, mostTyped), mostTyped)
		if !s.Scan() { // without a line the answer is empty, which is a no
			a.printf("\n")
		}
		line <- strings.TrimSpace(s.Text())
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case s := <-line:
		return s, nil
	}
}

var errNotApproved = errors.New("not approved; nothing was changed")

// askApproval shows a plan, asks whether to approve it, and returns the digest of
// what was shown. Anything but a yes is an error.
func (a *cli) askApproval(ctx context.Context, s *session, r dera.Remediation) (string, error) {
	if r.State != dera.Waiting {
		return "", &exitError{exitNo, &engine.RefusedError{Why: "remediation " + r.ID + " does not wait for an approval: it is " + string(r.State)}}
	}
	v, about, err := app.Show(ctx, s.store, r.ID)
	if err != nil {
		return "", notFound(err)
	}
	v = v.Redacted(services.Types())
	if err := a.printProposal(v, about); err != nil {
		return "", err
	}
	switch typed, err := a.ask(ctx, "Approve this plan? [y/N]"); {
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
