package export

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
)

// ReplayHTML writes one page that needs nothing from elsewhere and runs no script: the counts
// of a replay, what was not read, and each time that something was open.
func ReplayHTML(w io.Writer, r app.ReplayReport, version string, at time.Time) error {
	var p page
	p.mark(strings.Replace(htmlHead, "<title>dera: findings</title>", "<title>dera: replay</title>", 1))
	p.mark("<h1>What dera would have done</h1>\n<p>")
	s := r.Summary
	from, to := s.From, s.To
	if r.AWS != nil {
		from, to = r.AWS.From, r.AWS.To
	}
	p.text(fmt.Sprintf("dera %s, %s; %s to %s; accounts %s; regions %s. Nothing was changed.", version, app.Stamp(at), app.Stamp(from), app.Stamp(to),
		strings.Join(s.Accounts, ", "), strings.Join(s.Regions, ", ")))
	p.mark("</p>\n")
	p.replayCounts(s)
	p.replayLimits(r)
	p.replayed(r.Findings)
	p.mark("</main>\n</body>\n</html>\n")
	_, err := io.WriteString(w, p.String())
	return err
}

func (p *page) replayCounts(s app.ReplaySummary) {
	p.mark("<h2 id=\"counts\">Counts</h2>\n<table class=\"counts\">\n<tbody>\n")
	row := func(what, n string) {
		p.mark("<tr>")
		p.element(`th scope="row"`, what)
		p.element(`td class="number"`, n)
		p.mark("</tr>\n")
	}
	row("Times that something was opened", fmt.Sprint(s.Findings))
	row("dera would have closed", fmt.Sprint(s.Dispositions[dera.Auto.String()]))
	row("dera would have asked about", fmt.Sprint(s.Dispositions[dera.Review.String()]))
	row("dera would have reported only", fmt.Sprint(s.Dispositions[dera.Alert.String()]))
	row("exempt", fmt.Sprint(s.Dispositions[dera.Exempt.String()]))
	row("closed by others", fmt.Sprint(s.Resolved))
	row("still open after the last event", fmt.Sprint(s.Open))
	if s.Dispositions[dera.Auto.String()] > 0 {
		row("open hours of what dera would have closed, in all", hours(s.AutoOpenSeconds))
		row("the same, median", hours(s.AutoOpenMedian))
	}
	row("events read", fmt.Sprint(s.Events.Read))
	p.mark("</tbody>\n</table>\n")
}

// replayLimits says what the page cannot know.
func (p *page) replayLimits(r app.ReplayReport) {
	p.mark("<h2 id=\"limits\">What this page does not know</h2>\n<ul>\n")
	if h := r.AWS; h != nil {
		for _, x := range h.Places {
			switch {
			case x.Error != "":
				p.element(`li class="trouble"`, x.Account+" "+x.Region+" was not read: "+x.Error)
			case x.Cut != nil:
				p.element(`li class="trouble"`, x.Account+" "+x.Region+" has too many events: only what came after "+app.Stamp(*x.Cut)+" is here.")
			}
		}
		for _, x := range h.Torn {
			p.element(`li class="trouble"`, x.Position+": "+x.Why)
		}
		p.element("li", "The event history of CloudTrail has management events of 90 days: no data events, and nothing of other regions. Looked up were "+strings.Join(h.Calls, ", ")+".")
		p.element("li", "Which recorded calls a removal of unused permissions would have broken is not judged: that takes every call of every principal. dera replay with the files of a trail judges it.")
	}
	p.element("li", fmt.Sprintf("What existed before the first event is known in part only: %d resources. A check that finds nothing there is unknown, not passed.", r.Summary.PartlyKnown))
	p.element("li", "Whether traffic used what was open is not in these events, nor who depends on it.")
	for _, x := range r.Unreadable {
		p.element(`li class="trouble"`, x.Position+" was not read: "+x.Why)
	}
	for _, x := range r.Unfollowed {
		p.element(`li class="trouble"`, x.Position+" could not be followed: "+x.Why)
	}
	p.mark("</ul>\n")
}

func (p *page) replayed(list []app.ReplayedFinding) {
	p.mark("<h2 id=\"opened\">What was opened</h2>\n")
	if len(list) == 0 {
		p.mark("<p>Nothing in what was read.</p>\n")
		return
	}
	p.table("Opened", "Severity", "Resource", "Finding", "By", "Hours open", "Closed by others", "dera")
	for _, f := range list {
		p.mark("<tr>")
		p.element(`th scope="row"`, app.Stamp(f.AppearedAt))
		p.element(`td class="`+f.Severity.String()+`"`, f.Severity.String())
		p.mark("<td>")
		p.text(cmp.Or(f.ResourceName, f.Resource.Name()))
		p.mark("<br>")
		p.text(f.Account + " " + f.Region)
		p.mark("</td>")
		p.mark("<td><strong>")
		p.text(f.Title)
		p.mark("</strong><br>")
		p.text(f.Why)
		p.mark("<br>")
		p.element("code", f.Control)
		p.mark("</td>")
		p.mark("<td>")
		p.text(f.CausedBy.Event + " of ")
		p.element("code", cmp.Or(f.CausedBy.Actor, "an unknown principal")) // an ARN breaks anywhere
		p.mark("</td>")
		p.element(`td class="number"`, hours(f.OpenSeconds))
		closed := "not in these events"
		if f.ResolvedAt != nil {
			closed = app.Stamp(*f.ResolvedAt) + ", " + f.ResolvedBy.Event
			if !f.ResolvedSure {
				closed += ", as far as the events show"
			}
		}
		p.element("td", closed)
		p.mark("<td>")
		p.text(wouldHave(f))
		p.diff(f.Diff)
		for _, line := range f.Later.Lines() {
			p.mark("<br><span>")
			p.text(line)
			p.mark("</span>")
		}
		p.mark("</td></tr>\n")
	}
	p.mark("</tbody>\n</table>\n")
}

// wouldHave is what dera would have done about it, and why not more.
func wouldHave(f app.ReplayedFinding) string {
	by := f.AppearedAt.Add(app.FixedWithin)
	switch {
	case f.Disposition == dera.Auto && f.ResolvedAt != nil && !f.ResolvedAt.After(by):
		return "closed by others sooner than dera promises"
	case f.Disposition == dera.Auto:
		return fmt.Sprintf("would have closed it by %s (%s after the call, where the mode is enforce)", app.Stamp(by), app.FixedWithin)
	}
	out := map[dera.Disposition]string{dera.Review: "would have asked", dera.Alert: "would have reported it", dera.Exempt: "would have left it, exempt"}[f.Disposition]
	for _, x := range app.Decisive(dera.Finding{Reasons: f.Reasons}) {
		out += "; " + x.Guardrail + ": " + x.Why
	}
	return out
}

// hours are seconds as hours with one digit, or less.
func hours(seconds int64) string {
	if seconds < 360 {
		return fmt.Sprintf("%d s", seconds)
	}
	return fmt.Sprintf("%.1f", float64(seconds)/3600)
}
