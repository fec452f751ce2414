package console

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"dera.example/dera/app"
)

// mostTogether is how many plans are approved together at most.
const mostTogether = 100

// together are the plans that wait and change the same as the one with the ID, it among them; none for a
// plan that is alone or does not wait.
func together(list []app.Waiting, id string) []app.Waiting {
	shape := ""
	for _, w := range list {
		if w.Remediation == id {
			shape = w.Shape
		}
	}
	var out []app.Waiting
	for _, w := range list {
		if shape != "" && w.Shape == shape && len(out) < mostTogether {
			out = append(out, w)
		}
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// same shows the plans of one shape.
func (c *Console) same(w http.ResponseWriter, r *http.Request, v visitor) {
	c.showSame(w, r, v, http.StatusOK, r.URL.Query().Get("r"), "")
}

func (c *Console) showSame(w http.ResponseWriter, r *http.Request, v visitor, status int, id, failed string) {
	s, ok := c.snapshot(w, r, v)
	if !ok {
		return
	}
	d, err := c.cfg.Shown(r.Context(), id)
	list := together(s.waiting, id)
	switch {
	case errors.Is(err, ErrNotFound) || err == nil && len(list) == 0:
		c.answer(w, r, http.StatusNotFound, v, "Not found", message("There are no plans to decide together", "No other plan that waits changes the same as "+app.Plain(id)+" for the same reasons."))
		return
	case err != nil:
		c.unread(w, r, v, err)
		return
	}
	p := c.frame(r, v, true, "Plans of one shape")
	p.at, p.cli = "/", "dera waiting"+c.cfg.Flags
	c.write(w, r, status, p, samePage(p, d, list, failed))
}

// outcome is what became of one of several plans.
type outcome struct {
	id, why string // why it was not approved, "" where it was
}

// approveAll approves the plans that were chosen, each with the digest that was shown. It begins with none
// where one of them is not of the shape of the others any more.
func (c *Console) approveAll(w http.ResponseWriter, r *http.Request, v visitor) {
	s, ok := c.snapshot(w, r, v)
	if !ok {
		return
	}
	id, chosen := r.PostForm.Get("r"), r.PostForm["plan"]
	shown := map[string]app.Waiting{}
	critical := false
	for _, x := range together(s.waiting, id) {
		shown[x.Remediation] = x
		critical = critical || x.Severity.String() == "critical"
	}
	reason, wrong := reasonOf(r, critical)
	switch {
	case wrong != "":
		c.showSame(w, r, v, http.StatusUnprocessableEntity, id, wrong)
		return
	case len(chosen) == 0 || len(chosen) > mostTogether:
		c.showSame(w, r, v, http.StatusUnprocessableEntity, id, "Nothing was approved: choose 1 to "+strconv.Itoa(mostTogether)+" plans.")
		return
	}
	for _, x := range chosen {
		plan, digest, _ := strings.Cut(x, " ")
		if at, ok := shown[plan]; !ok || at.Digest != digest {
			c.showSame(w, r, v, http.StatusConflict, id, "Nothing was approved: a plan that you saw does not hold any more, or is not like the others any more. These wait now.")
			return
		}
	}
	ctx := context.WithoutCancel(r.Context()) // who closes the page has ordered all of them
	var done []outcome
	status := http.StatusOK
	for _, x := range chosen {
		plan, digest, _ := strings.Cut(x, " ")
		o := outcome{id: plan}
		err := c.cfg.Orders.Approve(ctx, plan, digest, reason, v.Actor)
		var refused *Refused
		switch {
		case err == nil || c.answered(ctx, plan, v, true, err):
		case errors.As(err, &refused):
			o.why, status = refused.Why, http.StatusConflict
		default:
			c.cfg.Log.ErrorContext(ctx, "an order of the console failed", "err", err)
			o.why, status = "it is not known whether this was done: the database did not answer as it must", http.StatusServiceUnavailable
		}
		done = append(done, o)
	}
	p := c.frame(r, v, true, "Plans of one shape")
	p.at = "/"
	c.write(w, r, status, p, doneTogether(done))
}
