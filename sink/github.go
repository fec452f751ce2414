package sink

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// Change is a remediation as a change of infrastructure as code.
type Change struct {
	Remediation string
	Title, Why  string
	Resource    dera.ARN
	Account     string
	Owner       string
	Language    string   // terraform or cloudformation
	Lines       []string // a unified diff; its first three lines name the resource
}

// Repository is where the code of some resources lies.
type Repository struct {
	Name    string `yaml:"repository" json:"repository" jsonschema_description:"OWNER/NAME."`
	Owner   string `yaml:"owner_is,omitempty" json:"owner_is,omitempty" jsonschema_description:"Owner of the resource, or glob."`
	Account string `yaml:"account,omitempty" json:"account,omitempty" jsonschema_description:"Account ID or glob."`
	Path    string `yaml:"path,omitempty" json:"path,omitempty" jsonschema_description:"Folder of the code. Default: all of it."`
	Base    string `yaml:"base,omitempty" json:"base,omitempty" jsonschema_description:"Branch that pull requests go to. Default: main."`
}

var repositoryName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$`)

// GitHub proposes changes of code, one for each remediation: a pull request from the branch
// dera/REMEDIATION where the lines that the change replaces stand at exactly one place of
// the code, else an issue that shows the change. It merges nothing, pushes to no branch
// that it did not make, and opens nothing again that a person closed.
//
// https://docs.github.com/en/rest
type GitHub struct {
	cfg  GitHubConfig
	base string
	post poster
}

// GitHubConfig is where and with what token.
type GitHubConfig struct {
	URL          string // of the API; "" is https://api.github.com
	Token        string // may write contents, pull requests and issues of the repositories
	Repositories []Repository
	Client       *http.Client
	Now          func() time.Time
}

// NewGitHub returns it.
func NewGitHub(cfg GitHubConfig) (*GitHub, error) {
	if cfg.URL == "" {
		cfg.URL = "https://api.github.com"
	}
	if err := validURL(cfg.URL); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	return &GitHub{cfg: cfg, base: strings.TrimSuffix(cfg.URL, "/"), post: poster{client: cfg.Client, secrets: []string{cfg.Token}, now: cfg.Now}}, nil
}

// ErrNoRepository is that the configuration names no repository for a resource.
var ErrNoRepository = errors.New("no repository is configured for this resource")

// repository is the first that matches.
func (g *GitHub) repository(c Change) (Repository, bool) {
	fits := func(glob, s string) bool { return glob == "" || dera.MatchGlob(glob, s) }
	i := slices.IndexFunc(g.cfg.Repositories, func(r Repository) bool { return fits(r.Owner, c.Owner) && fits(r.Account, c.Account) })
	if i < 0 {
		return Repository{}, false
	}
	r := g.cfg.Repositories[i]
	if r.Base == "" {
		r.Base = "main"
	}
	return r, true
}

// Open proposes a change, once: it returns the address of the pull request or issue that
// there is, or ErrNoRepository.
func (g *GitHub) Open(ctx context.Context, c Change) (string, error) {
	repo, ok := g.repository(c)
	if !ok {
		return "", ErrNoRepository
	}
	if len(c.Lines) == 0 || !regexp.MustCompile(`^[a-z0-9-]{3,60}$`).MatchString(c.Remediation) {
		return "", &PermanentError{errors.New("the change has no lines, or its remediation no ID")}
	}
	if at, err := g.opened(ctx, repo, c); err != nil || at != "" {
		return at, err
	}
	where, err := g.place(ctx, repo, c)
	if err != nil {
		return "", err
	}
	if where.path == "" {
		return g.issue(ctx, repo, c, where.why)
	}
	return g.pull(ctx, repo, c, where)
}

func branch(c Change) string { return "dera/" + c.Remediation }

// page is a pull request or an issue.
type page struct {
	URL string `json:"html_url"`
}

// opened is the address of what was opened for the remediation, whatever became of it.
func (g *GitHub) opened(ctx context.Context, repo Repository, c Change) (string, error) {
	owner, _, _ := strings.Cut(repo.Name, "/")
	for _, query := range []string{
		"/pulls?" + url.Values{"head": {owner + ":" + branch(c)}, "state": {"all"}, "per_page": {"1"}}.Encode(),
		"/issues?" + url.Values{"labels": {label(c)}, "state": {"all"}, "per_page": {"1"}}.Encode(),
	} {
		var list []page
		if err := g.do(ctx, http.MethodGet, repo, query, nil, &list); err != nil {
			return "", err
		}
		if len(list) > 0 {
			return list[0].URL, nil
		}
	}
	return "", nil
}

func label(c Change) string { return "dera-" + c.Remediation }

// issue shows the change and where it belongs.
func (g *GitHub) issue(ctx context.Context, repo Repository, c Change, why string) (string, error) {
	body := c.body() + "\ndera did not write it into the code: " + why + ". Find where `" + inline(c.Resource.Name()) + "` is declared, and put the change there.\n"
	var made page
	err := g.do(ctx, http.MethodPost, repo, "/issues", map[string]any{"title": c.title(), "body": body, "labels": []string{"dera", label(c)}}, &made)
	return made.URL, err
}

// pull makes the branch, the commit and the pull request, as far as they are not there.
func (g *GitHub) pull(ctx context.Context, repo Repository, c Change, at place) (string, error) {
	err := g.do(ctx, http.MethodPost, repo, "/git/refs", map[string]string{"ref": "refs/heads/" + branch(c), "sha": at.commit}, nil)
	if err != nil && !exists(err) {
		return "", err
	}
	var now struct {
		SHA     string `json:"sha"`
		Content string `json:"content"`
	}
	file := "/contents/" + escapePath(at.path)
	if err := g.do(ctx, http.MethodGet, repo, file+"?ref="+url.QueryEscape(branch(c)), nil, &now); err != nil {
		return "", err
	}
	if now.SHA == at.blob { // else it is changed already, by an earlier try or by a person
		err := g.do(ctx, http.MethodPut, repo, file, map[string]string{"message": c.title(), "content": base64.StdEncoding.EncodeToString([]byte(at.text)), "sha": at.blob, "branch": branch(c)}, nil)
		if err != nil {
			return "", err
		}
	}
	var made page
	err = g.do(ctx, http.MethodPost, repo, "/pulls", map[string]any{
		"title": c.title(), "head": branch(c), "base": repo.Base, "body": c.body() + "\nThe commit changes `" + inline(at.path) + "`. dera merges nothing.\n", "maintainer_can_modify": true,
	}, &made)
	if exists(err) { // another try was first
		return g.opened(ctx, repo, c)
	}
	return made.URL, err
}

// exists reports whether GitHub refused to make what is there already.
func exists(err error) bool { return err != nil && strings.Contains(err.Error(), "already exists") }

func escapePath(p string) string {
	parts := strings.Split(p, "/")
	for i, x := range parts {
		parts[i] = url.PathEscape(x)
	}
	return strings.Join(parts, "/")
}

func (c Change) title() string {
	return cut(oneLine("dera: "+c.Title+" ("+c.Resource.Name()+", "+c.Remediation+")"), 200)
}

func inline(s string) string { return strings.ReplaceAll(cut(oneLine(s), 300), "`", "'") }

