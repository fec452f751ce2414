package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
)

// canaryRecords is how far the audit log was read, and what it says of the group.
type canaryRecords struct {
	next int64
	// stop says why dera does not go on: its decision, or how its fix ended.
	stop string
	// verified says that dera read the group again and found it closed.
	verified bool
}

// reached notes the first time of a stage.
func (x *canaryRun) reached(stage string, at time.Time) {
	if slices.ContainsFunc(x.answer.Stages, func(s CanaryStage) bool { return s.Stage == stage }) {
		return
	}
	x.answer.Stages = append(x.answer.Stages, CanaryStage{stage, at.UTC(), at.Sub(x.opened).Round(time.Millisecond).Seconds()})
	byOrder := func(a, b CanaryStage) int { return cmp.Compare(canaryOrder(a.Stage), canaryOrder(b.Stage)) }
	slices.SortFunc(x.answer.Stages, byOrder)
	// One follows from the other, and records of one commit can have times that are a little apart the other way.
	last := CanaryStage{}
	for i, s := range x.answer.Stages {
		if s.Stage == "closed" { // is read from AWS, beside the records
			continue
		}
		if s.At.Before(last.At) {
			x.answer.Stages[i].At, x.answer.Stages[i].Seconds = last.At, last.Seconds
		}
		last = x.answer.Stages[i]
	}
	slices.SortStableFunc(x.answer.Stages, func(a, b CanaryStage) int { return cmp.Compare(a.Seconds, b.Seconds) })
	x.step(stage)
}

// canaryOrder is the place of a stage in the usual order.
func canaryOrder(stage string) int {
	return slices.Index([]string{"opened", "seen", "decided", "begun", "revoked", "closed", "verified"}, stage)
}

// after is when a stage was reached, in seconds since the opening; false where it was not.
func (r CanaryReport) after(stage string) (float64, bool) {
	i := slices.IndexFunc(r.Stages, func(s CanaryStage) bool { return s.Stage == stage })
	if i < 0 {
		return 0, false
	}
	return r.Stages[i].Seconds, true
}

// watch waits until dera has closed the group and verified it, or does not.
func (x *canaryRun) watch(ctx context.Context) error {
	var failure error
	for look := 0; ; look++ {
		if look%canaryLooks == 0 {
			if interfaces, err := x.Groups.Attached(ctx, x.answer.Group); err == nil && len(interfaces) > 0 {
				x.tells(ToDo, fmt.Sprintf("%s; somebody attached it to %s while it was open, so it is closed at once", x.so(), interfaces[0]), "attach nothing to groups with the tag dera:canary")
				return nil
			}
		}
		if err := x.records(ctx); err != nil {
			return x.cutOff(ctx, err)
		}
		if _, known := x.answer.after("closed"); !known {
			var open bool
			if open, failure = x.Groups.Opened(ctx, x.answer.Group); failure == nil && !open {
				x.reached("closed", x.Now())
			}
		}
		_, closed := x.answer.after("closed")
		switch {
		case closed && x.seen.verified, x.seen.stop != "":
			x.verdict(closed)
			return nil
		case x.Now().Sub(x.opened) >= x.Most:
			if failure != nil {
				x.failed(failure)
			}
			x.verdict(closed)
			return nil
		}
		if err := x.hold(ctx); err != nil {
			return x.cutOff(ctx, err)
		}
		if err := x.Wait(ctx, canaryPoll); err != nil {
			return x.cutOff(ctx, err)
		}
	}
}

// cutOff tells of the end of the context; another error is returned.
func (x *canaryRun) cutOff(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	x.tells(Unchecked, "cut off after "+x.so(), "")
	return nil
}

// records reads what is new in the audit log.
func (x *canaryRun) records(ctx context.Context) error {
	const most = 1000
	for {
		leaves, err := x.Store.Leaves(ctx, x.seen.next, most)
		if err != nil {
			return err
		}
		for _, leaf := range leaves {
			var r dera.AuditRecord
			if err := json.Unmarshal(leaf, &r); err != nil {
				return fmt.Errorf("read audit record %d: %w", x.seen.next, err)
			}
			x.seen.next++
			if r.Resource.Name() == x.answer.Group && r.Account == x.Account {
				if err := x.record(ctx, r); err != nil {
					return err
				}
			}
		}
		if len(leaves) < most {
			return nil
		}
	}
}

