package console

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"dera.example/dera/app"
)

// WriteReport writes a report as one HTML file that loads nothing, runs nothing, and prints.
func WriteReport(ctx context.Context, w io.Writer, v app.Overview, version string) error {
	style, err := assets.ReadFile("assets/console.css")
	if err != nil {
		return err
	}
	return reportFile(v, version, string(style)).Render(ctx, w)
}

// report answers with what a period came to.
func (c *Console) report(w http.ResponseWriter, r *http.Request, v visitor) {
	s, ok := c.snapshot(w, r, v)
	if !ok {
		return
	}
	if s.effects == nil {
		w.Header().Set("Retry-After", "1")
		c.answer(w, r, http.StatusServiceUnavailable, v, "Report", message("dera reads what this report is made of", "This page shows it as soon as it has. If it stays so, the log says why."))
		return
	}
	q := r.URL.Query()
	since := q.Get("since")
	if since == "" {
		since = "90d"
	}
	status, failed := http.StatusOK, ""
	of, err := app.ParsePeriod(since, q.Get("until"), s.effects.At)
	if err != nil {
		status, failed, since = http.StatusBadRequest, app.Plain(err.Error()), "90d"
		of, _ = app.ParsePeriod("", "", s.effects.At) // the default is none that is refused
	}
	e := c.reports.over(s.effects, of)
	if q.Get("file") != "" && err == nil {
		c.reportFile(w, r, s.overview, e)
		return
	}
	p := c.frame(r, v, true, "Report")
	p.cli = "dera report --since " + since + c.cfg.Flags
	c.write(w, r, status, p, reportPage(p, e, since, failed))
}

// reportFile answers with the report as a file.
func (c *Console) reportFile(w http.ResponseWriter, r *http.Request, v app.Overview, e app.Effectiveness) {
	v.At, v.Effectiveness = e.Until, &e
	var text bytes.Buffer
	if err := WriteReport(r.Context(), &text, v, c.cfg.Version); err != nil {
		c.cfg.Log.ErrorContext(r.Context(), "a report could not be made", "err", err)
		http.Error(w, "dera: the report could not be made; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="dera-report-`+e.Until.Format(time.DateOnly)+`.html"`)
	_, _ = w.Write(text.Bytes()) // whoever asked may not be there any more
}

// mostReports is how many periods are held of what was read last.
const mostReports = 16

// reports holds what periods came to, of what was read last: it is made once and shown often.
type reports struct {
	mu   sync.Mutex
	of   *app.EffectData
	made map[app.Period]app.Effectiveness
}

func (r *reports) over(data *app.EffectData, of app.Period) app.Effectiveness {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of != data {
		r.of, r.made = data, map[app.Period]app.Effectiveness{}
	}
	e, ok := r.made[of]
	if !ok {
		e = data.Over(of)
		if len(r.made) < mostReports {
			r.made[of] = e
		}
	}
	return e
}

// closedBy says who closed.
func closedBy(by string) string {
	return map[string]string{
		app.ClosedAll: "anybody", app.ClosedAutomatic: "dera, nobody was asked", app.ClosedApproved: "dera, after an approval", app.ClosedOthers: "others",
	}[by]
}

func took(seconds *int64) string {
	if seconds == nil {
		return "–"
	}
	return span(time.Duration(*seconds) * time.Second)
}

// sentence begins with a capital letter and ends with a full stop.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }
