package securityhub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/sink"
	"dera.example/dera/store"
)

// The workflow statuses of findings in Security Hub. dera never sets SUPPRESSED: such a
// finding is never updated any more, and what dera knows expires.
//
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_WorkflowUpdate.html
const (
	New      = "NEW"
	Notified = "NOTIFIED"
	Resolved = "RESOLVED"
)

// Place is where Security Hub is asked: the account and region of the resource, or those of
// an aggregator.
type Place struct{ Account, Region string }

// Theirs is a finding of Security Hub on a resource.
type Theirs struct {
	V2 bool // of Security Hub V2: no fields beside the status and the comment
	// ID and Product name it: Id and ProductArn, or finding_info.uid and metadata.product.uid.
	ID, Product, Account string
	Control              string // for example EC2.13, where it names one
	Resource, Region     string
	Workflow             string // New, Notified, Resolved, or another word
	Passed, Archived     bool
	Observed             time.Time
	Note, NoteBy         string            // of V2 the comment
	Fields               map[string]string // that users defined
}

// Update is what findings are set to. Empty members stay as they are.
type Update struct {
	Of       Theirs
	Workflow string
	Note     string
	Fields   map[string]string
}

// API is Security Hub. Update and Import are complete or an error: what was not processed
// and may be later is a temporary one, what never will be a *sink.PermanentError.
type API interface {
	Findings(ctx context.Context, at Place, account string, resource dera.ARN) ([]Theirs, error)
	Update(ctx context.Context, at Place, list []Update) error
	Import(ctx context.Context, at Place, list []ASFF) error
}

// Store is what is read of dera's own state; *store.Store is one.
type Store interface {
	Finding(ctx context.Context, id string) (dera.Finding, error)
	FindingsOf(ctx context.Context, resourceKey string) ([]dera.Finding, error)
	Remediation(ctx context.Context, id string) (dera.Remediation, error)
}

// Writer is a sink that writes to Security Hub. It is safe for concurrent use.
type Writer struct {
	API   API
	Store Store
	// At says where Security Hub is asked about a finding.
	At func(f dera.Finding) Place
	// Aliases are the controls of Security Hub that stand for one of dera's.
	Aliases func(control string) []string
	// Describe adds what the formats say beside a finding; nil where nothing is imported.
	Describe func(f dera.Finding) Finding
	// WriteBack sets their findings, and Describe has ours imported.
	WriteBack bool
	Now       func() time.Time
}

// Send implements sink.Sink: of each message the findings as they stand now. It asks to be
// called again (sink.Again) as long as Security Hub has not looked again at what was fixed.
func (w Writer) Send(ctx context.Context, messages []sink.Message) error {
	var again time.Duration
	var errs []error
	for _, m := range messages {
		for _, id := range m.Findings {
			f, err := w.Store.Finding(ctx, id)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				errs = append(errs, err)
				continue
			}
			if w.Describe != nil {
				errs = append(errs, w.API.Import(ctx, PlaceOf(f), []ASFF{ToASFF(w.Describe(f))}))
			}
			if !w.WriteBack || !speaks(m.What) {
				continue
			}
			wait, err := w.write(ctx, f, m)
			errs, again = append(errs, err), max(again, wait)
		}
	}
	if err := worst(errs); err != nil {
		return err
	}
	if again > 0 {
		return sink.Again(again)
	}
	return nil
}

// worst is one error of several: a permanent one only where no other one may pass, since a
// message with it is not sent again.
func worst(errs []error) error {
	var passing, lasting []error
	for _, err := range errs {
		switch {
		case sink.Permanent(err):
			lasting = append(lasting, err)
		case err != nil:
			passing = append(passing, err)
		}
	}
	if len(passing) > 0 {
		return errors.Join(passing...)
	}
	return errors.Join(lasting...)
}

// speaks reports whether a message can change what their finding is set to.
func speaks(what string) bool {
	return slices.Contains([]string{sink.WhatFixed, sink.WhatRolledBack, sink.WhatFailed, sink.WhatExempt}, what)
}

