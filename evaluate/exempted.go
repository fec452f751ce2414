package evaluate

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"dera.example/dera"
)

// Exempted lets alone what the reviewed exemption list names. The file is looked
// at again for each decision and read again when it changed, so that a merged
// pull request counts at once; one that cannot be read stops automation
// (requirement E1). It is safe for concurrent use.
type Exempted struct {
	path string
	cfg  ExemptionConfig
	now  func() time.Time

	mu   sync.Mutex
	seen fileVersion
	list *Exemptions
	err  error
}

// fileVersion tells one version of a file from another.
type fileVersion struct {
	size int64
	mod  time.Time
}

// NewExempted reads the list at path for the first time; an empty path means
// that there is none. cfg.Now is not used.
func NewExempted(path string, cfg ExemptionConfig, now func() time.Time) (*Exempted, error) {
	g := &Exempted{path: path, cfg: cfg, now: now}
	if path == "" {
		return g, nil
	}
	_, err := g.load()
	return g, err
}

// Warnings are what a person should look at in the list as it was last read.
func (g *Exempted) Warnings() []ExemptionProblem {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.list == nil {
		return nil
	}
	return g.list.Warnings
}

// load returns the list as the file is now.
func (g *Exempted) load() (*Exemptions, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	info, err := os.Stat(g.path)
	if err != nil {
		g.seen, g.list, g.err = fileVersion{}, nil, err
		return nil, err
	}
	if v := (fileVersion{info.Size(), info.ModTime()}); v != g.seen || g.list == nil {
		g.cfg.Now = g.now()
		g.list, g.err = g.cfg.Load(g.path)
		g.seen = v
	}
	return g.list, g.err
}

// Name implements Guardrail.
func (*Exempted) Name() string { return "exemption" }

// Check implements Guardrail.
func (g *Exempted) Check(_ context.Context, c Case) (dera.Reason, error) {
	if g.path == "" {
		return pass("there is no exemption list"), nil
	}
	list, err := g.load()
	if err != nil {
		return dera.Reason{}, fmt.Errorf("the exemption list cannot be read, which stops automation: %w", readable(err))
	}
	e, byTag := list.Match(c.Finding, c.Account, c.Resource.Tags, g.now())
	if e == nil {
		return pass("no exemption matches"), nil
	}
	r := dera.Reason{
		Disposition: dera.Exempt, Ref: fmt.Sprintf("%s@%s", e.ID, list.Commit),
		Why: fmt.Sprintf("exempt until %s: %s (owner %s)", e.Expires.UTC().Format(time.DateOnly), e.Reason, e.Owner),
	}
	if byTag {
		r.Disposition = dera.Review
		r.Why = "an exemption matches by a tag, which anyone who can change the resource can set, so a person decides: " + r.Why
	}
	return r, nil
}
