package sink

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"dera.example/dera"
)

// Click is what a person ordered by a button. Who they are is established: Slack signed the
// request, and the configuration says whose the Slack user is.
type Click struct {
	Action string // ActionApprove, ActionReject or ActionGive
	Button Button
	By     dera.Actor
}

// Done is what became of a click, for people.
type Done struct {
	Text string
	// Final takes the buttons off the message; else only who clicked sees the text.
	Final bool
}

// ClicksConfig is what SlackClicks needs.
type ClicksConfig struct {
	Secret string // signing secret of the app
	// Once reports whether a key comes for the first time within ttl, in any process.
	Once func(ctx context.Context, key string, ttl time.Duration) (bool, error)
	// Workspaces are the IDs of those whose users count: an ID of a user says who it is only
	// together with its workspace, and a shared channel shows the buttons to others too.
	Workspaces []string
	// Who is the person behind a Slack user of these, if the configuration names one.
	Who func(user string) (dera.Actor, bool)
	// Do carries out what was ordered. Safe for concurrent use.
	Do     func(ctx context.Context, c Click) Done
	Client *http.Client
	Base   string // to which answers go beside https://hooks.slack.com
	Now    func() time.Time
	Log    *slog.Logger
}

// SlackClicks takes clicks on buttons: POST /slack/actions. It answers Slack within the 3 s
// that Slack waits, and says in the message what became of it.
//
// https://docs.slack.dev/authentication/verifying-requests-from-slack
// https://docs.slack.dev/interactivity/handling-user-interaction
type SlackClicks struct {
	cfg  ClicksConfig
	wait sync.WaitGroup
}

// NewSlackClicks returns the handler.
func NewSlackClicks(cfg ClicksConfig) (*SlackClicks, error) {
	if len(cfg.Secret) < 16 {
		return nil, errors.New("the signing secret of Slack is too short: copy it from the Basic Information of the app")
	}
	if len(cfg.Workspaces) == 0 {
		return nil, errors.New("no workspace is named, so that nobody's click counts")
	}
	if cfg.Base != "" {
		if err := validURL(cfg.Base); err != nil {
			return nil, err
		}
	}
	return &SlackClicks{cfg: cfg}, nil
}

// Wait returns when everything that was taken is carried out.
func (s *SlackClicks) Wait() { s.wait.Wait() }

// Bounds of a request.
const (
	clickSkew    = 5 * time.Minute // between Slack's clock and ours
	clickBody    = 1 << 20
	clickAnswer  = 2 * time.Second // Slack waits for 3
	clickWork    = 30 * time.Second
	clickReplays = 4 * clickSkew // for which a signature is remembered, more than both ways
)

// ServeHTTP implements http.Handler.
func (s *SlackClicks) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		http.Error(w, "not a form", http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, clickBody))
	if err != nil {
		http.Error(w, "too long, or cut off", http.StatusRequestEntityTooLarge)
		return
	}
	signature := req.Header.Get("X-Slack-Signature")
	if !s.signed(req.Header.Get("X-Slack-Request-Timestamp"), signature, body) {
		s.cfg.Log.WarnContext(req.Context(), "a request to /slack/actions was not signed by Slack, or is old; refused", "from", req.RemoteAddr)
		http.Error(w, "not signed, or old", http.StatusUnauthorized)
		return
	}
	c, err := readClick(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	first, err := s.cfg.Once(req.Context(), "slack/"+signature, clickReplays)
	switch {
	case err != nil: // in doubt nothing is done: the button stays
		s.cfg.Log.ErrorContext(req.Context(), "a click in Slack could not be checked; refused", "err", err)
		http.Error(w, "cannot be checked now: click again", http.StatusServiceUnavailable)
		return
	case !first:
		s.cfg.Log.WarnContext(req.Context(), "a request to /slack/actions came a second time; refused", "from", req.RemoteAddr)
		http.Error(w, "came already", http.StatusConflict)
		return
	}
	done := make(chan struct{})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(req.Context()), clickWork)
	s.wait.Go(func() {
		defer cancel()
		defer close(done)
		s.respond(ctx, c, s.carry(ctx, c))
	})
	t := time.NewTimer(clickAnswer)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
	w.WriteHeader(http.StatusOK)
}

// signed checks the signature v0 and the age of a request.
func (s *SlackClicks) signed(timestamp, signature string, body []byte) bool {
	sec, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || strconv.FormatInt(sec, 10) != timestamp {
		return false
	}
	if age := s.cfg.Now().Sub(time.Unix(sec, 0)); age > clickSkew || age < -clickSkew {
		return false
	}
	return hmac.Equal([]byte(SlackSignature(s.cfg.Secret, timestamp, body)), []byte(signature))
}

