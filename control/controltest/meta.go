package controltest

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource/role"
)

var (
	controlID = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+){2,}$`)
	iamAction = regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z0-9]+$`)
)

// born is when the first control was written; a review that is due before it
// was forgotten from the start.
func born() time.Time { return time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC) }

// Meta: from a control's Meta its page, roles and table are generated, so all of
// it is there and nothing contradicts itself.
func Meta(t TB, c control.Control) {
	t.Helper()
	if !controlID.MatchString(c.ID) {
		t.Errorf("ID: got %q, want SERVICE-WHAT-IS-WRONG", c.ID)
	}
	for name, text := range map[string]string{"title": c.Title, "type": c.Type, "why": c.Why, "fix": c.Fix, "owner": c.Owner} {
		if strings.TrimSpace(text) == "" || strings.Contains(text, "…") {
			t.Errorf("%s: got %q, want words", name, text)
		}
	}
	if c.Severity < dera.Low || c.Severity > dera.Critical {
		t.Errorf("severity: got %v", c.Severity)
	}
	if !slices.Contains([]string{"low", "medium", "high"}, c.Complexity) {
		t.Errorf("complexity: got %q, want low, medium or high", c.Complexity)
	}
	if day, err := time.Parse(time.DateOnly, c.ReviewBy); err != nil || day.Before(born()) {
		t.Errorf("review by: got %q, %v, want a day after %s", c.ReviewBy, err, born().Format(time.DateOnly))
	}
	metaTables(t, c)
	metaActions(t, c)
	page := c.Document()
	for _, text := range []string{c.ID, c.Title, c.Why, c.Fix, c.Owner, c.ReviewBy} {
		if !strings.Contains(page, text) {
			t.Errorf("the page leaves out %q", text)
		}
	}
	for _, line := range strings.Split(page, "\n") {
		if n := strings.Count(line, "|"); strings.HasPrefix(line, "|") && n != 3 && n != 4 {
			t.Errorf("a row of the page has %d bars: %s", n, line)
		}
	}
}

func metaTables(t TB, c control.Control) {
	t.Helper()
	if len(c.Cases) == 0 || len(c.Refs) == 0 {
		t.Errorf("tables: got %d cases and %d references, want some of both", len(c.Cases), len(c.Refs))
	}
	for _, k := range c.Cases {
		if k.When == "" || k.Because == "" || k.Disposition < dera.Auto || k.Disposition > dera.Exempt {
			t.Errorf("case %+v is not complete", k)
		}
	}
	for _, r := range c.Refs {
		u, err := url.Parse(r.URL)
		if err != nil || u.Scheme != "https" || u.Host == "" || r.Standard == "" || r.ID == "" {
			t.Errorf("reference %+v is not complete", r)
		}
	}
}

func metaActions(t TB, c control.Control) {
	t.Helper()
	if len(c.Reads) == 0 {
		t.Errorf("reads: got none, want the actions that looking takes")
	}
	for _, a := range slices.Concat(c.Reads, c.Writes) {
		if !iamAction.MatchString(a) {
			t.Errorf("action %q is not SERVICE:Action", a)
		}
	}
	for _, a := range c.Reads {
		if slices.Contains(c.Writes, a) {
			t.Errorf("action %q is a read and a write", a)
		}
	}
	acts := slices.ContainsFunc(c.Cases, func(k control.Case) bool { return k.Disposition <= dera.Review && !c.ByHand })
	if acts != (len(c.Writes) > 0) {
		t.Errorf("writes: got %v, although acting is %t", c.Writes, acts)
	}
	for name, policy := range map[string]func([]control.Control, string, string) (role.Policy, error){
		"reader": control.ReaderPolicy, "remediator": control.RemediatorPolicy,
	} {
		p, err := policy([]control.Control{c}, "aws", "111122223333")
		if err != nil {
			t.Errorf("the %s's policy: %v", name, err)
		}
		own, err := policy(nil, "aws", "111122223333") // dera's, whatever the controls
		if err != nil {
			t.Errorf("the %s's policy without controls: %v", name, err)
		}
		allowed, always := actionsOf(p), actionsOf(own)
		want := append(slices.Clone(c.Reads), c.GuardReads...)
		if name == "remediator" {
			want = slices.Clone(c.Reads)
			want = append(want, c.Writes...)
			if len(c.Writes) == 0 {
				want = nil
			}
		}
		for _, a := range want {
			if !slices.Contains(allowed, a) {
				t.Errorf("the %s's policy does not allow %s", name, a)
			}
		}
		for _, a := range allowed {
			if !slices.Contains(want, a) && !slices.Contains(always, a) {
				t.Errorf("the %s's policy allows %s, which the control does not declare", name, a)
			}
		}
	}
}

func actionsOf(p role.Policy) (out []string) {
	for _, s := range p.Statement {
		out = append(out, s.Action...)
	}
	return out
}