// body describes a change. What others may have written stands in blocks of code, in
// which GitHub notifies nobody and links nothing.
func (c Change) body() string {
	lines := c.Lines
	const most = 1000
	if len(lines) > most {
		lines = append(slices.Clone(lines[:most]), fmt.Sprintf("and %d lines more: dera show %s", len(c.Lines)-most, c.Remediation))
	}
	block := func(kind, text string) string {
		text = cut(shown(text), 25_000)
		fence := "```"
		for strings.Contains(text, fence) {
			fence += "`"
		}
		return fence + kind + "\n" + text + "\n" + fence + "\n"
	}
	return "dera found this, and infrastructure as code owns the resource, so that it wrote nothing there.\n\n" +
		block("text", oneLine(c.Title)+"\nresource: "+oneLine(string(c.Resource))+"\naccount: "+oneLine(c.Account)+"\nwhy: "+cut(oneLine(c.Why), 2000)+"\nremediation: "+c.Remediation) +
		"\nThe change as " + inline(c.Language) + ":\n\n" + block("diff", strings.Join(lines, "\n"))
}

// do calls the API of a repository.
func (g *GitHub) do(ctx context.Context, method string, repo Repository, path string, body, to any) error {
	a, err := g.post.do(ctx, call{method: method, url: g.base + "/repos/" + repo.Name + path, body: body, header: map[string]string{
		"Authorization": "Bearer " + g.cfg.Token, "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28",
	}})
	if err != nil || to == nil {
		return err
	}
	if err := json.Unmarshal(a.body, to); err != nil {
		return fmt.Errorf("GitHub answered with something that is no JSON of it%s", g.post.said(a.body))
	}
	return nil
}
