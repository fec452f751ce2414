package sink

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// Slack posts messages with a bot token. The receiver may drop nothing by the ID, so that
// a message whose answer was lost can appear twice; metadata holds the ID.
//
// https://docs.slack.dev/reference/methods/chat.postMessage
type Slack struct {
	cfg  SlackConfig
	post poster
}

// SlackConfig is where and with what token.
type SlackConfig struct {
	URL     string // of the API; "" is https://slack.com/api
	Token   string // of a bot, with chat:write
	Channel string
	// Buttons are shown where clicks are received (SlackActions).
	Buttons bool
	Client  *http.Client
	Now     func() time.Time
}

// NewSlack returns the sender.
func NewSlack(cfg SlackConfig) (*Slack, error) {
	if cfg.URL == "" {
		cfg.URL = "https://slack.com/api"
	}
	if err := validURL(cfg.URL); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	return &Slack{cfg: cfg, post: poster{client: cfg.Client, secrets: []string{cfg.Token}, now: cfg.Now}}, nil
}

// Slack's limits: https://docs.slack.dev/reference/block-kit/blocks
const (
	slackText    = 3000 // characters of a text of a section
	slackButton  = 2000 // of the value of a button
	slackBlocks  = 50
	slackPreview = 400 // of the text of a notification
)

// Actions of buttons, as they come back in a click.
const (
	ActionApprove = "dera_approve"
	ActionReject  = "dera_reject"
	ActionGive    = "dera_give_back"
)

// Button is what the value of a button holds: what a click is about. Whether it may be
// done the engine decides, by who clicked and by the digest of the plan.
type Button struct {
	Remediation string `json:"r,omitempty"`
	Digest      string `json:"d,omitempty"`
	Principal   string `json:"p,omitempty"`
	Action      string `json:"a,omitempty"` // several are separated by commas
}

// Actions are those that the button gives back.
func (b Button) Actions() []string {
	return strings.FieldsFunc(b.Action, func(c rune) bool { return c == ',' || c == ' ' })
}

// Send implements Sink.
func (s *Slack) Send(ctx context.Context, list []Message) error {
	if len(list) == 0 {
		return nil
	}
	a, err := s.post.do(ctx, call{method: http.MethodPost, url: strings.TrimSuffix(s.cfg.URL, "/") + "/chat.postMessage",
		header: map[string]string{"Authorization": "Bearer " + s.cfg.Token},
		body: map[string]any{
			"channel": s.cfg.Channel, "text": slackEscape(cut(titleOf(list), slackPreview)), "blocks": s.blocks(list),
			"unfurl_links": false, "unfurl_media": false,
			"metadata": map[string]any{"event_type": "dera_message", "event_payload": map[string]string{"id": IDOf(list)}},
		}})
	if err != nil {
		return err
	}
	return s.answered(a.body)
}

// answered reads an answer of Slack's API, which reports errors with status 200.
//
// https://docs.slack.dev/reference/methods/chat.postMessage#errors
func (s *Slack) answered(body []byte) error {
	var got struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		return fmt.Errorf("slack answered with something that is no JSON%s", s.post.said(body))
	}
	err := fmt.Errorf("slack: %s", cut(oneLine(s.post.plain(got.Error)), 100))
	switch {
	case got.OK:
		return nil
	case slices.Contains([]string{"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "no_text", "too_many_attachments",
		"metadata_too_large", "invalid_arguments"}, got.Error):
		return &PermanentError{err}
	case got.Error == "ratelimited" || got.Error == "rate_limited":
		return &waitError{time.Minute, err}
	}
	return err // what a person can put right, such as a token, or a channel that Slack does not show to the bot, is tried again
}

// slackEscape is a text in which nothing is a mention, a link or a channel.
//
// https://docs.slack.dev/messaging/formatting-message-text#escaping
func slackEscape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// plainText is an object of text that Slack does not format.
func plainText(s string, most int) map[string]any {
	if s = cut(shown(s), most); strings.TrimSpace(s) == "" {
		s = "–"
	}
	return map[string]any{"type": "plain_text", "text": s, "emoji": false}
}

