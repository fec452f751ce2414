package evaluate

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"dera.example/dera"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// The forms of single values. The schema holds the same texts.
const (
	exemptionIDForm      = `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`
	exemptionControlForm = `^[a-z0-9*?][a-z0-9*?._-]*$`
	exemptionAccountForm = `^([0-9]{12}|\*)$`
	exemptionARNForm     = `^(\*|arn:[a-z*?-]+:[a-z0-9*?-]+:[a-z0-9*?-]*:([0-9]{12}|[0-9]*[*?][0-9*?]*)?:\S+)$`
	exemptionCIDRForm    = `^[0-9A-Fa-f.:]+/[0-9]{1,3}$`
	exemptionDateForm    = `^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2}))?$`
)

var (
	exemptionID      = regexp.MustCompile(exemptionIDForm)
	exemptionControl = regexp.MustCompile(exemptionControlForm)
	exemptionAccount = regexp.MustCompile(exemptionAccountForm)
	exemptionARN     = regexp.MustCompile(exemptionARNForm)
	exemptionDate    = regexp.MustCompile(exemptionDateForm)
)

// entries reads the list of exemptions.
func (r *exemptionReader) entries(n ast.Node) []dera.Exemption {
	members, _ := r.list(n, "exemptions")
	out := make([]dera.Exemption, 0, len(members))
	for i, member := range members {
		out = append(out, r.entry(member, fmt.Sprintf("exemptions[%d]", i)))
	}
	return out
}

// entry reads one exemption.
func (r *exemptionReader) entry(n ast.Node, what string) dera.Exemption {
	f := r.mapping(n, what, "id", "match", "owner", "reason", "expires")
	if f == nil {
		return dera.Exemption{}
	}
	at := firstToken(n).Position
	x := dera.Exemption{Position: dera.ExemptionFilePos{File: r.file, Line: at.Line, Commit: r.commit}}
	if id := r.required(f, n, what, "id"); id != nil {
		x.ID = r.id(id, what+".id", r.ids)
	}
	if owner := r.required(f, n, what, "owner"); owner != nil {
		x.Owner = r.plain(owner, what+".owner")
	}
	if reason := r.required(f, n, what, "reason"); reason != nil {
		x.Reason = r.plain(reason, what+".reason")
	}
	if expires := r.required(f, n, what, "expires"); expires != nil {
		x.Expires = r.expires(expires, what+".expires")
	}
	if match := r.required(f, n, what, "match"); match != nil {
		x.Match = r.match(match, what+".match")
	}
	return x
}

// plain reads an owner or a reason, which must say something.
func (r *exemptionReader) plain(n ast.Node, what string) string {
	s, ok := r.text(n, what)
	if !ok {
		return ""
	}
	if err := PlainText(s); err != nil {
		r.problem(firstToken(n), "%s %v", what, err)
	}
	return s
}

func (r *exemptionReader) id(n ast.Node, what string, lines map[string]int) string {
	id, ok := r.text(n, what)
	switch {
	case !ok:
		return ""
	case !exemptionID.MatchString(id):
		r.problem(firstToken(n), "%s %q is not of letters, digits, dots, hyphens and underscores (at most 64)", what, short(id))
	case lines[id] > 0:
		r.problem(firstToken(n), "%s %q stands twice, first in line %d", what, id, lines[id])
	default:
		lines[id] = firstToken(n).Position.Line
	}
	return id
}

// expires reads a date, which holds to its end in UTC, or a moment.
func (r *exemptionReader) expires(n ast.Node, what string) time.Time {
	s, ok := r.text(n, what)
	if !ok {
		return time.Time{}
	}
	moment, err := time.Parse(time.RFC3339, s)
	if day, dayErr := time.Parse(time.DateOnly, s); dayErr == nil {
		moment, err = day.AddDate(0, 0, 1).Add(-time.Nanosecond), nil
	}
	if err != nil || !exemptionDate.MatchString(s) {
		r.problem(firstToken(n), "%s %q is not a date, must be one like 2026-12-31 or 2026-12-31T18:00:00Z", what, short(s))
		return time.Time{}
	}
	switch left := moment.Sub(r.cfg.Now); {
	case left < 0: // it lapsed automatically
	case left <= exemptionExpiresDue:
		r.warn(firstToken(n), "%s: lapses on %s", what, moment.UTC().Format(time.DateOnly))
	case left > time.Duration(r.cfg.MaxDays+1)*24*time.Hour:
		r.warn(firstToken(n), "%s lies more than %d days ahead: an exemption should come up for review", what, r.cfg.MaxDays)
	}
	return moment.UTC()
}

