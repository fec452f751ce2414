package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera/app"
	"dera.example/dera/audit"
	"dera.example/dera/cloud"
	"dera.example/dera/services"
)

// whyFlags are what dera why is asked with flags.
type whyFlags struct {
	principal, action, resource, at  string
	from, to, protocol, certificates string
	port                             uint16
}

func newWhyCommand(a *cli) *cobra.Command {
	var f whyFlags
	cmd := &cobra.Command{
		Use:   "why [ERROR]",
		Short: "Was it dera? Answer for a denied request or a refused connection",
		Long: "why answers whether a change of dera denied a request or refused a connection. A denied request is given as the\n" +
			"text of its error, as AWS, its command line or an SDK prints it: as the argument, as - from standard input, or\n" +
			"with --principal, --action and --resource. An encoded authorization message is decoded by AWS where the\n" +
			"credentials may do that; the decoded JSON is taken too. A refused connection is given with --from, --to, --port.\n\n" +
			"It goes by the verified audit log and the database, over every change that was in effect at the time, so that it\n" +
			"works while AWS does not answer. It says yes, with the record and the command that undoes the change; no, proved\n" +
			"of each change; or that it cannot be decided, and what is missing.\n\n" +
			"Exit codes: 0 no, dera did not cause it; 3 yes; 4 it cannot be decided.",
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			text := ""
			if len(list) > 0 {
				text = list[0]
			}
			if text == "-" {
				read, err := io.ReadAll(io.LimitReader(a.in, mostError+1))
				if err != nil {
					return fmt.Errorf("read the error from standard input: %w", err)
				}
				text = string(read)
			}
			if len(text) > mostError {
				return usage("the text of the error is longer than %d bytes: give the error alone", mostError)
			}
			q, err := f.question(text)
			var encoded *app.EncodedError
			if err != nil && !errors.As(err, &encoded) {
				return err
			}
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error {
				if encoded != nil {
					if q, err = s.decoded(ctx, f, encoded); err != nil {
						return err
					}
				}
				return a.why(ctx, s, q, f.certificates)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.principal, "principal", "", "the ARN of the role, user or session that was denied, or anonymous")
	flags.StringVar(&f.action, "action", "", "the IAM action that was denied, such as s3:GetObject")
	flags.StringVar(&f.resource, "resource", "", "the ARN of the resource that was called")
	flags.StringVar(&f.at, "at", "", "when it was denied, such as 2026-11-29T14:05:00Z (default: now, and the day before)")
	flags.StringVar(&f.from, "from", "", "where the refused connection came from: an address, a range, or sg-…")
	flags.StringVar(&f.to, "to", "", "where it went to: an address, eni-…, or sg-…")
	flags.Uint16Var(&f.port, "port", 0, "its port")
	flags.StringVar(&f.certificates, "certificates", "", "write into this folder the certificates of what is ruled out by proof; they hold whole policies")
	flags.StringVar(&f.protocol, "protocol", "tcp", "its protocol: tcp, udp, or a number")
	return cmd
}

// mostError bounds the text of an error; encoded messages have some thousand bytes.
const mostError = 64 << 10

// question is what is asked, or a wrong command line.
func (f whyFlags) question(text string) (q app.Question, err error) {
	if f.at != "" {
		at, err := time.Parse(time.RFC3339, f.at)
		if err != nil {
			return q, usage("--at %q is no time: write it as 2026-11-29T14:05:00Z, with its zone", f.at)
		}
		q.At = &at
	}
	if f.from+f.to != "" || f.port != 0 {
		q.Connection = &app.RefusedConnection{From: f.from, To: f.to, Port: f.port, Protocol: f.protocol}
	}
	var encoded *app.EncodedError
	switch {
	case text != "":
		call, bad := app.ReadDenial(text)
		if bad != nil && !errors.As(bad, &encoded) {
			return q, usage("%w", bad)
		}
		q.Call, err = &call, bad
	case f.principal+f.action+f.resource != "":
		q.Call = &app.DeniedCall{}
	}
	if c := q.Call; c != nil && encoded == nil {
		for _, by := range []struct {
			to        *string
			with, say string
		}{{&c.Principal, f.principal, "principal"}, {&c.Action, f.action, "action"}, {&c.Resource, f.resource, "resource"}} {
			if by.with != "" && *by.to != "" && *by.to != by.with {
				return q, usage("--%s %s is not what the error says (%s): leave the flag out", by.say, by.with, *by.to)
			}
			if by.with != "" {
				*by.to = by.with
			}
		}
	}
	if encoded != nil {
		return q, err
	}
	if err := q.Validate(); err != nil {
		return q, usage("%w", err)
	}
	return q, nil
}

// decoded is the question about an encoded authorization message, which AWS decodes.
func (s *session) decoded(ctx context.Context, f whyFlags, e *app.EncodedError) (app.Question, error) {
	text, err := s.decode(ctx, e.Message)
	if err != nil {
		return app.Question{}, &exitError{exitUndecided, fmt.Errorf("not decidable: %s, and it did not: %s. Decode it with other credentials, and give dera why the answer: aws sts decode-authorization-message --encoded-message MESSAGE", e, strings.TrimSuffix(cloud.Explain(err), "."))}
	}
	return f.question(text)
}

func (a *cli) why(ctx context.Context, s *session, q app.Question, folder string) error {
	if err := a.writable("--certificates", folder); err != nil {
		return err
	}
	answer, err := a.askWhy(ctx, s, q)
	if err != nil {
		return err
	}
	if err := a.writeCertificates(ctx, folder, answer); err != nil {
		return err
	}
	if a.json() {
		err = a.printJSON(answer)
	} else {
		a.printWhy(answer)
	}
	code := map[app.Blame]int{app.BlameNo: exitGood, app.BlameYes: exitNo, app.BlameUnknown: exitUndecided}[answer.Answer]
	if err == nil && code != exitGood {
		err = &exitError{code: code}
	}
	return err
}

// decode has AWS decode an authorization message.
func (s *session) decode(ctx context.Context, message string) (string, error) {
	if err := s.connect(ctx, options{}); err != nil {
		return "", err
	}
	text, err := s.client.DecodeAuthorization(ctx, message)
	if err != nil {
		return "", err
	}
	return text, nil
}

// askWhy verifies the audit log and asks.
func (a *cli) askWhy(ctx context.Context, s *session, q app.Question) (app.Why, error) {
	head, err := audit.Head(ctx, s.store, s.log.Key.Name(), nil, a.now())
	if err != nil {
		return app.Why{}, err
	}
	report, err := audit.VerifySource(ctx, s.store, head)
	if err != nil {
		return app.Why{}, err
	}
	if !report.OK() {
		return app.Unverified(q, report.String()), nil
	}
	return app.Whyer{Store: s.store, Types: services.Types(), Now: a.now(), Flags: s.app.orderFlags(), Size: head.Size}.Ask(ctx, q)
}

// writeCertificates writes those of the policies of what is ruled out.
func (a *cli) writeCertificates(ctx context.Context, folder string, w app.Why) error {
	if folder == "" {
		return nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("write certificates: %w", err)
	}
	written := 0
	for _, r := range w.RuledOut {
		for i, c := range r.Claims {
			data, err := c.Certificate(ctx)
			if err != nil {
				a.alert("dera: no certificate of claim %d about %s: %v\n", i+1, r.Remediation, err)
				continue
			}
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%d.json", r.Remediation, i+1)), data, 0o600); err != nil {
				return fmt.Errorf("write certificates: %w", err)
			}
			written++
		}
	}
	a.note("dera: wrote %s to %s; check each with: dera policy check-certificate FILE\n", counted(written, "certificate"), folder)
	return nil
}

