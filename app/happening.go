package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/store"
)

// Happening is one thing that happened while dera run was running: one line of
// dera run --output json, which docs/cli.md describes.
type Happening struct {
	Time time.Time `json:"time"`
	// What happened; the constants below.
	What string `json:"what"`

	Account      string   `json:"account,omitempty"`
	Region       string   `json:"region,omitempty"`
	ResourceType string   `json:"resource_type,omitempty"`
	Resource     dera.ARN `json:"resource,omitempty"`
	ResourceName string   `json:"resource_name,omitempty"`
	Control      string   `json:"control,omitempty"`

	Finding     string           `json:"finding,omitempty"`
	Key         string           `json:"key,omitempty"`
	Severity    string           `json:"severity,omitempty"`
	Title       string           `json:"title,omitempty"`
	Owner       string           `json:"owner,omitempty"`
	Disposition dera.Disposition `json:"disposition,omitzero"`
	Reasons     []dera.Reason    `json:"reasons,omitempty"`

	Remediation string     `json:"remediation,omitempty"`
	Findings    []string   `json:"findings,omitempty"`
	State       dera.State `json:"state,omitempty"`
	Digest      string     `json:"digest,omitempty"`
	Diff        []string   `json:"diff,omitempty"`

	Stop       *dera.Stop  `json:"stop,omitempty"`
	Unreadable *Unreadable `json:"unreadable,omitempty"`
	Resources  *int        `json:"resources,omitempty"`
	Hidden     int         `json:"hidden_by_allow,omitempty"`
	Why        string      `json:"why,omitempty"`
}

// What can happen.
const (
	FindingOpened   = "finding_opened"
	FindingDoubted  = "finding_unknown"
	FindingClosed   = "finding_resolved"
	Decided         = "decision"
	Flapping        = "flapping"
	RemediationStep = "remediation"
	Stopped         = "stop"
	Resumed         = "resume"
	Unread          = "unread"
	SweepEnded      = "sweep_ended"
	JobFailed       = "job_failed"
	Unrecorded      = "unrecorded_call"
	Alarmed         = "alarm"
	AlarmOver       = "alarm_ended"
)

// FollowStore is what a Follower reads.
type FollowStore interface {
	Findings(ctx context.Context) ([]dera.Finding, error)
	Finding(ctx context.Context, id string) (dera.Finding, error)
	OpenIn(ctx context.Context, account, region, typ string) ([]dera.Finding, error)
	Stops(ctx context.Context) ([]dera.Stop, error)
}

// Follower turns what an engine tells into what happened: each change once. It is
// for one goroutine.
type Follower struct {
	store    FollowStore
	now      func() time.Time
	findings map[string]dera.Finding // as they were written last
	states   map[string]dera.State   // of remediations that have not ended
	stops    []dera.Stop
}

// NewFollower starts from what is stored: that has happened before.
func NewFollower(ctx context.Context, from FollowStore, now func() time.Time) (*Follower, error) {
	f := &Follower{store: from, now: now, findings: map[string]dera.Finding{}, states: map[string]dera.State{}}
	list, err := from.Findings(ctx)
	for _, x := range list {
		f.findings[x.ID] = brief(x)
	}
	return f, err
}

// brief is what a Follower keeps of a finding.
func brief(x dera.Finding) dera.Finding {
	return dera.Finding{ID: x.ID, Account: x.Account, Region: x.Region, ResourceType: x.ResourceType, State: x.State, Disposition: x.Disposition}
}

// Finding tells what is new about a finding.
func (f *Follower) Finding(x dera.Finding) (out []Happening) {
	was := f.findings[x.ID]
	f.findings[x.ID] = brief(x)
	h := f.about(x)
	if was.State != x.State {
		switch x.State {
		case dera.FindingOpen:
			h.What = FindingOpened
		case dera.FindingUnknown:
			h.What = FindingDoubted
		case dera.FindingResolved:
			h.What = FindingClosed
		}
		h.Why = x.Why
		out = append(out, h)
	}
	if x.State != dera.FindingResolved && (was.Disposition != x.Disposition || was.State == dera.FindingResolved) {
		h.What, h.Why, h.Disposition, h.Reasons = Decided, "", x.Disposition, x.Reasons
		out = append(out, h)
	}
	return out
}