// write sets their findings on what ours is about, and says after what time to look again.
func (w Writer) write(ctx context.Context, f dera.Finding, m sink.Message) (time.Duration, error) {
	names := w.Aliases(f.Control)
	if len(names) == 0 {
		return 0, nil
	}
	ours, err := w.ours(ctx, f, m)
	if err != nil || ours.state == "" {
		return 0, err
	}
	theirs, err := w.API.Findings(ctx, w.At(f), f.Account, f.Resource)
	if err != nil {
		return 0, err
	}
	var list []Update
	var wait time.Duration
	for _, t := range theirs {
		if !slices.Contains(names, t.Control) || f.Region != dera.GlobalRegion && t.Region != "" && t.Region != f.Region {
			continue
		}
		u, again := decide(ours, t, w.Now())
		wait = max(wait, again)
		if u != nil {
			list = append(list, *u)
		}
	}
	if len(list) == 0 {
		return wait, nil
	}
	return wait, w.API.Update(ctx, w.At(f), list)
}

// What dera has to say of a control on a resource.
const (
	fixed      = "fixed"
	rolledBack = "rolled back"
	exempt     = "exempt"
)

// ours is how a control on a resource stands with dera.
type ours struct {
	state       string // fixed, rolledBack, exempt, or "" for nothing to say
	remediation string
	at          time.Time // when it was fixed
	record      int64
	why         string
}

// ours is read afresh: what the message says may be over.
func (w Writer) ours(ctx context.Context, f dera.Finding, m sink.Message) (ours, error) {
	o := ours{remediation: m.Remediation, record: m.Record, at: m.At, why: m.Why}
	if m.What == sink.WhatExempt {
		if f.Disposition != dera.Exempt || f.State != dera.FindingOpen {
			return ours{}, nil
		}
		o.state, o.remediation = exempt, ""
		for _, r := range f.Reasons {
			if r.Disposition == dera.Exempt {
				o.why = r.Why
			}
		}
		return o, nil
	}
	r, err := w.Store.Remediation(ctx, m.Remediation)
	if errors.Is(err, store.ErrNotFound) {
		return ours{}, nil
	}
	if err != nil {
		return ours{}, err
	}
	switch r.State {
	case dera.RolledBack, dera.Failed, dera.UndoFailed:
		o.state, o.why = rolledBack, cmp.Or(r.Failure, r.Undo)
		return o, nil
	case dera.Resolved, dera.Collateral:
	case dera.Waiting, dera.Ready, dera.Applying, dera.Verifying, dera.Undoing, dera.Observed, dera.Planned, dera.Rejected, dera.Expired, dera.Superseded:
		return ours{}, nil
	}
	// Another port of the same group may be open still: their finding is about all of it.
	all, err := w.Store.FindingsOf(ctx, f.ResourceKey())
	if err != nil {
		return ours{}, err
	}
	o.state = fixed
	for _, x := range all {
		if x.Control == f.Control && x.State != dera.FindingResolved {
			o.state, o.why = rolledBack, "it was fixed, and fails again: "+x.Title
		}
	}
	return o, nil
}

// The fields by which dera knows again what it set.
const (
	fieldStatus      = "dera_status"
	fieldRemediation = "dera_remediation"
	fieldSays        = "dera"
)

// Looks of Security Hub come within a day, at changes within minutes; after a month dera
// does not wait any more.
//
// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-standards-schedule.html
const (
	soonest = 5 * time.Minute
	patient = 30 * 24 * time.Hour
)

