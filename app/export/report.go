package export

import (
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/control"
)

// Report is what a writer needs beside the findings.
type Report struct {
	app.ScanReport
	// Controls are the rulebook.
	Controls []control.Control
	Version  string    // of dera
	At       time.Time // when the report was made
}

// trouble is something beside the findings that a reader must know: a place that
// was not read, half-done work, a stop.
type trouble struct {
	id, text string
	grave    bool // the report is not complete
}

// The kinds of trouble.
const (
	notRead  = "not-read"
	halfDone = "half-done"
	stopped  = "stopped"
	leftOut  = "hidden-by-filter"
	beyond   = "hidden-by-limit"
)

func (r Report) troubles() []trouble {
	var out []trouble
	if r.NothingRead {
		out = append(out, trouble{notRead, "Nothing was read yet: dera scan reads everything once.", true})
	}
	for _, u := range r.Unreadable {
		out = append(out, trouble{notRead, placeText(u) + " was not read" + u.SinceText() + ": " + app.Plain(u.Error), true})
	}
	for _, f := range r.Findings {
		if f.NotRead != nil {
			out = append(out, trouble{notRead, fmt.Sprintf("Finding %s on %s was not read since %s.", f.ID, app.Plain(string(f.Resource)), stamp(*f.NotRead)), true})
		}
	}
	for _, u := range r.UnderWay {
		out = append(out, trouble{halfDone, fmt.Sprintf("Remediation %s on %s is %s since %s: %s. Continue with: %s",
			u.Remediation, app.Plain(string(u.Resource)), u.State, stamp(u.Since), app.Plain(u.Why), app.Plain(u.Command)), false})
	}
	for _, s := range r.Stops {
		out = append(out, trouble{stopped, fmt.Sprintf("All changes are stopped (%s) since %s by %s: %s", app.Plain(s.Where()), stamp(s.At), app.Plain(s.By), app.Plain(s.Reason)), false})
	}
	if n := r.Summary.LeftOut; n > 0 {
		out = append(out, trouble{leftOut, fmt.Sprintf("The filter hides %d findings; the last scan could not read %d of them.", n, r.Summary.LeftOutNotRead), r.Summary.LeftOutNotRead > 0})
	}
	if n := r.Summary.BeyondLimit; n > 0 {
		out = append(out, trouble{beyond, fmt.Sprintf("%d findings are not in this report: it was limited to %d.", n, len(r.Findings)), false})
	}
	return out
}

// complete reports whether all was read.
func (r Report) complete() bool { return len(r.Unreadable) == 0 && !r.NothingRead }

// placeText names a place that could not be read.
func placeText(u app.Unreadable) string {
	if u.Account == "" {
		return "what dera covers"
	}
	text := strings.Join([]string{u.Type, "in", u.Account, u.Region}, " ")
	if u.Resource != "" {
		text = u.Resource + " (" + text + ")"
	}
	return app.Plain(text)
}

// exemptWhy is why an exempt finding is left alone.
func exemptWhy(f dera.Finding) string {
	var out []string
	for _, r := range f.Reasons {
		if r.Disposition == dera.Exempt {
			text := r.Guardrail + ": " + r.Why
			if r.Ref != "" {
				text += " (" + r.Ref + ")"
			}
			out = append(out, app.Plain(text))
		}
	}
	if len(out) == 0 {
		return "exempt"
	}
	return strings.Join(out, "; ")
}

func exempt(f app.FindingView) bool { return f.Disposition == dera.Exempt }

func resolved(f app.FindingView) bool { return f.State == dera.FindingResolved }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
