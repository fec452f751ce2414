package outbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/sink"
	"dera.example/dera/store"
)

// message is what a record says to people; ok is false for one that only the log needs,
// such as an intent. What the store knows of the finding and the remediation by now makes
// it readable; without them it says what the record says.
func (o *Outbox) message(ctx context.Context, index int64, leaf []byte) (m sink.Message, asks *open, ok bool, err error) {
	var r dera.AuditRecord
	sum := sha256.Sum256(leaf)
	if err := json.Unmarshal(leaf, &r); err != nil { // by another version, or torn: it holds up no other
		return sink.Message{
			ID: messageID(index, sum), What: sink.WhatAlarm, At: o.cfg.Now().UTC(), Severity: dera.High, Record: index,
			Title: fmt.Sprintf("record %d of the audit log cannot be read", index), Why: "what it says reaches nobody", Commands: []string{"dera audit verify" + o.cfg.Flags},
		}, nil, true, nil
	}
	m = sink.Message{
		ID: messageID(index, sum), At: r.Time, Record: index,
		Account: r.Account, Region: r.Region, Control: r.Control, Resource: r.Resource, Findings: r.Findings, Remediation: r.Remediation,
		Digest: r.Digest, State: r.State, Owner: r.Owner, Diff: r.Diff, Why: r.Why,
	}
	_ = m.Severity.UnmarshalText([]byte(r.Severity)) // a record without one has none
	if r.Decision != nil {
		m.Disposition = r.Decision.Disposition
	}
	f, known, err := o.finding(ctx, r)
	if err != nil {
		return m, nil, false, err
	}
	if known {
		m.ResourceType, m.Title = f.ResourceType, f.Title
		m.Severity, m.Owner = max(m.Severity, f.Severity), first(m.Owner, f.Owner)
	}
	if m.What = what(r, f); m.What == "" {
		return m, nil, false, nil
	}
	if err := o.detail(ctx, &m, r); err != nil {
		return m, nil, false, err
	}
	m.Diff = harmless(m.Diff)
	m.Title = first(m.Title, m.Why)
	switch {
	case m.What == sink.WhatWaiting:
		asks = &open{Remediation: m.Remediation}
	case m.What == sink.WhatAccess && r.Access != nil:
		asks = &open{Access: r.Access.ID}
	case m.What == sink.WhatAlarm && r.Alarm != nil && !r.Alarm.Ended:
		asks = &open{Alarm: r.Alarm.Key}
	}
	return m, asks, true, nil
}

// open is what somebody has to answer: one of these.
type open struct {
	Remediation string `json:"remediation,omitempty"`
	Access      string `json:"access,omitempty"`
	Alarm       string `json:"alarm,omitempty"`
}

// unanswered reports whether it still waits.
func (o *Outbox) unanswered(ctx context.Context, x open) (bool, error) {
	switch {
	case x.Remediation != "":
		r, err := o.cfg.Store.Remediation(ctx, x.Remediation)
		return err == nil && r.State == dera.Waiting && !r.Overdue(o.cfg.Now()), known(err)
	case x.Access != "":
		a, err := o.cfg.Store.Access(ctx, x.Access)
		if err != nil || a.End != nil || a.Grant == "" {
			return err == nil && a.End == nil, known(err)
		}
		return o.unanswered(ctx, open{Remediation: a.Grant})
	}
	list, err := o.cfg.Store.Alarms(ctx)
	return slices.ContainsFunc(list, func(a dera.Alarm) bool { return a.Key == x.Alarm }), err
}