// SlackSignature is how Slack signs a request.
func SlackSignature(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + timestamp + ":"))
	mac.Write(body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// click is a request of Slack as far as it is used.
type click struct {
	User struct {
		ID   string `json:"id"`
		Team string `json:"team_id"`
	} `json:"user"`
	Team *struct {
		ID string `json:"id"`
	} `json:"team"` // null where the app is installed for an organisation
	Type     string `json:"type"`
	Response string `json:"response_url"`
	Message  struct {
		Text   string            `json:"text"`
		Blocks []json.RawMessage `json:"blocks"`
	} `json:"message"`
	Actions []struct {
		ID    string `json:"action_id"`
		Value string `json:"value"`
	} `json:"actions"`

	button Button
}

func readClick(body []byte) (click, error) {
	var c click
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form["payload"]) != 1 {
		return c, errors.New("no payload")
	}
	if err := json.Unmarshal([]byte(form.Get("payload")), &c); err != nil {
		return c, errors.New("the payload is no JSON")
	}
	switch {
	case c.Type != "block_actions" || len(c.Actions) != 1:
		return c, errors.New("not one click on a button")
	case c.Actions[0].ID != ActionApprove && c.Actions[0].ID != ActionReject && c.Actions[0].ID != ActionGive:
		return c, errors.New("not a button of dera")
	}
	if err := json.Unmarshal([]byte(c.Actions[0].Value), &c.button); err != nil {
		return c, errors.New("the value of the button is not one of dera")
	}
	return c, nil
}

// carry finds out who clicked, and does it.
func (s *SlackClicks) carry(ctx context.Context, c click) (done Done) {
	defer func() {
		if p := recover(); p != nil {
			s.cfg.Log.ErrorContext(ctx, "a click in Slack broke", "err", p)
			done = Done{Text: "That broke, and may or may not have been done: dera show " + c.button.Remediation}
		}
	}()
	workspace := c.User.Team
	if workspace == "" && c.Team != nil {
		workspace = c.Team.ID
	}
	if !slices.Contains(s.cfg.Workspaces, workspace) {
		s.cfg.Log.WarnContext(ctx, "a Slack user of a workspace that the configuration does not name clicked; refused", "user", cut(oneLine(c.User.ID), 40), "workspace", cut(oneLine(workspace), 40))
		return Done{Text: "Nothing was done: dera takes no clicks from your Slack workspace. Whoever runs dera can add it to listen.slack.workspaces."}
	}
	who, ok := s.cfg.Who(c.User.ID)
	if !ok {
		s.cfg.Log.WarnContext(ctx, "a Slack user whom the configuration does not name clicked; refused", "user", cut(oneLine(c.User.ID), 40))
		return Done{Text: "Nothing was done: dera does not know who you are on AWS. Whoever runs dera can add your Slack user to listen.slack.users."}
	}
	return s.cfg.Do(ctx, Click{Action: c.Actions[0].ID, Button: c.button, By: who})
}

// respond says in Slack what became of it. It goes to Slack alone.
func (s *SlackClicks) respond(ctx context.Context, c click, done Done) {
	if !s.mayPost(c.Response) {
		s.cfg.Log.WarnContext(ctx, "a click in Slack names an address for the answer that is not Slack's; not answered")
		return
	}
	text := plainText(oneLine(done.Text), slackText)
	body := map[string]any{"response_type": "ephemeral", "replace_original": false, "text": slackEscape(cut(oneLine(done.Text), slackText))}
	if done.Final {
		var blocks []any
		for _, b := range c.Message.Blocks {
			var kind struct {
				Type string `json:"type"`
			}
			if json.Unmarshal(b, &kind) == nil && kind.Type != "actions" && len(blocks) < slackBlocks-1 {
				blocks = append(blocks, b)
			}
		}
		body = map[string]any{"replace_original": true, "text": body["text"], "blocks": append(blocks, section(text))}
	}
	post := poster{client: s.cfg.Client, secrets: []string{c.Response}, now: s.cfg.Now}
	if _, err := post.do(ctx, call{method: http.MethodPost, url: c.Response, body: body}); err != nil {
		s.cfg.Log.WarnContext(ctx, "the answer to a click could not be shown in Slack", "err", err)
	}
}

// mayPost reports whether an address is one of Slack, or of the base of the configuration.
func (s *SlackClicks) mayPost(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return false
	}
	if u.Scheme == "https" && u.Host == "hooks.slack.com" {
		return true
	}
	base, err := url.Parse(s.cfg.Base)
	return s.cfg.Base != "" && err == nil && u.Scheme == base.Scheme && u.Host == base.Host && strings.HasPrefix(u.Path, base.Path)
}