func (f *Follower) about(x dera.Finding) Happening {
	return Happening{
		Time: f.now().UTC(), Account: x.Account, Region: x.Region, ResourceType: x.ResourceType, Resource: x.Resource, ResourceName: x.ResourceName,
		Control: x.Control, Finding: x.ID, Key: x.Key, Severity: x.Severity.String(), Title: x.Title, Owner: x.Owner,
	}
}

// Flaps tells that a finding keeps coming back after it was fixed.
func (f *Follower) Flaps(x dera.Finding) Happening {
	h := f.about(x)
	h.What = Flapping
	return h
}

// Remediation tells a move of a remediation, and when it ends what it did to its
// findings.
func (f *Follower) Remediation(ctx context.Context, r dera.Remediation) (out []Happening, err error) {
	if f.states[r.ID] != r.State {
		h := Happening{
			Time: f.now().UTC(), What: RemediationStep, Account: r.Plan.Account, Region: r.Plan.Region, ResourceType: r.Plan.Type, Resource: r.Plan.Resource,
			Control: r.Control, Severity: r.Severity.String(), Remediation: r.ID, Findings: r.Findings, State: r.State, Disposition: r.Decision.Disposition,
		}
		if n := len(r.Steps); n > 0 {
			h.Why = r.Steps[n-1].Why
		}
		switch r.State {
		case dera.Waiting, dera.Ready, dera.Planned, dera.Observed:
			h.Digest, h.Diff = r.Digest, r.Plan.Diff()
		default: // written when it began
		}
		out = append(out, h)
	}
	f.states[r.ID] = r.State
	if !r.State.Final() {
		return out, nil
	}
	delete(f.states, r.ID)
	var errs []error
	for _, id := range r.Findings {
		x, err := f.store.Finding(ctx, id)
		if err == nil {
			out = append(out, f.Finding(x)...)
		} else if !errors.Is(err, store.ErrNotFound) {
			errs = append(errs, err)
		}
	}
	return out, errors.Join(errs...)
}

// Closed tells which findings of a place were resolved without a word of the engine,
// for example since their resource was deleted.
func (f *Follower) Closed(ctx context.Context, s dera.Scope) (out []Happening, err error) {
	var known []string
	for id, x := range f.findings {
		if x.State != dera.FindingResolved && x.Account == s.Account && x.Region == s.Region && x.ResourceType == s.Type {
			known = append(known, id)
		}
	}
	if len(known) == 0 {
		return nil, nil
	}
	open, err := f.store.OpenIn(ctx, s.Account, s.Region, s.Type)
	if err != nil {
		return nil, err
	}
	slices.Sort(known)
	for _, id := range known {
		if slices.ContainsFunc(open, func(x dera.Finding) bool { return x.ID == id }) {
			continue
		}
		x, err := f.store.Finding(ctx, id)
		if err != nil {
			return out, err
		}
		out = append(out, f.Finding(x)...)
	}
	return out, nil
}

// Stops tells the stops that came and those that were lifted, by whomever.
func (f *Follower) Stops(ctx context.Context) (out []Happening, err error) {
	list, err := f.store.Stops(ctx)
	if err != nil {
		return nil, err
	}
	tell := func(what string, these, others []dera.Stop) {
		for _, s := range these {
			if !slices.Contains(others, s) {
				out = append(out, Happening{Time: f.now().UTC(), What: what, Account: s.Account, Control: s.Control, Stop: &s})
			}
		}
	}
	tell(Resumed, f.stops, list)
	tell(Stopped, list, f.stops)
	f.stops = list
	return out, nil
}

// AlarmOf is an alarm as it begins or ends.
func AlarmOf(what string, at time.Time, a dera.Alarm) Happening {
	return Happening{Time: at.UTC(), What: what, Account: a.Account, Region: a.Region, Key: a.Key, Severity: a.Severity.String(), Title: a.Title, Why: a.Why}
}

// UnreadableIn is a place that could not be read, and why.
func UnreadableIn(s dera.Scope, err error) Unreadable {
	u := Unreadable{Account: s.Account, Region: s.Region, Type: s.Type, Problem: "error", Error: cloud.Explain(err)}
	if len(s.IDs) == 1 {
		u.Resource = s.IDs[0]
	}
	var e *cloud.Error
	if errors.As(err, &e) {
		u.Call, u.Problem = e.Call, string(e.Problem)
	}
	return u
}
