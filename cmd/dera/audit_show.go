package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/resource/document"
	"github.com/spf13/cobra"
)

// recordLine is a record in the list of dera audit show, and recordJSON one that is shown whole.
type recordLine struct {
	Index int64 `json:"index"`
	dera.AuditRecord
}

type recordJSON struct {
	Lapsed  bool            `json:"evidence_lapsed,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"`
	Record  json.RawMessage `json:"record"`
}

func newAuditShowCommand(a *cli) *cobra.Command {
	var payload, verbatim bool
	cmd := &cobra.Command{
		Use:   "show [INDEX|REMEDIATION]",
		Short: "Show the records of the log, or of one remediation, or one record whole",
		Args:  args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error {
				what := ""
				if len(list) == 1 {
					what = list[0]
				}
				return a.showRecords(ctx, s, what, sealed{payload, verbatim})
			})
		},
	}
	cmd.Flags().BoolVar(&payload, "payload", false, "also decrypt what lies outside the record (one record only); values of policies that can be secret have stand-ins")
	cmd.Flags().BoolVar(&verbatim, "verbatim", false, "with --payload: exactly as it was sealed, secrets included")
	return cmd
}

// sealed says what is shown of a payload that lies outside the record.
type sealed struct{ payload, verbatim bool }

func (a *cli) showRecords(ctx context.Context, s *session, what string, of sealed) error {
	if of.verbatim && !of.payload {
		return usage("--verbatim requires --payload")
	}
	size, err := s.store.LogSize(ctx)
	if err != nil {
		return err
	}
	if index, err := strconv.ParseInt(what, 10, 64); err == nil {
		return a.showRecord(ctx, s, index, of)
	}
	if of.payload {
		return usage("--payload requires the index of one record")
	}
	if what, err = s.recorded(ctx, what); err != nil {
		return err
	}
	list := []recordLine{}
	err = app.EachRecord(ctx, s.store, size, func(i int64, r dera.AuditRecord) error {
		if what == "" || r.Remediation == what || strings.Contains(strings.Join(r.Findings, " "), what) {
			list = append(list, recordLine{i, r})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(list)
	}
	t := table{head: []string{"#", "TIME", "KIND", "ACTOR", "RESOURCE", "WHAT"}}
	for _, l := range list {
		text := strings.Join(slices.DeleteFunc(append(slices.Clone(l.Diff), l.Why), func(s string) bool { return s == "" }), "; ")
		t.row(strconv.FormatInt(l.Index, 10), app.Stamp(l.Time), string(l.Kind), dera.ARN(l.Actor.Name).Name(), l.Resource.Name(), text)
	}
	t.print(a.out)
	return nil
}

func (a *cli) showRecord(ctx context.Context, s *session, index int64, of sealed) error {
	leaves, err := s.store.Leaves(ctx, index, 1)
	if err != nil {
		return err
	}
	if len(leaves) == 0 {
		return &exitError{exitFailed, fmt.Errorf("the log has no record %d", index)}
	}
	var r dera.AuditRecord
	if err := json.Unmarshal(leaves[0], &r); err != nil {
		return fmt.Errorf("read audit record %d: %w", index, err)
	}
	out := recordJSON{Record: leaves[0]}
	if r.Evidence != "" {
		if out.Lapsed, err = s.store.Lapsed(ctx, r.Evidence); err != nil {
			return err
		}
	}
	if of.payload {
		if r.Commitment == "" {
			return &exitError{exitFailed, errors.New("this record seals nothing")}
		}
		plain, err := s.store.Sealed(ctx, r.Commitment)
		if err != nil {
			return err
		}
		if !of.verbatim {
			var hide document.Redactor
			if plain, err = hide.JSON(plain); err != nil {
				return err
			}
		}
		out.Payload = plain
	}
	return a.printJSON(out)
}
