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
	"strings"
)

var projectName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*){1,20}$`)

// gitLab is the API of GitLab.
//
// https://docs.gitlab.com/api/rest/
type gitLab struct {
	token, base string
	post        poster
}

// NewGitLab returns a forge that is GitLab.
func NewGitLab(cfg ForgeConfig) (*Forge, error) {
	if cfg.URL == "" {
		cfg.URL = "https://gitlab.com/api/v4"
	}
	if err := validURL(cfg.URL); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	return &Forge{cfg.Repositories, gitLab{cfg.Token, strings.TrimSuffix(cfg.URL, "/"), poster{client: cfg.Client, secrets: []string{cfg.Token}, now: cfg.Now}}}, nil
}

// webPage is a merge request or an issue.
type webPage struct {
	URL string `json:"web_url"`
}

func (g gitLab) opened(ctx context.Context, repo Repository, c Change) (string, error) {
	for _, query := range []string{
		"/merge_requests?" + url.Values{"source_branch": {branch(c)}, "state": {"all"}, "per_page": {"1"}}.Encode(),
		"/issues?" + url.Values{"labels": {label(c)}, "state": {"all"}, "per_page": {"1"}}.Encode(),
	} {
		var list []webPage
		if err := g.do(ctx, http.MethodGet, repo, query, nil, &list); err != nil {
			return "", err
		}
		if len(list) > 0 {
			return list[0].URL, nil
		}
	}
	return "", nil
}

func (g gitLab) tip(ctx context.Context, repo Repository) (string, error) {
	var b struct {
		Commit struct {
			ID string `json:"id"`
		} `json:"commit"`
	}
	err := g.do(ctx, http.MethodGet, repo, "/repository/branches/"+url.PathEscape(repo.Base), nil, &b)
	return b.Commit.ID, err
}

// Bounds of a tree, which GitLab gives page by page.
const (
	treePage  = 100
	treePages = 100
)

func (g gitLab) files(ctx context.Context, repo Repository, commit string, keep func(string) bool) (out []codeFile, ok bool, err error) {
	query := url.Values{"ref": {commit}, "recursive": {"true"}, "per_page": {fmt.Sprint(treePage)}}
	if folder := strings.Trim(repo.Path, "/"); folder != "" {
		query.Set("path", folder)
	}
	for page := 1; page <= treePages; page++ {
		query.Set("page", fmt.Sprint(page))
		var tree []struct{ ID, Path, Type string }
		err := g.do(ctx, http.MethodGet, repo, "/repository/tree?"+query.Encode(), nil, &tree)
		if err != nil && strings.Contains(err.Error(), "answered 404") {
			return out, true, nil // the commit is there: it has no such folder
		}
		if err != nil {
			return nil, false, err
		}
		for _, f := range tree {
			if f.Type == "blob" && keep(f.Path) {
				out = append(out, codeFile{path: f.Path, id: f.ID})
			}
		}
		if len(tree) < treePage {
			return out, true, nil
		}
		if len(out) > mostCodeFiles {
			break
		}
	}
	return out, false, nil
}

func (g gitLab) blob(ctx context.Context, repo Repository, id string) (string, bool, error) {
	var b encoded
	err := g.do(ctx, http.MethodGet, repo, "/repository/blobs/"+url.PathEscape(id), nil, &b)
	if errors.Is(err, errTooMuch) {
		return "", false, nil // a tree does not say how large a file is
	}
	text, ok := b.text()
	return text, ok, err
}

func (g gitLab) branch(ctx context.Context, repo Repository, c Change, commit string) error {
	err := g.do(ctx, http.MethodPost, repo, "/repository/branches", map[string]string{"branch": branch(c), "ref": commit}, nil)
	if exists(err) {
		return nil
	}
	return err
}

// fileNow is a file on a branch; its last commit is what a write is held against.
type fileNow struct {
	Blob string `json:"blob_id"`
	Last string `json:"last_commit_id"`
}

func (g gitLab) now(ctx context.Context, repo Repository, c Change, path string) (f fileNow, err error) {
	return f, g.do(ctx, http.MethodGet, repo, "/repository/files/"+url.PathEscape(path)+"?ref="+url.QueryEscape(branch(c)), nil, &f)
}

func (g gitLab) blobOf(ctx context.Context, repo Repository, c Change, path string) (string, error) {
	f, err := g.now(ctx, repo, c, path)
	return f.Blob, err
}

func (g gitLab) commit(ctx context.Context, repo Repository, c Change, at place) error {
	f, err := g.now(ctx, repo, c, at.path)
	if err != nil || f.Blob != at.blob {
		return err // a person was faster: theirs stays
	}
	return g.do(ctx, http.MethodPut, repo, "/repository/files/"+url.PathEscape(at.path), map[string]string{
		"branch": branch(c), "commit_message": c.title(), "encoding": "base64", "content": base64.StdEncoding.EncodeToString([]byte(at.text)), "last_commit_id": f.Last,
	}, nil)
}

func (g gitLab) propose(ctx context.Context, repo Repository, c Change, body string) (string, error) {
	var made webPage
	err := g.do(ctx, http.MethodPost, repo, "/merge_requests", map[string]any{"title": c.title(), "source_branch": branch(c), "target_branch": repo.Base, "description": body}, &made)
	if exists(err) { // another try was first
		return g.opened(ctx, repo, c)
	}
	return made.URL, err
}

func (g gitLab) issue(ctx context.Context, repo Repository, c Change, body string) (string, error) {
	var made webPage
	err := g.do(ctx, http.MethodPost, repo, "/issues", map[string]any{"title": c.title(), "description": body, "labels": "dera," + label(c)}, &made)
	return made.URL, err
}

// do calls the API of a project.
func (g gitLab) do(ctx context.Context, method string, repo Repository, path string, body, to any) error {
	a, err := g.post.do(ctx, call{method: method, url: g.base + "/projects/" + url.PathEscape(repo.Name) + path, body: body, header: map[string]string{"PRIVATE-TOKEN": g.token}})
	if err != nil || to == nil {
		return err
	}
	if err := json.Unmarshal(a.body, to); err != nil {
		return fmt.Errorf("GitLab answered with something that is no JSON of it%s", g.post.said(a.body))
	}
	return nil
}