// printWhy writes the answer for people.
func (a *cli) printWhy(w app.Why) {
	p := newPaint(a.out)
	width, _ := terminal(a.out)
	line := func(indent, text string) { a.printf("%s\n", wrap(app.Plain(text), indent, width)) }
	a.printf("%s  %s\n", p.bold(blameText(w.Answer)), app.Plain(w.Question.Text()))
	if w.AWS != "" {
		line("  ", "AWS says: "+w.AWS)
	}
	if w.Question.At == nil {
		line("  ", "asked about now and the day before: for an earlier denial give --at")
	}
	for _, list := range []struct {
		head string
		of   []app.Culprit
	}{{"these changes did it", w.Did}, {"these changes may have done it", w.Perhaps}} {
		if len(list.of) == 0 {
			continue
		}
		a.printf("\n%s\n", p.bold(list.head))
		for _, c := range list.of {
			a.printf("  %s  record %d  %s  %s\n", c.Remediation, c.Record, app.Stamp(c.At), app.Plain(string(c.Resource)))
			line("    ", c.Why)
			for _, took := range c.Took {
				a.printf("    %s\n", p.diff(took))
			}
			for _, way := range []string{c.Undo, c.Grant} {
				if way != "" {
					a.printf("    %s\n", way) // never broken: it is to be copied
				}
			}
		}
	}
	if len(w.Missing) > 0 {
		a.printf("\n%s\n", p.bold("what is missing"))
		for _, m := range w.Missing {
			line("  ", m)
		}
	}
	a.printf("\n")
	for _, ground := range w.Grounds() {
		line("", ground)
	}
}

func blameText(b app.Blame) string {
	return map[app.Blame]string{app.BlameYes: "yes, it was dera", app.BlameNo: "no, it was not dera", app.BlameUnknown: "not decidable"}[b]
}
