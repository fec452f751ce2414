package console

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"dera.example/dera"
	"dera.example/dera/app"
)

// frame is what the page of a request has beside its content.
func (c *Console) frame(r *http.Request, v visitor, in bool, title string) frame {
	p := frame{title: title, url: r.URL.RequestURI(), at: r.URL.Path, in: in, still: r.Method != http.MethodGet, v: v, paths: c.paths, flags: c.cfg.Flags, version: c.cfg.Version, now: c.cfg.Now(), number: -1}
	if s, _ := c.board.now(); s != nil && in {
		p.waiting, p.stops, p.number = len(s.waiting), s.stops, s.number
		switch read := c.board.lastRead(); {
		case s.failed != nil:
			p.failed, p.known = "The log of dera says why.", p.ago(read)
		case p.now.Sub(read) > lateAfter:
			p.failed, p.known = "It has been asked since then.", p.ago(read)
		}
	}
	return p
}

// answer writes a page.
func (c *Console) answer(w http.ResponseWriter, r *http.Request, status int, v visitor, title string, content templ.Component) {
	known, in := c.sessions.of(r, false)
	if in {
		v = known // also on a page that needs no session
	}
	c.write(w, r, status, c.frame(r, v, in, title), content)
}

func (c *Console) write(w http.ResponseWriter, r *http.Request, status int, p frame, content templ.Component) {
	c.whole(w, r.WithContext(templ.WithChildren(r.Context(), content)), status, layout(p))
}

