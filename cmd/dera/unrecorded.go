package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/engine"
	"dera.example/dera/resource"
	"dera.example/dera/services"
	ledger "dera.example/dera/usage"
)

// howToRecord says what to do where nothing is recorded of use.
const howToRecord = "import CloudTrail log files with dera usage import, see docs/least-privilege.md"

// notRecorded collects the principals of a page that were not judged; one may be known
// by several pages.
func (s *scanning) notRecorded(n engine.News) {
	for _, arn := range n.Unrecorded {
		if s.unrecorded == nil {
			s.unrecorded = map[string]map[dera.ARN]bool{}
		}
		if s.unrecorded[n.Scope.Account] == nil {
			s.unrecorded[n.Scope.Account] = map[dera.ARN]bool{}
		}
		s.unrecorded[n.Scope.Account][arn] = true
	}
}

// counts is how many principals were not judged, by account; nil for none.
func (s *scanning) counts() map[string]int {
	var out map[string]int
	for account, list := range s.unrecorded {
		if out == nil {
			out = map[string]int{}
		}
		out[account] = len(list)
	}
	return out
}

// unrecordedText says that principals were not judged, and in which accounts; "" where
// all were.
func unrecordedText(counts map[string]int) string {
	total, by := 0, []string(nil)
	for _, account := range slices.Sorted(maps.Keys(counts)) {
		total += counts[account]
		by = append(by, fmt.Sprintf("%d in %s", counts[account], account))
	}
	if total == 0 {
		return ""
	}
	return fmt.Sprintf("the use of %s was not judged: nothing is recorded of it (%s); %s", counted(total, "principal"), strings.Join(by, ", "), howToRecord)
}

// judgesUse reports whether a control runs on a type that the usage ledger is asked about.
func (c fileConfig) judgesUse() bool {
	types := services.Types()
	for _, ctl := range c.controls() {
		kind, err := types.Lookup(ctl.Type)
		if err == nil && slices.ContainsFunc(kind.Parts, func(p resource.Part) bool { return p.Port == resource.PortLedger }) {
			return true
		}
	}
	return false
}

// recordOf says what the usage ledger has of an account.
func (s *session) recordOf(ctx context.Context, account string) (app.UseRecord, error) {
	l := ledger.New(s.store, s.app.now)
	var r app.UseRecord
	var err error
	if r.From, r.To, err = l.Span(ctx, account); err != nil || r.To.IsZero() {
		return r, err
	}
	r.Window = s.config.Permissions.window()
	gaps, err := l.Gaps(ctx, ledger.Window{Account: account, From: r.To.Add(-r.Window), To: r.To})
	for _, g := range gaps {
		if r.Gaps == nil {
			r.Gaps = map[string]int{}
		}
		r.Gaps[string(g.Kind)]++
	}
	return r, err
}

// neverRecorded are the accounts of which nothing is recorded although a control would
// judge use there.
func (s *session) neverRecorded(ctx context.Context) (out []string, err error) {
	if !s.config.judgesUse() {
		return nil, nil
	}
	accounts, err := s.coveredAccounts(ctx)
	if err != nil {
		return nil, err
	}
	l := ledger.New(s.store, s.app.now)
	for _, account := range accounts {
		to, err := l.Recorded(ctx, account)
		if err != nil {
			return nil, err
		}
		if to.IsZero() {
			out = append(out, account)
		}
	}
	slices.Sort(out)
	return out, nil
}
