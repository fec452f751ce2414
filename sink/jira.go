package sink

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Jira makes one issue for the findings of a message, labelled with each of them. Where
// there is one already it comments, and moves it when the fix of all of them is verified. What
// is over has another label, so that what fails again has an issue of its own. What was over
// before anybody wrote an issue makes none.
//
// Jira finds an issue by its label a short time after it was made: a message that is sent
// again within that time makes a second one.
type Jira struct {
	cfg  JiraConfig
	base string
	post poster
}

// JiraConfig is where, as whom and what.
type JiraConfig struct {
	URL     string // of the site
	User    string // with an API token of Jira Cloud; "" for a personal access token
	Token   string
	Project string // key
	Type    string // of issues; "" is Task
	Done    string // name of the transition after a fix; "" is Done
	Server  bool   // Jira Data Center, which searches at another address
	Client  *http.Client
	Now     func() time.Time
}

// NewJira returns the sender.
func NewJira(cfg JiraConfig) (*Jira, error) {
	if err := validURL(cfg.URL); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	if cfg.Type == "" {
		cfg.Type = "Task"
	}
	if cfg.Done == "" {
		cfg.Done = "Done"
	}
	return &Jira{cfg: cfg, base: strings.TrimSuffix(cfg.URL, "/"), post: poster{client: cfg.Client, secrets: []string{cfg.Token, base64.StdEncoding.EncodeToString([]byte(cfg.User + ":" + cfg.Token))}, now: cfg.Now}}, nil
}

