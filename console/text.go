package console

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
)

// Detail is a finding or a remediation as its page shows it.
type Detail struct {
	app.Shown
	// About is the finding, or one of those that the remediation is about; nil for none.
	About *dera.Finding `json:"-"`
	// Evidence is what was proved of the plan; empty where there is none.
	Evidence dera.Evidence `json:"-"`
	// Policy is a unified diff of the policy that the plan changes, empty for none.
	Policy string `json:"-"`
}

// is reports whether it is the remediation with the ID.
func (d *Detail) is(id string) bool {
	return d != nil && d.Remediation != nil && d.Remediation.ID == id
}

// decidable reports whether a person can say yes or no to the plan now.
func (d Detail) decidable() bool {
	return d.Remediation != nil && d.Remediation.State == dera.Waiting
}

// reversible reports whether a rollback has something to take back.
func (d Detail) reversible() bool {
	return d.Remediation != nil && slices.Contains([]dera.State{dera.Resolved, dera.Collateral, dera.UndoFailed}, d.Remediation.State)
}

// frame is what a page has beside its content.
type frame struct {
	title, url, at string // at is the tab
	in             bool
	still          bool // it answers an order, and stays as it is until the person goes on
	v              visitor
	paths          map[string]string
	waiting        int
	number         int64 // of the snapshot; -1 for none
	stops          []dera.Stop
	failed, known  string
	cli            string // the command that shows the same
	notice         string // what an order came to
	flags, version string
	now            time.Time
}

// ago is how long ago something was.
func (p frame) ago(t time.Time) string {
	d := p.now.Sub(t)
	if d < 0 {
		return "in " + span(-d)
	}
	return span(d) + " ago"
}

// span is a length of time in its two largest units.
func span(d time.Duration) string {
	switch s := int(d.Seconds()); {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min", s/60)
	case s < 86400:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	default:
		return fmt.Sprintf("%d d %d h", s/86400, s%86400/3600)
	}
}

// clock is how long a plan can still be approved.
func (p frame) clock(w app.Waiting) string {
	switch {
	case w.State == dera.Expired:
		return "expired"
	case w.Expires.IsZero():
		return "no limit"
	case !p.now.Before(w.Expires):
		return "expired" // since the list was made
	}
	return span(w.Expires.Sub(p.now)) + " left"
}

// soon reports whether a plan expires within a day, or has.
func (p frame) soon(w app.Waiting) bool {
	return w.State == dera.Expired || !w.Expires.IsZero() && w.Expires.Sub(p.now) < 24*time.Hour
}

func (p frame) until(r *dera.Remediation) string {
	if r.Expires.IsZero() {
		return "without limit"
	}
	return "until " + app.Stamp(r.Expires)
}

// side is a line of a diff by its sides.
type side struct{ before, after, kind string }

// planSides are the sides of every change of a plan: what is approved is what is shown.
func planSides(d Detail) []side { return sides(d.Remediation.Plan.Diff()) }

// policySides are the sides of the policy that a plan changes among others.
func policySides(d Detail) []side {
	var list []string
	for line := range strings.Lines(d.Policy) {
		if line = strings.TrimRight(line, "\n"); !strings.HasPrefix(line, "--- before") && !strings.HasPrefix(line, "+++ after") && !strings.HasPrefix(line, "@@") {
			list = append(list, line)
		}
	}
	return sides(list)
}

// sides puts what comes beside what goes. The order in which the changes are made is that of the timeline.
func sides(list []string) []side {
	var out []side
	pair := func(minus, plus []string) {
		for i := range max(len(minus), len(plus)) {
			var s side
			if i < len(minus) {
				s.before = minus[i]
			}
			if i < len(plus) {
				s.after = plus[i]
			}
			out = append(out, s)
		}
	}
	var minus, plus []string
	add := func(line string) {
		line = app.Plain(line)
		switch {
		case strings.HasPrefix(line, "-"):
			minus = append(minus, strings.TrimPrefix(line[1:], " "))
		case strings.HasPrefix(line, "+"):
			plus = append(plus, strings.TrimPrefix(line[1:], " "))
		default:
			pair(minus, plus)
			minus, plus = nil, nil
			out = append(out, side{line, line, "same"})
		}
	}
	for _, line := range list {
		add(line)
	}
	pair(minus, plus)
	return out
}

func resourceText(arn dera.ARN, name string) string {
	return app.Plain(app.ResourceText(dera.Finding{Resource: arn, ResourceName: name}))
}

// short is the last part of an ARN, which is the name of a session or user, or what an identity provider
// calls a person.
func short(name string) string {
	if p, ok := dera.ParsePerson(name); ok {
		return app.Plain(cmp.Or(p.Name, p.Subject))
	}
	return app.Plain(name[strings.LastIndexByte(name, '/')+1:])
}

func stateText(s dera.State) string { return strings.ReplaceAll(string(s), "_", " ") }

func critical(r *dera.Remediation) bool { return r.Severity == dera.Critical }

func placeholder(r *dera.Remediation, other string) string {
	if critical(r) {
		return "why (required: critical)"
	}
	return other
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