// code is an object of text in a code block, bounded with its escapes.
func code(lines []string) map[string]any {
	var b strings.Builder
	for i, l := range lines {
		l = slackEscape(cut(strings.ReplaceAll(oneLine(l), "`", "'"), 500)) + "\n"
		if b.Len()+len(l) > slackText-100 { // bytes are at least as many as characters
			fmt.Fprintf(&b, "and %d lines more\n", len(lines)-i)
			break
		}
		b.WriteString(l)
	}
	return map[string]any{"type": "mrkdwn", "text": "```\n" + b.String() + "```", "verbatim": true}
}

// blocks are the messages as Block Kit.
func (s *Slack) blocks(list []Message) (out []any) {
	if len(list) > 1 {
		list = worstFirst(list)
		out = append(out, header(fmt.Sprintf("%d messages of dera", len(list))))
		for i, m := range list {
			if len(out) == slackBlocks-1 {
				return append(out, section(plainText(fmt.Sprintf("and %d more: dera waiting, dera findings", len(list)-i), slackText)))
			}
			text := m.title()
			for _, more := range []string{string(m.Resource), m.Account, m.Remediation, m.Why} {
				if more != "" {
					text += "\n" + oneLine(more)
				}
			}
			out = append(out, section(plainText(text, slackText)))
		}
		return out
	}
	m := list[0]
	out = append(out, header(m.title()))
	if m.Why != "" {
		out = append(out, section(plainText(because(m), slackText)))
	}
	var lines []string
	for _, f := range m.facts() {
		lines = append(lines, f.name+": "+f.value)
	}
	if len(lines) > 0 {
		out = append(out, section(plainText(strings.Join(lines, "\n"), slackText)))
	}
	if len(m.Diff) > 0 {
		out = append(out, section(code(m.Diff)))
	}
	if len(m.Commands) > 0 {
		out = append(out, section(code(m.Commands)))
	}
	if buttons := s.buttons(m); len(buttons) > 0 {
		out = append(out, map[string]any{"type": "actions", "elements": buttons})
	}
	return out
}

func header(s string) any {
	return map[string]any{"type": "header", "text": plainText(oneLine(s), 150)}
}

func section(text map[string]any) any { return map[string]any{"type": "section", "text": text} }

// buttons are what can be answered in Slack.
func (s *Slack) buttons(m Message) (out []any) {
	if !s.cfg.Buttons {
		return nil
	}
	add := func(label, action, style, question string, b Button) {
		value, err := json.Marshal(b)
		if err != nil || len(value) > slackButton {
			return // the commands in the message do the same
		}
		button := map[string]any{
			"type": "button", "text": plainText(label, 75), "action_id": action, "value": string(value),
			"confirm": map[string]any{"title": plainText(label, 100), "text": plainText(question, 300), "confirm": plainText("Yes", 30), "deny": plainText("No", 30)},
		}
		if style != "" {
			button["style"] = style
		}
		out = append(out, button)
	}
	plan := Button{Remediation: m.Remediation, Digest: m.Digest}
	switch {
	case m.State == dera.Waiting && m.Remediation != "" && m.Digest != "":
		add("Approve", ActionApprove, "primary", "Approve the plan "+short(m.Digest)+" of "+m.Remediation+"? dera carries it out.", plan)
		add("Reject", ActionReject, "danger", "Reject the plan of "+m.Remediation+"? dera does not ask for it again.", plan)
	case m.What == WhatDenied && m.Principal != "" && m.Action != "" && len(m.Commands) > 0: // else another policy denied it
		add("Give this action back for 8 h", ActionGive, "", "Ask that "+m.Action+" is given back for 8 hours? Another person has to grant it.",
			Button{Principal: m.Principal, Action: m.Action, Remediation: m.Remediation})
	}
	return out
}

// because is the reason of a message: for what somebody is asked, why they are.
func because(m Message) string {
	if m.What == WhatWaiting || m.What == WhatFinding || m.What == WhatExpired || m.What == WhatEscalation {
		return "Needed because " + oneLine(m.Why)
	}
	return oneLine(m.Why)
}
