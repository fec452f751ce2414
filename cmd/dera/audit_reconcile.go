package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/audit"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/evaluate"
	"dera.example/dera/source"
)

func newAuditReconcileCommand(a *cli) *cobra.Command {
	var history []string
	var principals []string
	cmd := &cobra.Command{
		Use:   "reconcile [--history FOLDER]",
		Short: "Compare the log with CloudTrail, both ways",
		Long: "reconcile joins the writes that the log records with the calls that CloudTrail has of dera's own principals, by\n" +
			"AWS's request ID: calls that changed something and have no record (a stolen role, a second process), and records\n" +
			"without an event. With --history it reads recorded CloudTrail; without, the events that dera run received.\n" +
			"dera's principals are the roles of the configuration and whoever acts in the log; --principal names others.\n\n" +
			"Exit codes: 0 everything is on both sides, 3 a call without a record or a record without an event, 4 the history\n" +
			"does not reach all writes, or has no event at all.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error {
				return a.reconcile(ctx, s, history, principals)
			})
		},
	}
	cmd.Flags().StringSliceVar(&history, "history", nil, "files or folders of recorded CloudTrail, in any form that dera replay reads")
	cmd.Flags().StringSliceVar(&principals, "principal", nil, "ARN of a principal that is dera, with * and ? (default: those of the configuration and of the log)")
	return cmd
}

// reconcileReport is what dera audit reconcile prints with --output json, and
// what stands in the evidence pack.
type reconcileReport struct {
	Principals []string `json:"principals"`
	Events     int      `json:"events"` // of these principals
	Read       int      `json:"read"`   // of anybody
	Unreadable int      `json:"unreadable,omitempty"`
	// LeftOut are files of folders that hold no events of CloudTrail.
	LeftOut []cloudtrail.Unread `json:"left_out,omitempty"`
	audit.Reconciliation
}

func (a *cli) reconcile(ctx context.Context, s *session, history, principals []string) error {
	writes, actors, err := s.writes(ctx)
	if err != nil {
		return err
	}
	if len(principals) == 0 {
		principals = merged(s.ownPrincipals(), actors)
	}
	r := reconcileReport{Principals: principals}
	var calls []audit.Call
	reach := audit.Reach{}
	if len(history) == 0 {
		if calls, err = s.store.Calls(ctx, false, a.now()); err != nil {
			return err
		}
		for _, c := range calls {
			reach.Add(c.Account, c.Region, c.Time)
		}
		r.Read = len(calls)
	} else if calls, err = r.read(ctx, history, reach); err != nil {
		return err
	}
	r.Events = len(calls)
	r.Reconciliation = audit.Reconcile(writes, calls, reach, a.now())
	if a.json() {
		if err := a.printJSON(r); err != nil {
			return err
		}
	} else {
		a.printReconciled(r, len(history) > 0)
	}
	switch {
	case len(r.Unrecorded)+len(r.Unwitnessed) > 0:
		return &exitError{code: exitNo}
	case r.Outside > 0 || r.Read == 0 || r.Unreadable > 0:
		return &exitError{code: exitUndecided}
	}
	return nil
}

// writes are the attempts that the log records, and who made them.
func (s *session) writes(ctx context.Context) ([]audit.Write, []string, error) {
	size, err := s.store.LogSize(ctx)
	if err != nil {
		return nil, nil, err
	}
	var w audit.Writes
	var actors []string
	err = app.EachRecord(ctx, s.store, size, func(i int64, r dera.AuditRecord) error {
		w.Add(i, r)
		if r.Kind == dera.RecordIntent && strings.HasPrefix(r.Actor.Name, "arn:") {
			actors = merged(actors, []string{evaluate.Principal(r.Actor.Name)})
		}
		return nil
	})
	return w.List(), actors, err
}

