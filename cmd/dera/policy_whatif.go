package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera/app"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/iam/proof"
	ledger "dera.example/dera/usage"
)

func newPolicyWhatIfCommand(a *cli) *cobra.Command {
	var history, principals []string
	var since string
	cmd := &cobra.Command{
		Use:   "whatif OLD NEW",
		Short: "Say which recorded calls NEW would deny that OLD allowed",
		Long: "whatif holds every authorized call of recorded CloudTrail, in every form that docs/usage.md lists, against two\n" +
			"policies: which of them OLD allowed and NEW would deny, and which cannot be decided because the record does not\n" +
			"hold the resources, or the keys of conditions. Calls of which OLD allows nothing were allowed by another policy.\n" +
			"Denied calls are no use. It reads files only.\n\n" +
			"The answer is about the recorded calls and the two policies alone: not about calls that were not recorded, such as\n" +
			"data events that a trail leaves out, nor about other policies that may allow the same.\n\n" +
			"Exit codes: 0 no recorded call would be denied, 3 some would be, 4 some cannot be decided, something could not be read, or no call\n" +
			"is recorded of all or of one of the principals.",
		Example: "  dera policy whatif before.json after.json --history AWSLogs/ --principal arn:aws:iam::111122223333:role/app",
		Args:    args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, paths []string) error {
			if len(history) == 0 {
				return usage("--history is required: a file or folder of recorded CloudTrail")
			}
			q := app.WhatIfQuestion{}
			for _, p := range principals {
				if !strings.HasPrefix(p, "arn:") {
					return usage("--principal %q is no ARN of a role, user or session", p)
				}
				if key := cloudtrail.Key(p); !slices.Contains(q.Principals, key) {
					q.Principals = append(q.Principals, key)
				}
			}
			var err error
			if q.Since, err = dayOrTime(since); err != nil {
				return usage("--since: %w", err)
			}
			files, err := readPolicies(a, paths)
			if err != nil {
				return err
			}
			bar := a.newProgress("reading")
			answer, err := app.AskWhatIf(cmd.Context(), files[0].doc, files[1].doc, history, q, recordedUse{ledger.NewEvents()}, bar)
			bar.end()
			if errors.Is(err, app.ErrNoFile) {
				return usage("--history: %w", err)
			}
			if err != nil {
				return err
			}
			if a.json() {
				err = a.printJSON(whatIfJSON{files[0].name, files[1].name, answer})
			} else {
				a.printWhatIf(files[0].name, files[1].name, answer)
			}
			if err != nil {
				return err
			}
			return whatIfExit(answer)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&history, "history", nil, "file or folder of recorded CloudTrail; may be given several times")
	f.StringArrayVar(&principals, "principal", nil, "only calls of this role, user or session, by ARN; may be given several times")
	f.StringVar(&since, "since", "", "only calls from this day (2026-09-01) or time (RFC 3339) on")
	return cmd
}

// dayOrTime reads a day or a time; "" is the zero time.
func dayOrTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("%q is neither a day, such as 2026-09-01, nor a time, such as 2026-09-01T06:00:00Z", text)
	}
	return at, nil
}

// whatIfJSON is the answer of dera policy whatif.
type whatIfJSON struct {
	Old string `json:"old"` // paths, as they were given
	New string `json:"new"`
	app.WhatIf
}

// whatIfExit: what cannot be decided wins over what would be denied.
func whatIfExit(w app.WhatIf) error {
	switch {
	case w.Calls.Held == 0:
		return &exitError{exitUndecided, errors.New("the history holds no authorized call of which this asks")}
	case w.Calls.Undecided > 0 || w.Over.Unread > 0 || len(w.Over.Unheard) > 0:
		return &exitError{code: exitUndecided}
	case w.Calls.Denied > 0:
		return &exitError{code: exitNo}
	}
	return nil
}

// recordedUse is the usage ledger's reader as that of package app.
type recordedUse struct{ *ledger.Events }

var _ app.UseReader = recordedUse{}

// Use implements app.UseReader.
func (r recordedUse) Use(body []byte) app.RecordedUse {
	e := r.Read(body)
	out := app.RecordedUse{ID: e.ID, At: e.At, Data: e.Data}
	if e.Why.Lost() {
		out.Fault = string(e.Why)
	}
	for _, who := range e.Used {
		name := who.ARN
		if name == "" || cloudtrail.Key(name) != who.Key {
			name = who.Key
		}
		for _, u := range who.Uses {
			if u.Count == 0 {
				out.Denied = out.Denied || u.Denied > 0
				continue
			}
			c := proof.Call{Principal: name, Source: u.Action.Source, Name: u.Action.Name, Resources: u.Resources}
			if u.More {
				c.Resources = nil
			}
			out.Calls = append(out.Calls, c)
		}
	}
	return out
}

func (a *cli) printWhatIf(old, fresh string, w app.WhatIf) {
	p, o := newPaint(a.out), w.Over
	if len(w.Rows) > 0 {
		t := table{head: []string{"WOULD BE", "PRINCIPAL", "CALL", "CALLS", "FIRST", "LAST", "WHY"}}
		for _, r := range w.Rows {
			t.row(r.Fate, r.Principal, strings.TrimSuffix(r.Source, ".amazonaws.com")+":"+r.Event, fmt.Sprint(r.Calls), app.Stamp(r.First), app.Stamp(r.Last), r.Why)
		}
		t.print(a.out)
		if w.LeftOut > 0 {
			a.wrapf("%d more rows\n", w.LeftOut)
		}
	}
	for _, u := range o.Unreadable {
		a.wrapf("%s %s: %s\n", p.colour("1", "not read"), u.Position, u.Why)
	}
	for _, f := range o.LeftOut {
		a.wrapf("left out %s: %s\n", f.File, f.Why)
	}
	a.wrapf("%s: of %d calls %s would deny %d, %d cannot be decided, %d stay allowed, and of %d %s allows nothing\n",
		p.bold("recorded"), w.Calls.Held, fresh, w.Calls.Denied, w.Calls.Undecided, w.Calls.Kept, w.Calls.NotGranted, old)
	if o.Days > 0 {
		a.wrapf("%s: %d files with %d events, %s to %s: %d days, of which %d have no event; %d management calls, %d data calls, %d denied calls, %d duplicates, %d not read\n",
			p.bold("over"), o.Files, o.Events, app.Stamp(o.From), app.Stamp(o.To), o.Days, o.Silent, o.Management, o.Data, o.Refused, o.Duplicate, o.Unread)
	}
	for _, p := range o.Unheard {
		a.wrapf("no authorized call of %s is in the answer\n", p)
	}
	if o.Data == 0 {
		a.wrapf("no data event is recorded: calls such as GetObject of S3 are not in the answer\n")
	}
}