// known is the error of a read, but that there is nothing.
func known(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// messageID is the same for a record, however often it is sent.
func messageID(index int64, sum [sha256.Size]byte) string {
	return fmt.Sprintf("dera-%d-%s", index, hex.EncodeToString(sum[:8]))
}

// what a record is to its receivers, or "".
func what(r dera.AuditRecord, f dera.Finding) string {
	switch r.Kind {
	case dera.RecordFinding:
		switch {
		case strings.HasPrefix(r.Why, string(dera.FindingResolved)):
			return sink.WhatResolved
		case r.Decision != nil && r.Decision.Disposition == dera.Exempt:
			return sink.WhatExempt
		case f.Remediation != "" && r.Decision != nil && r.Decision.Disposition < dera.Alert:
			return "" // the decision on the plan says it
		}
		return sink.WhatFinding
	case dera.RecordDecision:
		if r.State == dera.Waiting {
			return sink.WhatWaiting
		}
		return sink.WhatDecided
	case dera.RecordApproval, dera.RecordIncident:
		return sink.WhatDecided
	case dera.RecordRejection:
		return sink.WhatRejected
	case dera.RecordOutcome, dera.RecordRollback:
		return outcome(r.State)
	case dera.RecordStop, dera.RecordResume:
		return sink.WhatStop
	case dera.RecordDenial:
		return sink.WhatDenied
	case dera.RecordAccess:
		return sink.WhatAccess
	case dera.RecordIntent, dera.RecordResult, dera.RecordStart, dera.RecordCanary, dera.RecordRetention, dera.RecordExport:
		return ""
	case dera.RecordAlarm:
		return sink.WhatAlarm
	}
	return sink.WhatAlarm // a kind that is new is heard of
}

func outcome(s dera.State) string {
	switch s {
	case dera.Resolved, dera.Collateral:
		return sink.WhatFixed
	case dera.Failed, dera.UndoFailed:
		return sink.WhatFailed
	case dera.RolledBack:
		return sink.WhatRolledBack
	case dera.Expired:
		return sink.WhatExpired
	case dera.Rejected:
		return sink.WhatRejected
	case dera.Waiting, dera.Ready, dera.Applying, dera.Verifying, dera.Undoing, dera.Observed, dera.Planned, dera.Superseded:
	}
	return ""
}

// finding is the first finding of a record, where the store has it.
func (o *Outbox) finding(ctx context.Context, r dera.AuditRecord) (dera.Finding, bool, error) {
	if len(r.Findings) == 0 {
		return dera.Finding{}, false, nil
	}
	f, err := o.cfg.Store.Finding(ctx, r.Findings[0])
	if errors.Is(err, store.ErrNotFound) {
		return f, false, nil
	}
	return f, err == nil, err
}

// detail adds why, and what can be done about it.
func (o *Outbox) detail(ctx context.Context, m *sink.Message, r dera.AuditRecord) error {
	if m.Remediation != "" {
		rem, err := o.cfg.Store.Remediation(ctx, m.Remediation)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return err
		default:
			m.Severity = max(m.Severity, rem.Severity)
			m.Digest, m.Until = rem.Digest, rem.Expires
			if len(m.Diff) == 0 {
				m.Diff = rem.Plan.Diff()
			}
			if rem.Failure != "" && m.What == sink.WhatFailed {
				m.Why = rem.Failure
			}
		}
	}
	command := func(format string, args ...any) {
		m.Commands = append(m.Commands, fmt.Sprintf(format, args...)+o.cfg.Flags)
	}
	switch m.What {
	case sink.WhatWaiting:
		m.Why = because(r)
		command("dera approve %s --digest %s", m.Remediation, dera.ShortDigest(m.Digest))
		command("dera reject %s --reason TEXT", m.Remediation)
	case sink.WhatExpired, sink.WhatFinding:
		if why := because(r); why != "" {
			m.Why = why
		}
		if len(m.Findings) > 0 {
			command("dera remediate %s", m.Findings[0])
			command("dera show %s", m.Findings[0])
		}
	case sink.WhatFixed, sink.WhatFailed, sink.WhatRolledBack, sink.WhatDecided:
		if m.What == sink.WhatFixed {
			command("dera rollback %s --reason TEXT", m.Remediation)
		}
		if m.Remediation != "" {
			command("dera show %s", m.Remediation)
		}
	case sink.WhatDenied:
		d := r.Denial
		if d == nil {
			break
		}
		m.Principal, m.Action, m.Why = d.Principal, strings.Join(d.Actions, ","), d.Text()
		m.Severity = max(m.Severity, dera.High)
		m.Title = "denied since a remediation: " + dera.ARN(d.Principal).Resource()
		if d.Cause != dera.CauseOther {
			command(`dera access request --principal %s --action %s --for 8h --reason "it was denied after %s"`, d.Principal, m.Action, d.Remediation)
			command("dera rollback %s --reason TEXT", d.Remediation)
		}
	case sink.WhatAccess:
		if a := r.Access; a != nil {
			m.Principal, m.Action, m.Severity = string(a.Principal), strings.Join(a.Actions, ","), max(m.Severity, dera.Medium)
			command("dera access list")
		}
	case sink.WhatAlarm:
		if a := r.Alarm; a != nil {
			m.Title, m.Why, m.Severity = a.Title, a.Why, max(a.Severity, dera.Medium)
			m.Alarm, m.Ended = a.Key, a.Ended
			if a.Ended {
				m.Title, m.Why = "over: "+a.Title, ""
			}
		}
		command("dera doctor")
	case sink.WhatStop: // the record says what it covers, and its kind whether it began or ended
		m.Severity, m.Alarm, m.Ended = max(m.Severity, dera.High), "stop/"+r.Account+"/"+r.Control, r.Kind == dera.RecordResume
		m.Title = map[bool]string{false: "automation is stopped: ", true: "a stop is lifted: "}[m.Ended] + r.Why
	}
	return nil
}

// because are the reasons for which a plan is not automatic: "needed because …".
func because(r dera.AuditRecord) string {
	if r.Decision == nil {
		return ""
	}
	var out []string
	for _, x := range r.Decision.Lowered() {
		if !slices.Contains(out, x.Why) && x.Why != "" {
			out = append(out, x.Why)
		}
	}
	return strings.Join(out, "; ")
}

func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// harmless is a diff without text of documents: of one that shows any, how many lines change.
func harmless(diff []string) []string {
	if !slices.ContainsFunc(diff, func(line string) bool { return strings.ContainsAny(line, "{}[]\"") }) {
		return diff
	}
	return []string{fmt.Sprintf("%d lines of a document change", len(diff))}
}