// Send implements Sink.
func (j *Jira) Send(ctx context.Context, list []Message) error {
	for _, m := range list {
		if err := j.one(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// mostLabels bounds the findings that one issue names.
const mostLabels = 50

func (j *Jira) one(ctx context.Context, m Message) error {
	labels := []string{"dera-" + m.ID}
	if m.Alarm != "" { // whose key is more than a label may be
		sum := sha256.Sum256([]byte(m.Alarm))
		labels = []string{"dera-alarm-" + hex.EncodeToString(sum[:8])}
	}
	if len(m.Findings) > 0 {
		labels = nil
		for _, f := range m.Findings[:min(len(m.Findings), mostLabels)] {
			labels = append(labels, "dera-"+f)
		}
	}
	found, err := j.search(ctx, labels)
	if err != nil {
		return err
	}
	ends := m.What == WhatFixed || m.What == WhatResolved || m.Ended
	for _, issue := range found {
		has := slices.DeleteFunc(slices.Clone(labels), func(l string) bool { return !slices.Contains(issue.Fields.Labels, l) })
		if len(has) == 0 { // all that it shares with the message is over: it holds at most what came again
			said, err := j.said(ctx, issue, m)
			if err != nil {
				return err
			}
			if said {
				return nil
			}
			continue
		}
		if err := j.comment(ctx, issue, m); err != nil {
			return err
		}
		if ends {
			if err := j.ends(ctx, issue, m, has); err != nil {
				return err
			}
		}
		labels = slices.DeleteFunc(labels, func(l string) bool { return slices.Contains(has, l) })
	}
	if len(labels) == 0 || ends {
		return nil
	}
	_, err = j.do(ctx, http.MethodPost, "/rest/api/2/issue", map[string]any{"fields": map[string]any{
		"project": map[string]string{"key": j.cfg.Project}, "issuetype": map[string]string{"name": j.cfg.Type},
		"summary": cut(m.title(), 255), "description": j.text(m), "labels": append(labels, "dera"),
	}})
	return err
}

// over is what follows the label of a finding that is over.
const over = "-over"

// ends moves an issue of which nothing is open any more, where dera fixed it or an alarm is over, and labels
// what is over.
func (j *Jira) ends(ctx context.Context, issue jiraIssue, m Message, labels []string) error {
	open := slices.ContainsFunc(issue.Fields.Labels, func(l string) bool {
		return strings.HasPrefix(l, "dera-") && !strings.HasSuffix(l, over) && !slices.Contains(labels, l)
	})
	if (m.What == WhatFixed || m.Ended) && !open && issue.Fields.Status.Category.Key != "done" {
		if err := j.finish(ctx, issue.Key); err != nil {
			return err
		}
	}
	var change []map[string]string
	for _, l := range labels {
		change = append(change, map[string]string{"remove": l}, map[string]string{"add": l + over})
	}
	_, err := j.do(ctx, http.MethodPut, "/rest/api/2/issue/"+issue.Key, map[string]any{"update": map[string]any{"labels": change}})
	return err
}

// jiraIssue is an issue as a search tells it.
type jiraIssue struct {
	Key    string `json:"key"`
	Fields struct {
		Labels      []string `json:"labels"`
		Description any      `json:"description"` // a text, or a document in version 3 of the API
		Status      struct {
			Category struct {
				Key string `json:"key"`
			} `json:"statusCategory"`
		} `json:"status"`
	} `json:"fields"`
}

// search finds issues that have one of the labels, or had it, the newest first.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/
func (j *Jira) search(ctx context.Context, labels []string) ([]jiraIssue, error) {
	var quoted []string
	for _, l := range labels {
		quoted = append(quoted, `"`+atoms(l)+`"`, `"`+atoms(l)+over+`"`) // nothing ends the quotes
	}
	q := url.Values{"jql": {`project = "` + atoms(j.cfg.Project) + `" AND labels in (` + strings.Join(quoted, ", ") + `) ORDER BY created DESC`},
		"fields": {"labels,status,description"}, "maxResults": {"50"}}
	path := "/rest/api/3/search/jql"
	if j.cfg.Server {
		path = "/rest/api/2/search"
	}
	a, err := j.do(ctx, http.MethodGet, path+"?"+q.Encode(), nil)
	if err != nil {
		return nil, err
	}
	var got struct {
		Issues []jiraIssue `json:"issues"`
	}
	if err := j.read(a, &got); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(got.Issues, func(i jiraIssue) bool { return i.Key == "" || strings.ContainsAny(i.Key, "/?#%.") }), nil
}

// said reports whether an issue holds the message, in its description or below.
func (j *Jira) said(ctx context.Context, issue jiraIssue, m Message) (bool, error) {
	if text, err := json.Marshal(issue.Fields.Description); err == nil && strings.Contains(string(text), j.mark(m)) {
		return true, nil
	}
	a, err := j.do(ctx, http.MethodGet, "/rest/api/2/issue/"+issue.Key+"/comment?maxResults=100&orderBy=-created", nil)
	if err != nil {
		return false, err
	}
	var got struct {
		Comments []struct {
			Body string `json:"body"`
		} `json:"comments"`
	}
	if err := j.read(a, &got); err != nil {
		return false, err
	}
	for _, c := range got.Comments {
		if strings.Contains(c.Body, j.mark(m)) {
			return true, nil
		}
	}
	return false, nil
}

// comment writes the message below an issue, unless it holds it.
func (j *Jira) comment(ctx context.Context, issue jiraIssue, m Message) error {
	said, err := j.said(ctx, issue, m)
	if err != nil || said {
		return err
	}
	_, err = j.do(ctx, http.MethodPost, "/rest/api/2/issue/"+issue.Key+"/comment", map[string]string{"body": j.text(m)})
	return err
}

// finish moves an issue by the transition of the configuration. An issue that has none
// of that name now stays where it is: the comment says that the fix is verified.
func (j *Jira) finish(ctx context.Context, key string) error {
	path := "/rest/api/2/issue/" + key + "/transitions"
	a, err := j.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	var got struct {
		Transitions []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"transitions"`
	}
	if err := j.read(a, &got); err != nil {
		return err
	}
	for _, t := range got.Transitions {
		if strings.EqualFold(t.Name, j.cfg.Done) {
			_, err := j.do(ctx, http.MethodPost, path, map[string]any{"transition": map[string]string{"id": t.ID}})
			return err
		}
	}
	return nil
}

func (j *Jira) mark(m Message) string { return "message " + atoms(m.ID) }

// text is a message in which Jira formats nothing.
func (j *Jira) text(m Message) string {
	body := strings.NewReplacer("{", "(", "}", ")").Replace(m.text()) // nothing ends the block
	return "{noformat}\n" + cut(body, 30_000) + "\n" + j.mark(m) + "\n{noformat}"
}

func (j *Jira) read(a answer, to any) error {
	if err := json.Unmarshal(a.body, to); err != nil {
		return fmt.Errorf("jira answered with something that is no JSON of it%s", j.post.said(a.body))
	}
	return nil
}

func (j *Jira) do(ctx context.Context, method, path string, body any) (answer, error) {
	auth := "Bearer " + j.cfg.Token
	if j.cfg.User != "" {
		auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(j.cfg.User+":"+j.cfg.Token))
	}
	return j.post.do(ctx, call{method: method, url: j.base + path, body: body, header: map[string]string{"Authorization": auth, "Accept": "application/json"}})
}
