package sink

import (
	"context"
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
	Name    string `yaml:"repository" json:"repository" jsonschema_description:"OWNER/NAME, on GitLab GROUP/PROJECT."`
	Owner   string `yaml:"owner_is,omitempty" json:"owner_is,omitempty" jsonschema_description:"Owner of the resource, or glob."`
	Account string `yaml:"account,omitempty" json:"account,omitempty" jsonschema_description:"Account ID or glob."`
	Path    string `yaml:"path,omitempty" json:"path,omitempty" jsonschema_description:"Folder of the code. Default: all of it."`
	Base    string `yaml:"base,omitempty" json:"base,omitempty" jsonschema_description:"Branch that pull requests go to. Default: main."`
}

// Forge proposes changes of code, one for each remediation: a pull request (GitLab: merge
// request) from the branch dera/REMEDIATION where the lines that the change replaces stand
// at exactly one place of the code, else an issue that shows the change. It merges nothing,
// pushes to no branch that it did not make, and opens nothing again that a person closed.
type Forge struct {
	repositories []Repository
	host         host
}

// host is the API of a forge. What an earlier try made already is no error.
type host interface {
	// opened is the address of what was opened for the remediation, whatever became of it.
	opened(ctx context.Context, repo Repository, c Change) (string, error)
	// tip is the commit of the base.
	tip(ctx context.Context, repo Repository) (string, error)
	// files are those of a commit that keep accepts; false where they are too many.
	files(ctx context.Context, repo Repository, commit string, keep func(path string) bool) ([]codeFile, bool, error)
	// blob is the text of a file; false where it is none, or too much.
	blob(ctx context.Context, repo Repository, id string) (string, bool, error)
	// branch makes the branch of the remediation.
	branch(ctx context.Context, repo Repository, c Change, commit string) error
	// blobOf is the ID of a file on that branch.
	blobOf(ctx context.Context, repo Repository, c Change, path string) (string, error)
	// commit writes the changed file to that branch, if it is still the one that was read.
	commit(ctx context.Context, repo Repository, c Change, at place) error
	// propose opens the request to merge the branch.
	propose(ctx context.Context, repo Repository, c Change, body string) (string, error)
	issue(ctx context.Context, repo Repository, c Change, body string) (string, error)
}

// codeFile is a file of a repository. size is 0 where the forge does not say it.
type codeFile struct {
	path, id string
	size     int
}

// ForgeConfig is where and with what token.
type ForgeConfig struct {
	URL          string // of the API; "" is that of github.com or gitlab.com
	Token        string // may write code, requests and issues of the repositories
	Repositories []Repository
	Client       *http.Client
	Now          func() time.Time
}

// ErrNoRepository is that the configuration names no repository for a resource.
var ErrNoRepository = errors.New("no repository is configured for this resource")

// repository is the first that matches.
func (f *Forge) repository(c Change) (Repository, bool) {
	fits := func(glob, s string) bool { return glob == "" || dera.MatchGlob(glob, s) }
	i := slices.IndexFunc(f.repositories, func(r Repository) bool { return fits(r.Owner, c.Owner) && fits(r.Account, c.Account) })
	if i < 0 {
		return Repository{}, false
	}
	r := f.repositories[i]
	if r.Base == "" {
		r.Base = "main"
	}
	return r, true
}

// Open proposes a change, once: it returns the address of the pull request or issue that
// there is, or ErrNoRepository.
func (f *Forge) Open(ctx context.Context, c Change) (string, error) {
	repo, ok := f.repository(c)
	if !ok {
		return "", ErrNoRepository
	}
	if len(c.Lines) == 0 || !regexp.MustCompile(`^[a-z0-9-]{3,60}$`).MatchString(c.Remediation) {
		return "", &PermanentError{errors.New("the change has no lines, or its remediation no ID")}
	}
	if at, err := f.host.opened(ctx, repo, c); err != nil || at != "" {
		return at, err
	}
	where, err := f.place(ctx, repo, c)
	if err != nil {
		return "", err
	}
	if where.path == "" {
		return f.host.issue(ctx, repo, c, c.body()+"\ndera did not write it into the code: "+where.why+". Find where `"+inline(c.Resource.Name())+"` is declared, and put the change there.\n")
	}
	return f.request(ctx, repo, c, where)
}

// request makes the branch, the commit and the request, as far as they are not there.
func (f *Forge) request(ctx context.Context, repo Repository, c Change, at place) (string, error) {
	if err := f.host.branch(ctx, repo, c, at.commit); err != nil {
		return "", err
	}
	now, err := f.host.blobOf(ctx, repo, c, at.path)
	if err != nil {
		return "", err
	}
	if now != at.blob { // it is changed already, by an earlier try or by a person; or the branch is older than the base
		text, ok, err := f.host.blob(ctx, repo, now)
		if err != nil {
			return "", err
		}
		changed, n := apply(text, c.Lines)
		if ok && n == 1 && strings.Contains(text, c.Resource.Name()) {
			at.blob, at.text = now, changed
		}
	}
	if now == at.blob {
		if err := f.host.commit(ctx, repo, c, at); err != nil {
			return "", err
		}
	}
	return f.host.propose(ctx, repo, c, c.body()+"\nThe commit changes `"+inline(at.path)+"`. dera merges nothing.\n")
}

func branch(c Change) string { return "dera/" + c.Remediation }

func label(c Change) string { return "dera-" + c.Remediation }

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
		// A line that begins with / is a command of GitLab, where it takes a block for ended.
		text = strings.ReplaceAll("\n"+cut(shown(text), 25_000), "\n/", "\n /")[1:]
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