// match reads what an exemption covers.
func (r *exemptionReader) match(n ast.Node, what string) dera.ExemptionMatch {
	var m dera.ExemptionMatch
	before := len(r.problems)
	f := r.mapping(n, what, "controls", "accounts", "ous", "resources", "keys", "sources", "permissions", "tags")
	if f == nil {
		return m
	}
	m.Controls = r.patterns(f["controls"], what+".controls", r.control)
	m.Controls = append(m.Controls, renamed(m.Controls)...)
	m.Accounts = r.patterns(f["accounts"], what+".accounts", r.account)
	m.OUs = r.patterns(f["ous"], what+".ous", nil)
	m.Resources = r.patterns(f["resources"], what+".resources", r.arn)
	m.Keys = r.patterns(f["keys"], what+".keys", nil)
	m.Sources = r.patterns(f["sources"], what+".sources", r.cidr)
	m.Permissions = r.patterns(f["permissions"], what+".permissions", nil)
	if tags := f["tags"]; tags != nil {
		m.Tags = r.tags(tags.Value, what+".tags")
	}
	if len(r.problems) > before {
		return m
	}
	switch {
	case len(f) == 0:
		r.problem(firstToken(n), "%s is empty: say what is exempt", what)
	case coversEverything(m):
		r.problem(firstToken(n), "%s is too wide: it covers everything, since every field that it sets has a value that matches all; narrow at least one", what)
	}
	return m
}

// patterns reads a list of texts; check judges one more closely.
func (r *exemptionReader) patterns(member *ast.MappingValueNode, what string, check func(t *token.Token, s, what string)) []string {
	if member == nil {
		return nil
	}
	nodes, ok := r.list(member.Value, what)
	if !ok {
		return nil
	}
	if len(nodes) == 0 {
		r.problem(firstToken(member.Value), "%s is an empty list", what)
	}
	var out []string
	for i, n := range nodes {
		name := fmt.Sprintf("%s[%d]", what, i)
		if strings.HasSuffix(what, ".accounts") && unquotedNumber(n) {
			r.problem(firstToken(n), `%s %s is not quoted: quote it ("%[2]s"), since YAML may read it as a number and lose a leading zero`, name, short(n.GetToken().Value))
			continue
		}
		s, ok := r.text(n, name)
		if !ok {
			continue
		}
		if check != nil {
			check(firstToken(n), s, name)
		}
		out = append(out, s)
	}
	return out
}

// unquotedNumber reports whether a scalar is written as digits without quotes,
// whatever this parser takes it for: others take it for another thing.
func unquotedNumber(n ast.Node) bool {
	t := n.GetToken()
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return true
	case *ast.StringNode:
		return t.Type == token.StringType && t.Value != "" && strings.Trim(t.Value, "0123456789_") == ""
	}
	return false
}

// renamed are the IDs of today of controls that the patterns fit under their IDs of
// before alone.
func renamed(patterns []string) (now []string) {
	for before, id := range dera.RenamedControls() {
		fits := func(id string) bool {
			return slices.ContainsFunc(patterns, func(p string) bool { return dera.MatchGlob(p, id) })
		}
		if fits(before) && !fits(id) {
			now = append(now, id)
		}
	}
	slices.Sort(now)
	return now
}

func (r *exemptionReader) control(t *token.Token, s, what string) {
	if !exemptionControl.MatchString(s) {
		r.problem(t, "%s %q is not the ID of a control: lower case, digits, dots, hyphens and underscores, * and ? as wildcards", what, short(s))
		return
	}
	if now := renamed([]string{s}); len(now) > 0 {
		r.warn(t, "%s %q is called %s now, and counts as that", what, short(s), strings.Join(now, ", "))
		return
	}
	known := func(id string) bool { return dera.MatchGlob(s, id) }
	if len(r.cfg.Controls) > 0 && !slices.ContainsFunc(r.cfg.Controls, known) {
		r.warn(t, "%s %q matches no control: it exempts nothing", what, short(s))
	}
}

func (r *exemptionReader) account(t *token.Token, s, what string) {
	if !exemptionAccount.MatchString(s) {
		r.problem(t, "%s %q is not an account ID of 12 digits (or *)", what, short(s))
	}
}

func (r *exemptionReader) arn(t *token.Token, s, what string) {
	if !exemptionARN.MatchString(s) {
		r.problem(t, "%s %q is not an ARN: write all six parts, arn:partition:service:region:account:resource, with * and ? as wildcards inside a part", what, short(s))
	}
}

func (r *exemptionReader) cidr(t *token.Token, s, what string) {
	if p, err := netip.ParsePrefix(s); err != nil || p != p.Masked() {
		r.problem(t, "%s %q is not a CIDR without host bits: write one like 203.0.113.0/24", what, short(s))
	}
}

// tags reads the tags that a resource must have.
func (r *exemptionReader) tags(n ast.Node, what string) map[string]string {
	f := r.mapping(n, what)
	if f != nil && len(f) == 0 {
		r.problem(firstToken(n), "%s is empty", what)
	}
	out := map[string]string{}
	for key, member := range f {
		if strings.TrimSpace(key) == "" {
			r.problem(member.Key.GetToken(), "%s: a key is blank", what)
			continue
		}
		if i := strings.IndexFunc(key, Invisible); i >= 0 {
			r.problem(member.Key.GetToken(), "%s: a key holds %s", what, invisibleText([]rune(key[i:])[0]))
			continue
		}
		if value, ok := r.text(member.Value, what+"."+short(key)); ok {
			out[key] = value
		}
	}
	return out
}