// record takes over what one record says of the group.
func (x *canaryRun) record(ctx context.Context, r dera.AuditRecord) error {
	switch r.Kind {
	case dera.RecordFinding:
		x.reached("seen", r.Time)
		if d := r.Decision; d != nil && d.Disposition >= dera.Alert {
			x.seen.stop = "dera does not act on it: " + notDone(r)
		}
	case dera.RecordDecision:
		x.reached("decided", r.Time)
		x.answer.Remediation = cmp.Or(x.answer.Remediation, r.Remediation)
		if made, err := x.Store.Remediation(ctx, r.Remediation); err == nil {
			x.answer.Trigger = made.Trigger
		}
		if r.State.Final() || r.State == dera.Waiting {
			x.seen.stop = "dera decided not to do it: " + notDone(r)
		}
	case dera.RecordIntent:
		x.reached("begun", r.Time)
	case dera.RecordResult:
		if r.Operation == x.Kind.Close {
			x.reached("revoked", r.Time)
		}
	case dera.RecordOutcome:
		switch {
		case r.State == dera.Resolved:
			x.seen.verified = true
			x.reached("verified", r.Time)
		case r.State.Final() && r.State != dera.Superseded:
			x.seen.stop = fmt.Sprintf("its fix ended as %s: %s", r.State, r.Why)
		}
	default: // says nothing of how far it is
	}
	return nil
}

// notDone says why a decision is no automatic one.
func notDone(r dera.AuditRecord) string {
	var parts []string
	if r.State != "" {
		parts = append(parts, string(r.State))
	}
	if r.Decision != nil {
		parts = append(parts, r.Decision.Disposition.String())
		for _, reason := range r.Decision.Reasons {
			if reason.Disposition != dera.Auto {
				parts = append(parts, reason.Guardrail+": "+reason.Why)
			}
		}
	}
	return strings.Join(parts, ", ")
}

// so is how far it came, in words.
func (x *canaryRun) so() string {
	var parts []string
	for _, s := range x.answer.Stages {
		parts = append(parts, fmt.Sprintf("%s %.1f s", s.Stage, s.Seconds))
	}
	return strings.Join(parts, ", ")
}

// verdict tells how it went.
func (x *canaryRun) verdict(closed bool) {
	verified, done := x.answer.after("verified")
	_, seen := x.answer.after("seen")
	switch {
	case closed && done && verified <= x.answer.Limit:
		x.tells(Healthy, x.so(), "")
	case closed && done:
		x.tells(ToDo, fmt.Sprintf("%s: more than %.0f s", x.so(), x.answer.Limit), "which stage took it? Before seen it is the delivery (dera pattern, the lag under sources; without events only sweeps see it), after it workers, settle and limits of AWS")
	case x.seen.stop != "":
		x.tells(ToDo, x.so()+"; "+x.seen.stop, "dera show "+x.answer.Remediation)
	case closed && seen:
		x.tells(ToDo, x.so()+"; it is closed, and dera did not verify it within "+x.Most.String(), "dera show "+x.answer.Remediation)
	case closed:
		x.tells(ToDo, x.so()+"; it is closed, and not by this dera", "who closed it? other_fixers of the configuration names other tools")
	default:
		x.tells(Broken, fmt.Sprintf("%s; it was not closed within %s", x.so(), x.Most), "is dera run running on these data, in mode enforce, with the account and region in its configuration, and do events arrive (dera doctor --send-test-event)?")
	}
}

// look finds what earlier canaries left in other places, which this one does not reach.
func (x *canaryRun) look(ctx context.Context) error {
	list, err := placesOf(ctx, x.Store)
	if err != nil {
		return err
	}
	for _, at := range list {
		if at.Account != x.Account || at.Region != x.Region {
			x.elsewhere = append(x.elsewhere, at)
		}
	}
	x.tellLeft(x.elsewhere)
	return nil
}

// placesOf is where canaries were cut off before they cleaned up.
func placesOf(ctx context.Context, s *store.Store) (list []placed, err error) {
	text, err := s.Remembered(ctx, rememberCanary)
	if err != nil || text == "" {
		return nil, err
	}
	if json.Unmarshal([]byte(text), &list) != nil {
		return nil, errors.New("what is remembered of the canary cannot be read")
	}
	return list, nil
}

// canaryLeft tells of canaries that were cut off before they cleaned up.
func (x *examination) canaryLeft(ctx context.Context) error {
	list, err := placesOf(ctx, x.Store)
	if err != nil {
		return err
	}
	x.tellLeft(list)
	return nil
}

func (x *examination) tellLeft(list []placed) {
	was := x.account
	for _, at := range list {
		x.account = at.Account
		x.says("canary", at.Region, ToDo, "a canary was cut off there, and may be open", "dera doctor --canary closes it, with that account and region as canary of the configuration")
	}
	x.account = was
}