// whole writes a page that has everything.
func (c *Console) whole(w http.ResponseWriter, r *http.Request, status int, page templ.Component) {
	var text bytes.Buffer
	if err := page.Render(r.Context(), &text); err != nil {
		c.cfg.Log.ErrorContext(r.Context(), "a page of the console could not be made", "err", err)
		http.Error(w, "dera: the page could not be made; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // whoever asked may not be there any more
}

// snapshot is the newest one; ok is false, and the page written, before the first one.
func (c *Console) snapshot(w http.ResponseWriter, r *http.Request, v visitor) (*snapshot, bool) {
	s, _ := c.board.now()
	if s == nil {
		w.Header().Set("Retry-After", "1")
		c.answer(w, r, http.StatusServiceUnavailable, v, "Starting", message("dera reads its database", "This page shows what it finds as soon as it has."))
		return nil, false
	}
	return s, true
}

func (c *Console) inbox(w http.ResponseWriter, r *http.Request, v visitor) {
	c.showInbox(w, r, v, http.StatusOK, r.URL.Query().Get("r"), "")
}

// showInbox writes the inbox with a plan chosen, the first one by default.
func (c *Console) showInbox(w http.ResponseWriter, r *http.Request, v visitor, status int, id, failed string) {
	s, ok := c.snapshot(w, r, v)
	if !ok {
		return
	}
	p := c.frame(r, v, true, "Inbox")
	p.at, p.notice, p.cli = "/", notice(r), "dera waiting"+c.cfg.Flags
	var chosen *Detail
	if id == "" {
		id = firstOf(s.waiting, p.notice != "", r.URL.Query().Get("id"))
	}
	if q := r.URL.Query(); id != "" {
		q.Set("r", id)
		p.url = "/?" + q.Encode() // the plan that a person looks at stays the one that is chosen
	}
	if id != "" {
		d, err := c.cfg.Shown(r.Context(), id)
		switch {
		case errors.Is(err, ErrNotFound):
			failed = "There is no remediation " + app.Plain(id) + "."
		case err != nil:
			c.unread(w, r, v, err)
			return
		default:
			chosen = &d
		}
	}
	c.write(w, r, status, p, inboxPage(p, s.waiting, chosen, failed))
}

// firstOf is the plan that waits first, other than one that was just answered.
func firstOf(list []app.Waiting, answered bool, id string) string {
	for _, w := range list {
		if !answered || w.Remediation != id {
			return w.Remediation
		}
	}
	return ""
}

func (c *Console) overview(w http.ResponseWriter, r *http.Request, v visitor) {
	s, ok := c.snapshot(w, r, v)
	if !ok {
		return
	}
	p := c.frame(r, v, true, "Overview")
	p.cli = "dera report" + c.cfg.Flags
	c.write(w, r, http.StatusOK, p, overviewPage(p, s.overview, s.trend))
}

func (c *Console) findings(w http.ResponseWriter, r *http.Request, v visitor) {
	s, ok := c.snapshot(w, r, v)
	if !ok {
		return
	}
	q := queryOf(r.URL.Query())
	p := c.frame(r, v, true, "Findings")
	p.cli = q.command(c.cfg.Flags)
	c.write(w, r, http.StatusOK, p, findingsPage(p, q, q.find(s.rows)))
}

func (c *Console) one(w http.ResponseWriter, r *http.Request, v visitor) {
	c.showOne(w, r, v, http.StatusOK, r.PathValue("id"), "")
}

// showOne writes the page of a finding or a remediation.
func (c *Console) showOne(w http.ResponseWriter, r *http.Request, v visitor, status int, id, failed string) {
	d, err := c.cfg.Shown(r.Context(), id)
	switch {
	case errors.Is(err, ErrNotFound):
		c.answer(w, r, http.StatusNotFound, v, "Not found", message("Nothing has this ID", "There is neither a finding nor a remediation "+app.Plain(id)+" here."))
		return
	case err != nil:
		c.unread(w, r, v, err)
		return
	}
	if d.Remediation != nil && failed == "" {
		failed = app.Plain(c.later.of(d.Remediation.ID))
	}
	p := c.frame(r, v, true, id)
	p.notice, p.cli = notice(r), "dera show "+id+c.cfg.Flags
	if d.Finding != nil {
		p.title = app.Plain(d.Finding.Title)
	}
	c.write(w, r, status, p, onePage(p, d, failed))
}

func (c *Console) stops(w http.ResponseWriter, r *http.Request, v visitor) {
	c.showStops(w, r, v, http.StatusOK, "")
}

func (c *Console) showStops(w http.ResponseWriter, r *http.Request, v visitor, status int, failed string) {
	list, err := c.cfg.Store.Stops(r.Context()) // what holds now, not what a snapshot says
	if err != nil {
		c.unread(w, r, v, err)
		return
	}
	p := c.frame(r, v, true, "Stop")
	p.at, p.stops, p.notice, p.cli = "/stop", list, stopNotice(r, list), "dera stop --reason TEXT"+c.cfg.Flags
	c.write(w, r, status, p, stopPage(p, list, failed))
}

// unread is the answer where the store does not.
func (c *Console) unread(w http.ResponseWriter, r *http.Request, v visitor, err error) {
	c.cfg.Log.ErrorContext(r.Context(), "a page of the console could not be read", "err", err)
	c.answer(w, r, http.StatusServiceUnavailable, v, "Not read", message("This could not be read", "The database did not answer as it must; the log of dera says why. Load the page again."))
}

// notice is what an order came to, as the page after it says.
func notice(r *http.Request) string {
	id := r.URL.Query().Get("id")
	texts := map[string]string{
		"approved": "Approved: the plan of " + id + ". Its page shows what becomes of it.", "rejected": "Rejected: the plan of " + id + ".",
		"rollback": "The rollback of " + id + " was ordered.", "stopped": "Stopped.", "resumed": "Resumed.",
	}
	return app.Plain(texts[r.URL.Query().Get("done")])
}

// stopNotice is the notice of the page of stops, as long as it is so: the address, with what it says, stays
// while others stop and resume.
func stopNotice(r *http.Request, list []dera.Stop) string {
	q := r.URL.Query()
	at := func(s dera.Stop) bool { return s.Account == q.Get("account") && s.Control == q.Get("control") }
	if slices.ContainsFunc(list, at) != (q.Get("done") == "stopped") {
		return ""
	}
	return notice(r)
}

// reasons are what the guardrails said, in the order in which they were asked.
func (d Detail) reasons() []dera.Reason {
	if d.Finding != nil {
		return d.Finding.Reasons
	}
	if d.Remediation != nil {
		return d.Remediation.Decision.Reasons
	}
	return nil
}

// step is a line of a timeline.
type step struct {
	at    time.Time
	state dera.State
	write bool
	what  string
}

// steps are the moves of the remediation, and below those that write, the writes.
func (d Detail) steps() []step {
	var out []step
	for _, s := range d.Remediation.Steps {
		out = append(out, step{at: s.At, state: s.State, what: s.Why})
		if s.State != dera.Applying && s.State != dera.Undoing {
			continue
		}
		for _, i := range d.Intents {
			if i.Undo != (s.State == dera.Undoing) {
				continue
			}
			what := i.Operation + ": " + strings.ReplaceAll(string(i.State), "_", " ")
			if i.Error != "" {
				what += ": " + i.Error
			}
			out = append(out, step{at: i.At, write: true, what: what})
		}
	}
	return out
}

// lines joins lines of text.
func lines(list []string) string {
	out := make([]string, len(list))
	for i, line := range list {
		out[i] = app.PlainLines(line)
	}
	return strings.Join(out, "\n")
}

// lineKind is the class of a line of a diff.
func lineKind(line string) string {
	switch {
	case strings.HasPrefix(line, "-"):
		return "removed"
	case strings.HasPrefix(line, "+"):
		return "added"
	}
	return "same"
}

// graph is a picture of a trend: the points of its line, in the box 600 by 120.
type graph struct{ line, area, label string }

func graphOf(days []day) graph {
	most, width, height := 1, 600.0, 110.0
	for _, d := range days {
		most = max(most, d.open)
	}
	points := make([]string, len(days))
	for i, d := range days {
		points[i] = fmt.Sprintf("%.1f,%.1f", width*float64(i)/float64(max(len(days)-1, 1)), 115-height*float64(d.open)/float64(most))
	}
	first, last := days[0], days[len(days)-1]
	opened, closed := 0, 0
	for _, d := range days {
		opened, closed = opened+d.opened, closed+d.closing
	}
	highest := slices.MaxFunc(days, func(a, b day) int { return a.open - b.open }).open
	line := strings.Join(points, " ")
	return graph{line, line + " 600,120 0,120", fmt.Sprintf("%d findings were left open on %s, %d now, %d at most; %d were found and %d closed in these days",
		first.open, first.begins.Format(time.DateOnly), last.open, highest, opened, closed)}
}
