package app

import (
	"context"
	"errors"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/store"
)

// Filter limits a report to the findings that fit every field that is set; its
// zero value fits all. It hides findings only: what could not be read, what is
// stopped and what is half-done stays in the report.
type Filter struct {
	// Severity is the lowest that fits; 0 fits all.
	Severity dera.Severity
	// Accounts, Controls, Owners and Resources are globs; one that matches is enough.
	Accounts []string
	Controls []string
	// Owners match whole, or the name alone where the owner is an ARN, without regard
	// to case.
	Owners []string
	// Resources match the ARN, the ID or the name.
	Resources []string
	States    []dera.FindingState
	// Waiting fits the findings whose plan waits for an approval.
	Waiting bool
}

// Set reports whether the filter can leave anything out.
func (f Filter) Set() bool {
	return f.Severity > dera.Low || len(f.Accounts)+len(f.Controls)+len(f.Owners)+len(f.Resources)+len(f.States) > 0 || f.Waiting
}

// Fits reports whether the finding fits, as far as its plan is of no matter.
func (f Filter) Fits(x dera.Finding) bool {
	matches := func(globs []string, texts ...string) bool {
		return len(globs) == 0 || slices.ContainsFunc(globs, func(glob string) bool {
			return slices.ContainsFunc(texts, func(s string) bool { return s != "" && dera.MatchGlob(glob, s) })
		})
	}
	owners := make([]string, 0, len(f.Owners))
	for _, o := range f.Owners {
		owners = append(owners, strings.ToLower(o))
	}
	return x.Severity >= f.Severity &&
		matches(f.Accounts, x.Account) && matches(f.Controls, x.Control) &&
		matches(owners, strings.ToLower(x.Owner), strings.ToLower(dera.ARN(x.Owner).Name())) &&
		matches(f.Resources, string(x.Resource), x.Resource.Name(), x.ResourceName) &&
		(len(f.States) == 0 || slices.Contains(f.States, x.State))
}

// Only is the report without the findings that do not fit. The summary counts
// those that are left, and how many were left out.
func (r ScanReport) Only(f Filter) ScanReport {
	if !f.Set() {
		return r
	}
	var list []FindingView
	left, leftUnread := 0, 0
	for _, v := range r.Findings {
		switch {
		case f.Fits(v.Finding) && (!f.Waiting || v.Plan != nil && v.Plan.State == dera.Waiting):
			list = append(list, v)
		default:
			left++
			if v.NotRead != nil {
				leftUnread++
			}
		}
	}
	r.Findings = append([]FindingView{}, list...)
	s := summarize(r)
	s.Mode, s.Accounts, s.Regions = r.Summary.Mode, r.Summary.Accounts, r.Summary.Regions
	s.Resources, s.Hidden = r.Summary.Resources, r.Summary.Hidden
	s.Unrecorded = r.Summary.Unrecorded
	s.LeftOut, s.LeftOutNotRead = left, leftUnread
	r.Summary = s
	return r
}

// OpenFrom counts the findings that are left open and at least this severe.
func (r ScanReport) OpenFrom(least dera.Severity) (n int) {
	for _, f := range r.Findings {
		if f.LeftOpen() && f.Severity >= least {
			n++
		}
	}
	return n
}

// FindingReader reads one finding; one that is not there is store.ErrNotFound.
type FindingReader interface {
	Finding(ctx context.Context, id string) (dera.Finding, error)
}

// Plan reports whether all findings that a remediation fixes fit, and whether some
// do. One that is not known does not fit.
func (f Filter) Plan(ctx context.Context, from FindingReader, r dera.Remediation) (all, some bool, err error) {
	all = len(r.Findings) > 0
	for _, id := range r.Findings {
		x, err := from.Finding(ctx, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, false, err
		}
		fits := err == nil && f.Fits(x)
		all, some = all && fits, some || fits
	}
	return all || !f.Set(), some || !f.Set(), nil
}
