package app

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// episode is one time that a finding was open.
type episode struct {
	finding  dera.Finding // as it was decided when it appeared
	from, to time.Time
	cause    Cause
	by       *Cause // who took it back
	sure     bool   // that it was taken back
	partly   string // what was not known of the resource when it appeared
}

// Cause is the event that made a finding appear or go.
type Cause struct {
	Event     string `json:"event"`
	ID        string `json:"id,omitempty"`
	Actor     string `json:"actor,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
}

// Unfollowed is an event that changed something that the state does not hold.
type Unfollowed struct {
	Position string    `json:"position"`
	Time     time.Time `json:"time"`
	ID       string    `json:"id,omitempty"`
	Why      string    `json:"why"`
}

// ReplayReport is what dera replay prints with --output json; docs/cli.md
// describes it.
type ReplayReport struct {
	Findings    []ReplayedFinding `json:"findings"`
	PartlyKnown []PartlyKnown     `json:"partly_known,omitempty"`
	Unreadable  []UnreadableLine  `json:"unreadable,omitempty"`
	Unfollowed  []Unfollowed      `json:"unfollowed,omitempty"`
	// LeftOut are files of folders that hold no events of CloudTrail.
	LeftOut []cloudtrail.Unread `json:"left_out,omitempty"`
	// IAM is left out where no identity is known.
	IAM *NarrowedReport `json:"iam,omitempty"`
	// AWS is what was looked up of the event history; left out for files.
	AWS     *ReplayedHistory `json:"aws,omitempty"`
	Summary ReplaySummary    `json:"summary"`
}

// ReplayedFinding is a finding with what dera would have done and what happened.
type ReplayedFinding struct {
	Finding      string           `json:"finding"`
	Control      string           `json:"control"`
	Account      string           `json:"account"`
	Region       string           `json:"region"`
	Resource     dera.ARN         `json:"resource"`
	ResourceType string           `json:"resource_type"`
	ResourceName string           `json:"resource_name,omitempty"`
	Key          string           `json:"key"`
	Severity     dera.Severity    `json:"severity"`
	Title        string           `json:"title"`
	Why          string           `json:"why"`
	Disposition  dera.Disposition `json:"disposition"`
	Reasons      []dera.Reason    `json:"reasons"`
	Owner        string           `json:"owner,omitempty"`
	OwnerSource  string           `json:"owner_source,omitempty"`
	Diff         []string         `json:"diff,omitempty"`
	PartlyKnown  string           `json:"partly_known,omitempty"`
	AppearedAt   time.Time        `json:"appeared_at"`
	CausedBy     Cause            `json:"caused_by"`
	// ResolvedAt is when an event shows that it was resolved; ResolvedSure is false where other things
	// that no event tells may still cause it.
	ResolvedAt   *time.Time `json:"resolved_at,omitempty"`
	ResolvedBy   *Cause     `json:"resolved_by,omitempty"`
	ResolvedSure bool       `json:"resolved_sure,omitempty"`
	// OpenSeconds is until it was resolved, or until the last event.
	OpenSeconds int64 `json:"open_seconds"`
	// Later are the recorded calls from when dera would have closed it; left out where it would not have.
	Later *LaterCalls `json:"later_calls,omitempty"`
}

// PartlyKnown is a resource of which the events tell a part only.
type PartlyKnown struct {
	Account  string   `json:"account"`
	Region   string   `json:"region"`
	Resource dera.ARN `json:"resource"`
	Why      string   `json:"why"`
	Unknown  []string `json:"unknown"` // controls that could not be judged
}

type ReplaySummary struct {
	From         time.Time      `json:"from,omitzero"`
	To           time.Time      `json:"to,omitzero"`
	Events       ReplayCounts   `json:"events"`
	Unfollowed   int            `json:"unfollowed"`
	LeftOut      int            `json:"left_out"`
	Accounts     []string       `json:"accounts"`
	Regions      []string       `json:"regions"`
	Findings     int            `json:"findings"`
	Dispositions map[string]int `json:"dispositions"`
	Resolved     int            `json:"resolved"`
	Open         int            `json:"open"`
	// AutoOpenSeconds is how long what dera would have fixed automatically was open.
	// The median is that of single findings.
	AutoOpenSeconds int64 `json:"auto_open_seconds"`
	AutoOpenMedian  int64 `json:"auto_open_median_seconds"`
	PartlyKnown     int   `json:"partly_known"`
}

// report gathers what the run saw.
func (p *replaying) report(ctx context.Context, rec Recording) (ReplayReport, error) {
	s := ReplaySummary{
		Events: rec.counts, Unfollowed: p.lost, Accounts: []string{}, Regions: append([]string{}, rec.regions...), Findings: len(p.episodes),
		Dispositions: map[string]int{"auto": 0, "review": 0, "alert": 0, "exempt": 0},
	}
	for _, acct := range rec.accounts {
		s.Accounts = append(s.Accounts, acct.ID)
	}
	if n := len(rec.events); n > 0 {
		s.From, s.To = rec.events[0].Time, rec.events[n-1].Time
	}
	s.LeftOut = rec.leftFiles
	r := ReplayReport{Findings: []ReplayedFinding{}, Unreadable: append(rec.unreadable, p.unread...), Unfollowed: p.unfollowed, LeftOut: rec.leftOut}
	var auto []int64
	for _, e := range p.episodes {
		v, err := p.view(ctx, e, s.To)
		if err != nil {
			return r, err
		}
		v.Later = rec.later(v, s.To)
		s.Dispositions[v.Disposition.String()]++
		if v.ResolvedAt != nil {
			s.Resolved++
		} else if v.Disposition != dera.Exempt {
			s.Open++
		}
		if v.Disposition == dera.Auto {
			s.AutoOpenSeconds += v.OpenSeconds
			auto = append(auto, v.OpenSeconds)
		}
		r.Findings = append(r.Findings, v)
	}
	if slices.Sort(auto); len(auto) > 0 {
		s.AutoOpenMedian = auto[len(auto)/2]
	}
	var err error
	r.PartlyKnown, err = p.partlyKnown(ctx)
	s.PartlyKnown = len(r.PartlyKnown)
	r.Summary = s
	return r, err
}

func (p *replaying) view(ctx context.Context, e *episode, end time.Time) (ReplayedFinding, error) {
	f := e.finding
	v := ReplayedFinding{
		Finding: f.ID, Control: f.Control, Account: f.Account, Region: f.Region, Resource: f.Resource, ResourceType: f.ResourceType,
		ResourceName: f.ResourceName, Key: f.Key, Severity: f.Severity, Title: f.Title, Why: f.Why, Disposition: f.Disposition,
		Reasons: f.Reasons, AppearedAt: e.from, CausedBy: e.cause, PartlyKnown: e.partly,
		Owner: f.Owner, OwnerSource: f.OwnerSource,
	}
	if f.Remediation != "" {
		rem, err := p.Engine.Store.Remediation(ctx, f.Remediation)
		if err != nil {
			return v, err
		}
		v.Diff = rem.Plan.Diff()
	}
	if e.by != nil {
		v.ResolvedAt, v.ResolvedBy, v.ResolvedSure, end = &e.to, e.by, e.sure, e.to
	}
	v.OpenSeconds = int64(end.Sub(e.from).Seconds())
	return v, nil
}

// partlyKnown lists the resources that could not be judged in full, as they
// stand after the last event.
func (p *replaying) partlyKnown(ctx context.Context) ([]PartlyKnown, error) {
	all, err := p.Engine.Store.Findings(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]*PartlyKnown{}
	for _, f := range all {
		if f.State != dera.FindingUnknown {
			continue
		}
		v := found[f.ResourceKey()]
		if v == nil {
			why := strings.TrimSuffix(strings.TrimPrefix(f.Why, "It could not be judged, because "), ".")
			v = &PartlyKnown{Account: f.Account, Region: f.Region, Resource: f.Resource, Why: why}
			found[f.ResourceKey()] = v
		}
		v.Unknown = append(v.Unknown, f.Control)
	}
	var out []PartlyKnown
	for _, key := range slices.Sorted(maps.Keys(found)) {
		slices.Sort(found[key].Unknown)
		out = append(out, *found[key])
	}
	return out, nil
}