// decide says what their finding is to be set to, or nil, and after what time to look again.
// What a person set stays.
func decide(o ours, t Theirs, now time.Time) (*Update, time.Duration) {
	set, mine := setBy(o, t)
	if !mine {
		return nil, 0
	}
	var status, says string
	var again time.Duration
	switch o.state {
	case fixed:
		status, says, again = fix(o, t, now)
	case rolledBack:
		if !set || !t.V2 && t.Fields[fieldRemediation] != o.remediation { // nothing of this remediation is there to take back
			return nil, 0
		}
		status, says = New, "not fixed any more: "+cmp.Or(o.why, "rolled back")
	case exempt:
		says = "exempt: " + o.why
	}
	if o.record > 0 {
		says += fmt.Sprintf(" (record %d of dera's audit log", o.record)
		if o.remediation != "" {
			says += ", remediation " + o.remediation
		}
		says += ")"
	}
	return update(o, t, status, cut(says, 512), now), again
}

// fix is what a finding is set to that dera fixed: RESOLVED only where they see it as well,
// since a finding that is resolved while it still fails stays hidden for ever.
func fix(o ours, t Theirs, now time.Time) (status, says string, again time.Duration) {
	age := now.Sub(o.at)
	switch {
	case t.Archived || t.Passed && !t.Observed.Before(o.at):
		return Resolved, "fixed and verified by dera at " + o.at.UTC().Format(time.RFC3339), 0
	case age > patient:
	case age < 24*time.Hour:
		again = max(soonest, age/2)
	default:
		again = 24 * time.Hour
	}
	if !t.Passed && t.Observed.After(o.at.Add(time.Hour)) {
		return Notified, "fixed and verified by dera at " + o.at.UTC().Format(time.RFC3339) + ", and still failing for Security Hub, which looked at it since: its rule covers more than dera's control, or something else changed", again
	}
	return Notified, "fixed and verified by dera at " + o.at.UTC().Format(time.RFC3339) + "; Security Hub has not confirmed it yet", again
}

// setBy reports whether dera set the status of a finding, and whether dera may set it.
func setBy(o ours, t Theirs) (set, mine bool) {
	if t.V2 {
		_, own := dera.CommentTime(t.Note)
		switch {
		case own: // the comment ends with the status that dera set
			last := lastSet(t.Note)
			return last == t.Workflow && last != New, last == t.Workflow
		default: // a comment of somebody else would be lost
			return false, t.Note == "" && t.Workflow == New
		}
	}
	last, by := t.Fields[fieldStatus], t.Fields[fieldRemediation]
	switch {
	case last == "" && t.Workflow == New:
		return false, true
	case last == t.Workflow:
		return last != New, true
	case t.Workflow == New && by != o.remediation && o.state == fixed:
		return false, true // Security Hub opened it again, and dera fixed it again
	}
	return false, false
}

// lastSet is the status that a comment of dera on a finding of V2 says it set, or "".
func lastSet(comment string) string {
	i := strings.LastIndex(comment, "[")
	if i < 0 || !strings.HasSuffix(comment, "]") {
		return ""
	}
	return comment[i+1 : len(comment)-1]
}

// update is what changes, or nil where it is all there. A note of a person stays.
func update(o ours, t Theirs, status, says string, now time.Time) *Update {
	u := Update{Of: t}
	if status != "" && status != t.Workflow {
		u.Workflow = status
	}
	if t.V2 {
		if says += " [" + cmp.Or(status, t.Workflow) + "]"; !strings.HasSuffix(t.Note, says) || u.Workflow != "" {
			u.Note = dera.Comment(now, says)
		}
	} else {
		fields := map[string]string{fieldStatus: cmp.Or(status, t.Workflow), fieldRemediation: o.remediation, fieldSays: says}
		same := true
		for k, v := range fields {
			same = same && t.Fields[k] == v
		}
		if !same {
			u.Fields = map[string]string{}
			maps.Copy(u.Fields, t.Fields)
			for k, v := range fields {
				u.Fields[k] = v
				if v == "" {
					delete(u.Fields, k)
				}
			}
		}
		if (t.NoteBy == "" || t.NoteBy == Author) && t.Note != says {
			u.Note = says
		}
	}
	if u.Workflow == "" && u.Note == "" && u.Fields == nil {
		return nil
	}
	return &u
}
