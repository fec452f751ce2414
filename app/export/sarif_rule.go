package export

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/control"
)

type sarifDriver struct {
	Name          string      `json:"name"`
	Version       string      `json:"version"`
	Rules         []sarifRule `json:"rules"`
	Notifications []sarifRule `json:"notifications"`
}

type sarifRule struct {
	ID         string         `json:"id"`
	Name       string         `json:"name,omitempty"`
	Short      sarifText      `json:"shortDescription"`
	Full       *sarifText     `json:"fullDescription,omitempty"`
	Help       *sarifText     `json:"help,omitempty"`
	HelpURI    string         `json:"helpUri,omitempty"`
	Default    *sarifDefault  `json:"defaultConfiguration,omitempty"`
	Properties map[string]any `json:"properties,omitempty"`
}

type sarifDefault struct {
	Level string `json:"level"`
}

// rules are the rules of a run, in the order of their indexes.
type rules struct {
	list []sarifRule
	at   map[string]int // by ID
	own  map[string]control.Meta
}

func newRules(controls []control.Control) *rules {
	r := &rules{list: []sarifRule{}, at: map[string]int{}, own: map[string]control.Meta{}}
	for _, c := range controls {
		r.at[c.ID], r.own[c.ID] = len(r.list), c.Meta
		r.list = append(r.list, ruleOf(c.Meta))
	}
	return r
}

// index is where the rule of a control stands for findings of a severity: the rule
// of the control itself for the control's own severity. A control that left the
// rulebook has findings still.
func (r *rules) index(id string, severity dera.Severity) int {
	meta, known := r.own[id]
	key := id
	if !known || meta.Severity != severity {
		key += "/" + severity.String()
	}
	i, ok := r.at[key]
	if ok {
		return i
	}
	i = len(r.list)
	r.at[key] = i
	rule := sarifRule{ID: app.Plain(key), Short: sarifText{Text: "Control " + app.Plain(id) + ", which this version of dera does not have."},
		Default: &sarifDefault{sarifLevel(severity)}, Properties: map[string]any{"security-severity": securitySeverity(severity), "tags": []string{"security"}}}
	if known {
		meta.Severity = severity
		rule = ruleOf(meta)
		rule.ID, rule.Name = key, pascal(key)
	}
	r.list = append(r.list, rule)
	return i
}

func (r *rules) driver(version string) sarifDriver {
	return sarifDriver{Name: "dera", Version: version, Rules: r.list, Notifications: []sarifRule{
		{ID: notRead, Short: sarifText{Text: "A place or resource could not be read: nothing is known of it."}},
		{ID: halfDone, Short: sarifText{Text: "A remediation was begun and has not ended."}},
		{ID: stopped, Short: sarifText{Text: "All changes in the scope are stopped."}},
		{ID: leftOut, Short: sarifText{Text: "The filter of the command hides findings."}},
		{ID: beyond, Short: sarifText{Text: "The limit of the command hides findings."}},
	}}
}

// most is how long a description may be that code scanning takes.
const most = 1024

func ruleOf(m control.Meta) sarifRule {
	service, _, _ := strings.Cut(m.ID, "-")
	out := sarifRule{
		ID: m.ID, Name: pascal(m.ID), Short: sarifText{Text: sentence(m.Title)}, Full: &sarifText{Text: short(m.Why)},
		Default: &sarifDefault{sarifLevel(m.Severity)},
		Properties: map[string]any{
			"tags": []string{"security", "aws", service, m.Type}, "precision": "high", "security-severity": securitySeverity(m.Severity), "problem.severity": problem(m.Severity),
		},
	}
	text := "Why: " + m.Why + "\n\nFix: " + m.Fix
	markdown := "**Why:** " + m.Why + "\n\n**Fix:** " + m.Fix
	for _, ref := range m.Refs {
		text += "\n" + ref.Standard + " " + ref.ID + ": " + ref.URL
		if strings.HasPrefix(ref.URL, "https://") {
			markdown += "\n\n[" + ref.Standard + " " + ref.ID + "](" + ref.URL + ")"
			if out.HelpURI == "" {
				out.HelpURI = ref.URL
			}
		}
	}
	out.Help = &sarifText{Text: text, Markdown: markdown}
	return out
}

// pascal is an ID as a name: S3BucketPublicPolicy.
func pascal(id string) string {
	var b strings.Builder
	for part := range strings.FieldsFuncSeq(id, func(r rune) bool { return r == '-' || r == '/' }) {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// short is text that is not too long, cut between words.
func short(s string) string {
	if len(s) <= most {
		return s
	}
	cut := strings.LastIndexByte(s[:most-len(" …")], ' ')
	return s[:max(cut, 0)] + " …"
}

func problem(s dera.Severity) string {
	switch s {
	case dera.Low:
		return "recommendation"
	case dera.Medium:
		return "warning"
	case dera.High, dera.Critical:
		return "error"
	}
	return "error"
}