func merged(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// read collects the calls of the principals from recorded CloudTrail.
func (r *reconcileReport) read(ctx context.Context, history []string, reach audit.Reach) ([]audit.Call, error) {
	var calls []audit.Call
	own := dera.NewPrincipals(r.Principals)
	leave := func(f cloudtrail.Unread) {
		if len(r.LeftOut) < app.MostListed {
			r.LeftOut = append(r.LeftOut, f)
		}
	}
	for raw, err := range source.FilesExcept(leave, history...) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			if slices.Contains(history, raw.File) && errors.Is(err, os.ErrNotExist) {
				return nil, usage("%w", err)
			}
			r.Unreadable++
			continue
		}
		r.Read++
		rec, err := cloudtrail.Decode(raw.Body)
		if err != nil {
			if !errors.Is(err, cloudtrail.ErrNotCloudTrail) {
				r.Unreadable++
			}
			continue
		}
		if !rec.Time.IsZero() {
			reach.Add(rec.Account, rec.Region, rec.Time)
		}
		if c, ok := ownCall(rec, own); ok {
			calls = append(calls, c)
		}
	}
	return calls, nil
}

// ownCall is the record as a call of one of the principals.
func ownCall(rec cloudtrail.Record, principals dera.Principals) (audit.Call, bool) {
	own := principals.Has(rec.Caller.ARN) || principals.Has(rec.Caller.Issuer)
	service, _, _ := strings.Cut(rec.Source, ".")
	return audit.Call{
		EventID: rec.ID, RequestID: rec.RequestID, Service: service, Name: rec.Name, Account: rec.Account, Region: rec.Region,
		Actor: rec.Actor(), Time: rec.Time, ReadOnly: rec.ReadOnly, Failed: rec.Failed(),
	}, own
}

func (a *cli) printReconciled(r reconcileReport, history bool) {
	p := newPaint(a.out)
	where := "the events that dera run received"
	if history {
		where = fmt.Sprintf("%d events of the history", r.Read)
	}
	a.printf("%d of %d writes have their event; compared with %s, %d of them by %s\n",
		len(r.Pairs), len(r.Pairs)+len(r.Unwitnessed)+r.Outside, where, r.Events, strings.Join(r.Principals, ", "))
	t := table{head: []string{"TIME", "WHERE", "CALL", "BY", "EVENT"}}
	for _, c := range r.Unrecorded {
		t.row(app.Stamp(c.Time), c.Account+" "+c.Region, c.Service+":"+c.Name, c.Actor, c.EventID)
	}
	if len(t.rows) > 0 {
		a.printf("\n%s\n", p.colour("1", fmt.Sprintf("%d calls changed something and have no record: a stolen role, or a second process with the same one", len(t.rows))))
		t.print(a.out)
	}
	t = table{head: []string{"TIME", "WHERE", "RECORD", "REMEDIATION", "CALL"}}
	for _, w := range r.Unwitnessed {
		t.row(app.Stamp(w.To), w.Account+" "+w.Region, fmt.Sprint(w.Index), w.Remediation, w.Operation)
	}
	if len(t.rows) > 0 {
		a.printf("\n%s\n", p.colour("1", fmt.Sprintf("%d recorded writes have no event", len(t.rows))))
		t.print(a.out)
	}
	if r.Outside > 0 {
		a.printf("%d writes are of times or places that these events do not reach\n", r.Outside)
	}
	if r.Pending > 0 {
		a.printf("%d writes and calls are younger than %s and are not judged yet\n", r.Pending, audit.Late)
	}
	for _, f := range r.LeftOut {
		a.printf("left out %s: %s\n", f.File, f.Why)
	}
	if r.Unreadable > 0 {
		a.printf("%d files or records could not be read\n", r.Unreadable)
	}
}

// reconciled writes the join with what dera run received into an exported folder.
func (a *cli) reconciled(ctx context.Context, s *session, dir string) error {
	calls, err := s.store.Calls(ctx, false, a.now())
	if err != nil || len(calls) == 0 {
		return err
	}
	writes, actors, err := s.writes(ctx)
	if err != nil {
		return err
	}
	reach := audit.Reach{}
	for _, c := range calls {
		reach.Add(c.Account, c.Region, c.Time)
	}
	r := reconcileReport{Principals: merged(s.ownPrincipals(), actors), Events: len(calls), Read: len(calls), Reconciliation: audit.Reconcile(writes, calls, reach, a.now())}
	var out bytes.Buffer
	e := json.NewEncoder(app.PlainJSON(&out))
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "reconcile.json"), out.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the comparison with CloudTrail: %w", err)
	}
	return nil
}
