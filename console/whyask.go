package console

import (
	"errors"
	"net/http"
	"strings"

	"dera.example/dera/app"
)

// whyForm is where a person pastes what a program was answered.
func (c *Console) whyForm(w http.ResponseWriter, r *http.Request, v visitor) {
	p := c.frame(r, v, true, "Was it dera?")
	p.cli = "dera why" + c.cfg.Flags
	c.write(w, r, http.StatusOK, p, whyPage(p, "", "", "", nil))
}

// why answers what was pasted. It changes nothing: who may look may ask. One asks at a time, since the
// whole log is verified for an answer.
func (c *Console) why(w http.ResponseWriter, r *http.Request, v visitor) {
	if c.often(w, r, v, asksOfSession, c.sessions.key(r)) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, mostForm)
	p := c.frame(r, v, true, "Was it dera?")
	p.cli = "dera why" + c.cfg.Flags
	if err := r.ParseForm(); err != nil {
		c.write(w, r, http.StatusBadRequest, p, whyPage(p, "", "", "What was sent could not be read: it is larger than 64 KB, or no form.", nil))
		return
	}
	text, at := strings.TrimSpace(r.PostForm.Get("error")), strings.TrimSpace(r.PostForm.Get("at"))
	if text == "" {
		c.write(w, r, http.StatusUnprocessableEntity, p, whyPage(p, "", at, "Paste the error first.", nil))
		return
	}
	select {
	case c.asking <- struct{}{}:
		defer func() { <-c.asking }()
	case <-r.Context().Done():
		return
	}
	answer, err := c.cfg.Screens.Why(r.Context(), text, at)
	var refused *Refused
	switch {
	case errors.As(err, &refused):
		c.write(w, r, http.StatusUnprocessableEntity, p, whyPage(p, text, at, app.Plain(refused.Why), nil))
	case err != nil:
		c.unread(w, r, v, err)
	default:
		c.write(w, r, http.StatusOK, p, whyPage(p, text, at, "", &answer))
	}
}
