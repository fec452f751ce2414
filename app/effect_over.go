package app

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"dera.example/dera"
)

// Over is what a period came to.
func (p EffectData) Over(of Period) Effectiveness {
	v := Effectiveness{Since: of.Since.UTC(), Until: of.Until.UTC(), Exemptions: p.exemptions, ExemptionsUnread: p.unread, Reviews: p.reviews}
	if of.Since.Before(p.KeptSince) {
		kept := p.KeptSince.UTC()
		v.KeptSince = &kept
	}
	w := tally{p: p, Period: of, judged: make([]bool, len(p.seen)), by: map[string]int{}}
	for _, f := range p.fixes {
		w.fixed(f)
		w.rejected(f)
		w.asked(f)
		w.ended(f)
	}
	w.findings()
	w.close(&v)
	v.Weeks = w.weeks()
	w.queue.Answer = spread(w.answers)
	if all := w.queue.Automatic + w.queue.Findings + w.queue.Reported; all > 0 {
		saved := w.queue.Automatic * 100 / all
		w.queue.Saved = &saved
	}
	for _, yes := range w.judged {
		if yes {
			w.wrong.Findings++
		}
	}
	v.Work, v.Queue, v.Wrong = w.work, w.queue, w.wrong
	v.Work.By = rolledBackBy(w.by)
	v.Workarounds = p.workarounds(of)
	return v
}

// Holds reports whether a moment is in the period.
func (p Period) Holds(at time.Time) bool { return !at.Before(p.Since) && at.Before(p.Until) }

// tally is what is counted of a period.
type tally struct {
	Period
	p       EffectData
	work    Work
	queue   Queue
	wrong   Wrong
	by      map[string]int
	answers []time.Duration
	judged  []bool // findings that a person or a denial spoke against
}

// fixed counts a fix that was verified.
func (w *tally) fixed(f madeFix) {
	if !f.fixed || !w.Holds(f.at) {
		return
	}
	w.work.Fixed++
	w.wrong.Fixed++
	if f.Auto {
		w.work.Automatic++
		if !f.undone {
			w.queue.Automatic += len(f.findings)
		}
	} else {
		w.work.Approved++
	}
	if _, side := f.first(dera.Collateral); side {
		w.work.SideEffect++
	}
	switch {
	case f.wrong:
		w.wrong.Denied++
	case f.perhaps:
		w.wrong.MayBe++
	}
	if f.undone {
		w.wrong.Undone++
	}
	if f.undone || f.wrong {
		w.judge(f)
	}
}

func (w *tally) judge(f madeFix) {
	for _, i := range f.findings {
		w.judged[i] = true
	}
}

// rejected counts a plan that a person said no to.
func (w *tally) rejected(f madeFix) {
	if no, rejected := f.first(dera.Rejected); rejected && w.Holds(no) {
		w.wrong.Rejected++
		w.judge(f)
	}
}

// ended counts what was taken back, by whom, and what failed.
func (w *tally) ended(f madeFix) {
	if at, ok := f.first(dera.RolledBack); ok && w.Holds(at) {
		w.work.RolledBack++
		w.by[f.UndoBy]++
	}
	if at, ok := f.first(dera.Failed); ok && w.Holds(at) {
		w.work.Failed++
		if _, undone := f.first(dera.Undoing); undone {
			w.work.Undone++
		}
	}
	if at, ok := f.first(dera.UndoFailed); ok && w.Holds(at) {
		w.work.UndoFailed++
	}
}

// asked counts a plan that waited for a person at any time of the period, and what became of it within it.
func (w *tally) asked(f madeFix) {
	since, ok := f.first(dera.Waiting)
	if !ok || !since.Before(w.Until) {
		return
	}
	answers := map[dera.State]*int{dera.Ready: &w.queue.Approved, dera.Rejected: &w.queue.Rejected, dera.Expired: &w.queue.Expired, dera.Superseded: &w.queue.Obsolete}
	became := &w.queue.Waiting
	for _, s := range f.Steps {
		n, answered := answers[s.State]
		if !answered || s.At.Before(since) {
			continue
		}
		if s.At.Before(w.Since) {
			return // before the period
		}
		if s.At.Before(w.Until) {
			became = n
			if s.State == dera.Ready || s.State == dera.Rejected {
				w.answers = append(w.answers, s.At.Sub(since))
			}
		}
		break
	}
	w.queue.Asked++
	w.queue.Findings += len(f.Findings)
	*became++
}

