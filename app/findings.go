package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
)

// ScanReport is what dera scan prints with --output json; docs/cli.md describes it.
type ScanReport struct {
	Findings   []FindingView `json:"findings"`
	Unreadable []Unreadable  `json:"unreadable,omitempty"`
	// NothingRead says that there was no look at anything yet.
	NothingRead bool       `json:"-"`
	UnderWay    []UnderWay `json:"under_way,omitempty"` // half-done, with the command that goes on
	// Stops are those that hold.
	Stops   []dera.Stop `json:"stops,omitempty"`
	Summary ScanSummary `json:"summary"`
}

// Unreadable is a place that could not be read.
type Unreadable struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Type    string `json:"type"`
	// Resource is the ID of a resource that could not be read alone.
	Resource string `json:"resource,omitempty"`
	Call     string `json:"call,omitempty"`
	Problem  string `json:"problem"`
	Error    string `json:"error"`
	// Since is since when it could not be read, in what is remembered of it.
	Since *time.Time `json:"since,omitempty"`
}

// FindingView is a finding with the plan that would remove it.
type FindingView struct {
	dera.Finding
	Plan *PlanView `json:"plan,omitempty"`
	// NotRead is since when nothing is known of it: its place could not be read, or
	// left the configuration.
	NotRead *time.Time `json:"not_read_since,omitempty"`
	// Stop is one that covers it: nothing is written.
	Stop *dera.Stop `json:"stopped,omitempty"`
}

// stopped notes the stops that hold, with the findings that they cover too.
func (r *ScanReport) stopped(list []dera.Stop) {
	r.Stops = list
	for i := range r.Findings {
		f := &r.Findings[i]
		if j := slices.IndexFunc(list, func(s dera.Stop) bool { return s.Covers(f.Account, f.Control) }); j >= 0 {
			f.Stop = &list[j]
		}
	}
}

// FindingStore is what a report reads.
type FindingStore interface {
	Findings(ctx context.Context) ([]dera.Finding, error)
	Remediation(ctx context.Context, id string) (dera.Remediation, error)
	Stops(ctx context.Context) ([]dera.Stop, error)
}

// Report lists the findings that show wants, with their plans and the stops that
// hold. Those that are notRead are marked as not seen since they were last seen.
// The summary counts them.
func Report(ctx context.Context, store FindingStore, show func(f dera.Finding) (listed, notRead bool)) (ScanReport, error) {
	r := ScanReport{Findings: []FindingView{}}
	all, err := store.Findings(ctx)
	if err != nil {
		return r, err
	}
	byResource := map[string][]dera.Finding{}
	for _, f := range all {
		byResource[f.ResourceKey()] = append(byResource[f.ResourceKey()], f)
	}
	for _, f := range all {
		listed, notRead := show(f)
		if !listed {
			continue
		}
		v := FindingView{Finding: f}
		if notRead {
			v.NotRead = &f.LastSeen
		}
		if f.Remediation != "" {
			rem, err := store.Remediation(ctx, f.Remediation)
			if err != nil {
				return r, err
			}
			v.Plan = viewPlan(rem)
			v.Plan.Left = LeftBy(rem, byResource[f.ResourceKey()])
		}
		r.Findings = append(r.Findings, v)
	}
	stops, err := store.Stops(ctx)
	if err != nil {
		return r, err
	}
	r.stopped(stops)
	r.Summary = summarize(r)
	return r, nil
}

// PlanView is a remediation in short.
type PlanView struct {
	Remediation string     `json:"remediation"`
	State       dera.State `json:"state"`
	Digest      string     `json:"digest"`
	Diff        []string   `json:"diff"`
	// Recorded says how many of the recorded calls it would have denied, where it takes
	// permissions away.
	Recorded string `json:"recorded,omitempty"`
	// Left is what stays open after it.
	Left      []Left    `json:"left_open,omitempty"`
	Failure   string    `json:"failure,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"` // when it may begin
	// Code is the plan for the owner's infrastructure as code.
	Code *dera.CodeDiff `json:"iac_diff,omitempty"`
}

