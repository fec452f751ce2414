package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

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
	if c.answered(r.Context(), id, v, true, err) {
		c.done(w, r, "/", "approved", id)
		return
	}
	if next := c.instead(r.Context(), id, err); next != "" {
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
	if err := c.cfg.Orders.Reject(r.Context(), id, reason, v.Actor); err != nil && !c.answered(r.Context(), id, v, false, err) {
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
	err := c.later.do(ctx, id, func() error { return c.cfg.Orders.Rollback(ctx, id, reason, partial, v.Actor) })
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
	c.switched(w, r, v, "resumed", func(ctx context.Context, s dera.Stop, by dera.Actor) error {
		if at := r.PostForm.Get("at"); at != "" {
			if err := c.sameStop(ctx, s, at); err != nil {
				return err
			}
		}
		return c.cfg.Orders.Resume(ctx, s, by)
	})
}

// sameStop refuses to lift another stop than the one that was shown: somebody may have given it again since,
// for another reason.
func (c *Console) sameStop(ctx context.Context, s dera.Stop, at string) error {
	list, err := c.cfg.Store.Stops(ctx)
	if err != nil {
		return err
	}
	for _, o := range list {
		if o.Account == s.Account && o.Control == s.Control && o.At.UTC().Format(time.RFC3339Nano) != at {
			return &Refused{Why: "Nothing was resumed: the stop that you saw was given again since. This is the one that holds now."}
		}
	}
	return nil
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
		c.unsure(w, r, v, "/stop", err)
	default:
		c.led(w, r, "/stop", url.Values{"done": {what}, "account": {s.Account}, "control": {s.Control}})
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

// again is how long after an answer the same one by the same person is taken for a second click.
const again = time.Minute

// answered reports whether an order that was refused is one that the same person gave a moment ago: who
// clicks twice sees the answer to the second click, and the first one was carried out.
func (c *Console) answered(ctx context.Context, id string, v visitor, approved bool, err error) bool {
	var refused *Refused
	if !errors.As(err, &refused) {
		return false
	}
	d, err := c.cfg.Shown(ctx, id)
	if err != nil || !d.is(id) || d.Remediation.Approval == nil {
		return false
	}
	a := d.Remediation.Approval
	return a.Approver == v.Name && a.Approved == approved && c.cfg.Now().Sub(a.At) < again
}

// instead is the remediation that waits in the place of one that does not: only where an order was
// refused, so that nothing was done, and because the plan does not wait any more.
func (c *Console) instead(ctx context.Context, id string, err error) string {
	var refused *Refused
	if !errors.As(err, &refused) {
		return ""
	}
	d, err := c.cfg.Shown(ctx, id) // as it is now
	if err != nil || !d.is(id) || d.decidable() {
		return ""
	}
	for _, finding := range d.Remediation.Findings {
		f, err := c.cfg.Store.Finding(ctx, finding)
		if err != nil || f.Remediation == "" || f.Remediation == id {
			continue
		}
		if next, err := c.cfg.Shown(ctx, f.Remediation); err == nil && next.is(f.Remediation) && next.decidable() {
			return f.Remediation
		}
	}
	return ""
}

// refused is the answer to an order that was not carried out.
func (c *Console) refused(w http.ResponseWriter, r *http.Request, v visitor, id string, err error) {
	var refused *Refused
	switch {
	case errors.As(err, &refused):
		said := "Nothing was done: "
		if refused.Begun {
			said = "It did not end as ordered: "
		}
		c.showOne(w, r, v, http.StatusConflict, id, said+app.Plain(refused.Why))
	case errors.Is(err, ErrNotFound):
		c.answer(w, r, http.StatusNotFound, v, "Not found", message("Nothing was done", "There is no remediation "+app.Plain(id)+" here."))
	default:
		c.unsure(w, r, v, "/r/"+url.PathEscape(id), err)
	}
}

// unsure is the answer to an order that failed in a way that does not tell whether it was carried out: a
// database can fail after it has written.
func (c *Console) unsure(w http.ResponseWriter, r *http.Request, v visitor, where string, err error) {
	c.cfg.Log.ErrorContext(r.Context(), "an order of the console failed", "err", err)
	c.answer(w, r, http.StatusServiceUnavailable, v, "Not known", message("It is not known whether this was done", "The database did not answer as it must; the log of dera says why. Look at "+where+" before you order it again."))
}

// done leads to the page that shows what an order came to, so that loading it again orders nothing.
func (c *Console) done(w http.ResponseWriter, r *http.Request, path, what, id string) {
	c.led(w, r, path, url.Values{"done": {what}, "id": {id}})
}

func (c *Console) led(w http.ResponseWriter, r *http.Request, path string, q url.Values) {
	http.Redirect(w, r, path+"?"+q.Encode(), http.StatusSeeOther)
}