// findings counts what was seen, reported and exempted.
func (w *tally) findings() {
	for i, f := range w.p.seen {
		if !f.first.Before(w.Until) || !f.resolved.IsZero() && f.resolved.Before(w.Since) {
			continue // what came and went before it came back is not known to have been open then
		}
		w.wrong.Seen++
		if !w.Holds(f.first) {
			continue
		}
		switch f.decided {
		case dera.Exempt:
			w.wrong.Exempted++
			w.judged[i] = true
		case dera.Alert:
			w.queue.Reported++
		case dera.Auto, dera.Review:
		}
	}
}

// close makes the times to remediate.
func (w *tally) close(v *Effectiveness) {
	by, of, auto := map[string][]time.Duration{}, map[string][]time.Duration{}, map[string]int{}
	for _, c := range w.p.closed {
		if !w.Holds(c.at) {
			continue
		}
		by[ClosedAll], by[c.by], of[c.control] = append(by[ClosedAll], c.took), append(by[c.by], c.took), append(of[c.control], c.took)
		if c.by == ClosedAutomatic {
			auto[c.control]++
		}
	}
	for _, who := range []string{ClosedAll, ClosedAutomatic, ClosedApproved, ClosedOthers} {
		v.Closed = append(v.Closed, TimeToClose{who, spread(by[who])})
	}
	v.Controls = []ControlClose{}
	for _, id := range slices.Sorted(maps.Keys(of)) {
		v.Controls = append(v.Controls, ControlClose{id, spread(of[id]), auto[id]})
	}
	slices.SortStableFunc(v.Controls, func(a, b ControlClose) int { return cmp.Compare(*b.Median, *a.Median) })
}

// mostWeeks is how many weeks a period may have so that they are counted.
const mostWeeks = 260

// weeks counts by week, as far as findings tell: of one that came back, the last times.
func (w *tally) weeks() []WeekCount {
	const week = 7 * 24 * time.Hour
	n := int((w.Until.Sub(w.Since) + week - 1) / week)
	if n > mostWeeks {
		return []WeekCount{}
	}
	out := make([]WeekCount, n)
	for i := range out {
		out[i].Begins = w.Since.Add(time.Duration(i) * week).UTC()
	}
	at := func(t time.Time) *WeekCount { return &out[t.Sub(w.Since)/week] }
	for _, c := range w.p.closed {
		switch {
		case !w.Holds(c.at):
		case c.by == ClosedAutomatic:
			at(c.at).Automatic++
		case c.by == ClosedApproved:
			at(c.at).Approved++
		default:
			at(c.at).Others++
		}
	}
	for _, f := range w.p.seen {
		if w.Holds(f.first) {
			at(f.first).Opened++
		}
		for _, t := range f.returns {
			if w.Holds(t) {
				at(t).Opened++
			}
		}
	}
	return out
}

// spread is the median and the 95th percentile, which is the nearest rank: at most a twentieth took
// longer.
func spread(list []time.Duration) Spread {
	n := len(list)
	if n == 0 {
		return Spread{}
	}
	slices.Sort(list)
	median := int64((list[(n-1)/2] + list[n/2]) / 2 / time.Second)
	p95 := int64(list[(n*95+99)/100-1] / time.Second)
	return Spread{n, &median, &p95}
}

func rolledBackBy(n map[string]int) []RolledBackBy {
	out := []RolledBackBy{}
	for _, by := range slices.Sorted(maps.Keys(n)) {
		out = append(out, RolledBackBy{cmp.Or(by, "not recorded"), n[by]})
	}
	slices.SortStableFunc(out, func(a, b RolledBackBy) int { return cmp.Compare(b.Count, a.Count) })
	return out
}

// exemptionsDue are the exemptions that expire within 30 days or have expired, with the open findings
// that they cover.
func exemptionsDue(list []dera.Exemption, findings []dera.Finding, now time.Time) []ExemptionDue {
	covers := map[string]int{}
	for _, f := range findings {
		if f.State != dera.FindingResolved && f.Disposition == dera.Exempt {
			covers[exemptBy(f)]++
		}
	}
	out := []ExemptionDue{}
	for _, x := range list {
		if x.Expires.Sub(now) <= soon {
			out = append(out, ExemptionDue{Expiring{x.ID, x.Owner, x.Expires, covers[x.ID]}, !now.Before(x.Expires)})
		}
	}
	slices.SortFunc(out, func(a, b ExemptionDue) int {
		return cmp.Or(a.Expires.Compare(b.Expires), cmp.Compare(a.ID, b.ID))
	})
	return out
}
