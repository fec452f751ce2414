package sink

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

var repositoryName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$`)

// gitHub is the API of GitHub.
//
// https://docs.github.com/en/rest
type gitHub struct {
	token, base string
	post        poster
}

// NewGitHub returns a forge that is GitHub.
func NewGitHub(cfg ForgeConfig) (*Forge, error) {
	if cfg.URL == "" {
		cfg.URL = "https://api.github.com"
	}
	if err := validURL(cfg.URL); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	return &Forge{cfg.Repositories, gitHub{cfg.Token, strings.TrimSuffix(cfg.URL, "/"), poster{client: cfg.Client, secrets: []string{cfg.Token}, now: cfg.Now}}}, nil
}

// page is a pull request or an issue.
type page struct {
	URL string `json:"html_url"`
}

func (g gitHub) opened(ctx context.Context, repo Repository, c Change) (string, error) {
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

func (g gitHub) tip(ctx context.Context, repo Repository) (string, error) {
	var ref struct {
		Object struct {
			SHA string `json:"sha"`
		} `json:"object"`
	}
	err := g.do(ctx, http.MethodGet, repo, "/git/ref/heads/"+escapePath(repo.Base), nil, &ref)
	return ref.Object.SHA, err
}

func (g gitHub) files(ctx context.Context, repo Repository, commit string, keep func(string) bool) (out []codeFile, ok bool, err error) {
	var tree struct {
		Truncated bool `json:"truncated"`
		Tree      []struct {
			Path, Type, SHA string
			Size            int
		} `json:"tree"`
	}
	if err := g.do(ctx, http.MethodGet, repo, "/git/trees/"+url.PathEscape(commit)+"?recursive=1", nil, &tree); err != nil {
		return nil, false, err
	}
	for _, f := range tree.Tree {
		if f.Type == "blob" && keep(f.Path) {
			out = append(out, codeFile{f.Path, f.SHA, f.Size})
		}
	}
	return out, !tree.Truncated, nil
}

func (g gitHub) blob(ctx context.Context, repo Repository, id string) (string, bool, error) {
	var b encoded
	err := g.do(ctx, http.MethodGet, repo, "/git/blobs/"+url.PathEscape(id), nil, &b)
	text, ok := b.text()
	return text, ok, err
}

// encoded is the content of a file as both forges give it.
type encoded struct{ Content, Encoding string }

func (e encoded) text() (string, bool) {
	text, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(e.Content, "\n", ""))
	return string(text), err == nil && e.Encoding == "base64"
}

func (g gitHub) branch(ctx context.Context, repo Repository, c Change, commit string) error {
	err := g.do(ctx, http.MethodPost, repo, "/git/refs", map[string]string{"ref": "refs/heads/" + branch(c), "sha": commit}, nil)
	if exists(err) {
		return nil
	}
	return err
}

func (g gitHub) blobOf(ctx context.Context, repo Repository, c Change, path string) (string, error) {
	var now struct {
		SHA string `json:"sha"`
	}
	err := g.do(ctx, http.MethodGet, repo, "/contents/"+escapePath(path)+"?ref="+url.QueryEscape(branch(c)), nil, &now)
	return now.SHA, err
}

func (g gitHub) commit(ctx context.Context, repo Repository, c Change, at place) error {
	return g.do(ctx, http.MethodPut, repo, "/contents/"+escapePath(at.path),
		map[string]string{"message": c.title(), "content": base64.StdEncoding.EncodeToString([]byte(at.text)), "sha": at.blob, "branch": branch(c)}, nil)
}

func (g gitHub) propose(ctx context.Context, repo Repository, c Change, body string) (string, error) {
	var made page
	err := g.do(ctx, http.MethodPost, repo, "/pulls", map[string]any{"title": c.title(), "head": branch(c), "base": repo.Base, "body": body, "maintainer_can_modify": true}, &made)
	if exists(err) { // another try was first
		return g.opened(ctx, repo, c)
	}
	return made.URL, err
}

func (g gitHub) issue(ctx context.Context, repo Repository, c Change, body string) (string, error) {
	var made page
	err := g.do(ctx, http.MethodPost, repo, "/issues", map[string]any{"title": c.title(), "body": body, "labels": []string{"dera", label(c)}}, &made)
	return made.URL, err
}

// exists reports whether a forge refused to make what is there already.
func exists(err error) bool { return err != nil && strings.Contains(err.Error(), "already exists") }

// do calls the API of a repository.
func (g gitHub) do(ctx context.Context, method string, repo Repository, path string, body, to any) error {
	a, err := g.post.do(ctx, call{method: method, url: g.base + "/repos/" + repo.Name + path, body: body, header: map[string]string{
		"Authorization": "Bearer " + g.token, "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28",
	}})
	if err != nil || to == nil {
		return err
	}
	if err := json.Unmarshal(a.body, to); err != nil {
		return fmt.Errorf("GitHub answered with something that is no JSON of it%s", g.post.said(a.body))
	}
	return nil
}
