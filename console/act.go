package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"dera.example/dera"
	"dera.example/dera/app"
)

// The bounds of what a person writes.
const mostReason = 500

// reasonOf is the reason that a person gave, and what is wrong with it.
func reasonOf(r *http.Request, required bool) (reason, wrong string) {
	reason = strings.TrimSpace(r.PostForm.Get("reason"))
	switch {
	case reason == "" && required:
		return "", "Nothing was done: write why, it is recorded."
	case len(reason) > mostReason:
		return "", "Nothing was done: the reason is longer than 500 bytes."
	}
	return reason, ""
}

// approve says yes to the plan whose digest the page had. Where that is not the plan any more,
// nothing is approved and the page that answers has the new one.
func (c *Console) approve(w http.ResponseWriter, r *http.Request, v visitor) {
	id := r.PathValue("id")
	d, ok := c.target(w, r, v, id)
	if !ok {
		return
	}
	reason, wrong := reasonOf(r, critical(d.Remediation))
	digest := r.PostForm.Get("digest")
	switch {
	case wrong != "":
		c.showInbox(w, r, v, http.StatusUnprocessableEntity, id, wrong)
		return
	case digest == "":
		c.showInbox(w, r, v, http.StatusBadRequest, id, "Nothing was approved: the request does not say which plan it saw.")
		return
	}
	err := c.cfg.Orders.Approve(r.Context(), id, digest, reason, v.Actor)
	if err == nil {
		c.done(w, r, "/", "approved", id)
		return
	}
	if next := c.instead(r.Context(), d); next != "" {
		c.showInbox(w, r, v, http.StatusConflict, next, "Nothing was approved: the plan that you saw does not hold any more. This is the one that waits now.")
		return
	}
	c.refused(w, r, v, id, err)
}

func (c *Console) reject(w http.ResponseWriter, r *http.Request, v visitor) {
	id := r.PathValue("id")
	reason, wrong := reasonOf(r, true)
	if wrong != "" {
		c.showInbox(w, r, v, http.StatusUnprocessableEntity, id, wrong)
		return
	}
	if err := c.cfg.Orders.Reject(r.Context(), id, reason, v.Actor); err != nil {
		c.refused(w, r, v, id, err)
		return
	}
	c.done(w, r, "/", "rejected", id)
}

func (c *Console) rollback(w http.ResponseWriter, r *http.Request, v visitor) {
	id := r.PathValue("id")
	reason, wrong := reasonOf(r, true)
	if wrong != "" {
		c.showOne(w, r, v, http.StatusUnprocessableEntity, id, wrong)
		return
	}
	partial := r.PostForm.Get("partial") != ""
	ctx := context.WithoutCancel(r.Context()) // whoever closes the page does not leave it half-done
	err := c.later.do(id, func() error { return c.cfg.Orders.Rollback(ctx, id, reason, partial, v.Actor) })
	if err != nil {
		c.refused(w, r, v, id, err)
		return
	}
	c.done(w, r, "/r/"+url.PathEscape(id), "rollback", id)
}

func (c *Console) stop(w http.ResponseWriter, r *http.Request, v visitor) {
	c.switched(w, r, v, "stopped", c.cfg.Orders.Stop)
}

func (c *Console) resume(w http.ResponseWriter, r *http.Request, v visitor) {
	c.switched(w, r, v, "resumed", c.cfg.Orders.Resume)
}

func (c *Console) switched(w http.ResponseWriter, r *http.Request, v visitor, what string, order func(context.Context, dera.Stop, dera.Actor) error) {
	reason, wrong := reasonOf(r, true)
	if wrong != "" {
		c.showStops(w, r, v, http.StatusUnprocessableEntity, wrong)
		return
	}
	s := dera.Stop{Account: strings.TrimSpace(r.PostForm.Get("account")), Control: strings.TrimSpace(r.PostForm.Get("control")), Reason: reason}
	err := order(r.Context(), s, v.Actor)
	var refused *Refused
	switch {
	case errors.As(err, &refused):
		c.showStops(w, r, v, http.StatusUnprocessableEntity, app.Plain(refused.Why))
	case err != nil:
		c.unread(w, r, v, err)
	default:
		c.done(w, r, "/stop", what, "")
	}
}

// target is the remediation that an order is about.
func (c *Console) target(w http.ResponseWriter, r *http.Request, v visitor, id string) (Detail, bool) {
	d, err := c.cfg.Shown(r.Context(), id)
	switch {
	case errors.Is(err, ErrNotFound) || err == nil && (d.Remediation == nil || d.Remediation.ID != id):
		c.answer(w, r, http.StatusNotFound, v, "Not found", message("Nothing was done", "There is no remediation "+app.Plain(id)+" here."))
		return d, false
	case err != nil:
		c.unread(w, r, v, err)
		return d, false
	}
	return d, true
}

// instead is the remediation that waits in the place of one that does not.
func (c *Console) instead(ctx context.Context, d Detail) string {
	if d.Finding == nil {
		for _, id := range d.Remediation.Findings {
			f, err := c.cfg.Store.Finding(ctx, id)
			if err == nil && f.Remediation != "" && f.Remediation != d.Remediation.ID {
				return f.Remediation
			}
		}
	}
	return ""
}

// refused is the answer to an order that was not carried out.
func (c *Console) refused(w http.ResponseWriter, r *http.Request, v visitor, id string, err error) {
	var refused *Refused
	switch {
	case errors.As(err, &refused):
		c.showOne(w, r, v, http.StatusConflict, id, "Nothing was done: "+app.Plain(refused.Why))
	case errors.Is(err, ErrNotFound):
		c.answer(w, r, http.StatusNotFound, v, "Not found", message("Nothing was done", "There is no remediation "+app.Plain(id)+" here."))
	default:
		c.unread(w, r, v, err)
	}
}

// done leads to the page that shows what an order came to, so that loading it again orders nothing.
func (c *Console) done(w http.ResponseWriter, r *http.Request, path, what, id string) {
	q := url.Values{"done": {what}}
	if id != "" {
		q.Set("id", id)
	}
	http.Redirect(w, r, path+"?"+q.Encode(), http.StatusSeeOther)
}