// ApproveCommand approves it as it was shown.
func (p PlanView) ApproveCommand() string { return approveCommand(p.Remediation, p.Digest) }

func viewPlan(r dera.Remediation) *PlanView {
	return &PlanView{Remediation: r.ID, State: r.State, Digest: r.Digest, Diff: r.Plan.Diff(), Recorded: r.Recorded, Failure: r.Failure, NotBefore: r.NotBefore, Code: r.Code}
}

// ScanSummary counts the findings of a report, and says over what it is.
type ScanSummary struct {
	Mode       string   `json:"mode"`
	Accounts   []string `json:"accounts"`
	Regions    []string `json:"regions"`
	Resources  int      `json:"resources"`
	Findings   int      `json:"findings"`
	Open       int      `json:"open"`
	Resolved   int      `json:"resolved"`
	Unknown    int      `json:"unknown"`
	Unreadable int      `json:"unreadable"`
	Hidden     int      `json:"hidden_by_allow"`
	// Unrecorded is of how many principals of each account nothing is recorded, so that
	// their permissions were not judged.
	Unrecorded   map[string]int `json:"use_not_recorded,omitempty"`
	Dispositions map[string]int `json:"dispositions"`
	// LeftOut findings do not fit the filter, and of these LeftOutNotRead were not
	// read.
	LeftOut        int `json:"hidden_by_filter,omitempty"`
	LeftOutNotRead int `json:"hidden_by_filter_not_read,omitempty"`
	// BeyondLimit findings are not listed since there are more than were asked for.
	BeyondLimit int `json:"-"`
}

func summarize(r ScanReport) ScanSummary {
	s := ScanSummary{Findings: len(r.Findings), Unreadable: len(r.Unreadable), Dispositions: map[string]int{"auto": 0, "review": 0, "alert": 0, "exempt": 0}}
	for _, f := range r.Findings {
		s.Dispositions[f.Disposition.String()]++
		switch {
		case f.State == dera.FindingResolved:
			s.Resolved++
		case f.LeftOpen():
			s.Open++
		}
		if f.State == dera.FindingUnknown {
			s.Unknown++
		}
	}
	return s
}

// First is the report with the first findings alone. The summary counts all.
func (r ScanReport) First(n int) ScanReport {
	if n > 0 && n < len(r.Findings) {
		r.Summary.BeyondLimit = len(r.Findings) - n
		r.Findings = r.Findings[:n]
	}
	return r
}

// Failures are the fixes that failed, each once.
func Failures(list []FindingView) []dera.FixFailure {
	var out []dera.FixFailure
	for _, f := range list {
		if l := f.LastFailure; l != nil && !slices.ContainsFunc(out, func(o dera.FixFailure) bool { return o.Remediation == l.Remediation }) {
			out = append(out, *l)
		}
	}
	return out
}

// FailureText says of a fix that failed when, why, and what is left of it.
func FailureText(f dera.FixFailure) string {
	if f.State == dera.UndoFailed {
		return "failed at " + Stamp(f.At) + ", and so did its undo: " + f.Why
	}
	return "failed at " + Stamp(f.At) + ", nothing of it is in effect: " + f.Why
}

// Decisive are the reasons that made the decision what it is.
func Decisive(f dera.Finding) []dera.Reason {
	var out []dera.Reason
	for _, r := range f.Reasons {
		if r.Guardrail == "control" || r.Disposition > dera.Auto {
			out = append(out, r)
		}
	}
	return slices.CompactFunc(out, func(a, b dera.Reason) bool { return a.Guardrail == b.Guardrail && a.Why == b.Why })
}

// ResourceText is the ID of the resource, with its name where it has one.
func ResourceText(f dera.Finding) string {
	if f.ResourceName == "" || f.ResourceName == f.Resource.Name() {
		return f.Resource.Name()
	}
	return fmt.Sprintf("%s (%s)", f.Resource.Name(), f.ResourceName)
}

// Stamp is a time for people: UTC, to the second.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
