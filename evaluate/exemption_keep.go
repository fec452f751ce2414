package evaluate

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/catalog"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// keepActionForm is an entry of an Action list; the schema holds the same text.
const keepActionForm = `^(\*|[A-Za-z0-9*?-]+:[A-Za-z0-9*?]+)$`

var keepAction = regexp.MustCompile(keepActionForm)

// keeps reads the list of what stays.
func (r *exemptionReader) keeps(n ast.Node) []Keep {
	members, _ := r.list(n, "keep")
	out := make([]Keep, 0, len(members))
	for i, member := range members {
		out = append(out, r.keep(member, fmt.Sprintf("keep[%d]", i)))
	}
	return out
}

// keep reads one entry.
func (r *exemptionReader) keep(n ast.Node, what string) Keep {
	f := r.mapping(n, what, "id", "principals", "actions", "owner", "reason", "expires")
	if f == nil {
		return Keep{}
	}
	before := len(r.problems)
	k := Keep{Position: dera.ExemptionFilePos{File: r.file, Line: firstToken(n).Position.Line, Commit: r.commit}}
	if id := r.required(f, n, what, "id"); id != nil {
		k.ID = r.id(id, what+".id", r.ids)
	}
	if owner := r.required(f, n, what, "owner"); owner != nil {
		k.Owner = r.plain(owner, what+".owner")
	}
	if reason := r.required(f, n, what, "reason"); reason != nil {
		k.Reason = r.plain(reason, what+".reason")
	}
	if expires := r.required(f, n, what, "expires"); expires != nil {
		k.Expires = r.expires(expires, what+".expires")
	}
	if r.required(f, n, what, "principals") != nil {
		k.Principals = r.patterns(f["principals"], what+".principals", r.principal)
	}
	if r.required(f, n, what, "actions") != nil {
		k.Actions = r.patterns(f["actions"], what+".actions", r.action)
	}
	everything := func(p string) bool { return strings.Contains(p, "*") && strings.Trim(p, "*?:") == "" }
	if len(r.problems) == before && slices.ContainsFunc(k.Actions, everything) {
		if who := everybody(k.Principals); who != "" {
			r.problem(firstToken(n), "%s is too wide: %s keeps everything, so that no permission there is ever unused; name the roles and users, as in arn:aws:iam::111122223333:role/app/* or role/NAME*, or the actions", what, who)
		}
	}
	return k
}

// principal checks that a pattern can be that of a role or user: only these use
// permissions, so that of anything else nothing would be kept.
func (r *exemptionReader) principal(t *token.Token, s, what string) {
	before := len(r.problems)
	if r.arn(t, s, what); len(r.problems) > before || s == "*" {
		return
	}
	part := strings.SplitN(s, ":", 6)
	kind, _, _ := strings.Cut(part[5], "/")
	is := func(k string) bool {
		return dera.MatchGlob(kind, k) || strings.Contains(kind, "*") && dera.MatchGlob(kind, k+"/x")
	}
	if !dera.MatchGlob(part[2], "iam") || !is("role") && !is("user") {
		r.problem(t, "%s %q is no role or user, so nothing would be kept: write one like arn:aws:iam::111122223333:role/NAME", what, short(s))
	}
}

// everybody says of which roles or users the patterns leave out none: of an account that
// they name, or of any; "" where they leave some out everywhere. It is tried on a few
// names that have nothing in common.
func everybody(patterns []string) string {
	all := func(partition, account, kind string) bool {
		return !slices.ContainsFunc([]string{"a", "zx-9", "q/r", "b/c/zw.7"}, func(name string) bool {
			arn := dera.NewARN(partition, "iam", "", account, kind+"/"+name)
			return !slices.ContainsFunc(patterns, func(p string) bool { return dera.MatchARN(p, arn) })
		})
	}
	for _, p := range patterns {
		account, of := dera.ARN(p).Account(), "every account"
		if strings.Trim(account, "*") != "" {
			of = "account " + account
		}
		one := strings.ReplaceAll(account, "?", "0")
		one = strings.Replace(one, "*", strings.Repeat("0", max(0, 13-len(one))), 1)
		one = strings.ReplaceAll(one, "*", "")
		for _, partition := range dera.Partitions() {
			roles, users := all(partition.ID, one, "role"), all(partition.ID, one, "user")
			switch {
			case roles && users:
				return "everybody of " + of
			case roles:
				return "every role of " + of
			case users:
				return "every user of " + of
			}
		}
	}
	return ""
}

func (r *exemptionReader) action(t *token.Token, s, what string) {
	if !keepAction.MatchString(s) {
		r.problem(t, "%s %q is not an action: write one like rds:RestoreDBInstanceToPointInTime, with * and ? as wildcards", what, short(s))
		return
	}
	c := catalog.Embedded()
	service, _, _ := strings.Cut(s, ":")
	switch known, _ := c.Expand(s); {
	case len(known) > 0 || strings.ContainsAny(service, "*?"):
	case strings.ContainsAny(s, "*?"):
		r.warnings = append(r.warnings, r.at(t.Position.Line, t.Position.Column, fmt.Sprintf("%s %q matches no action that the catalogue knows: it may keep nothing", what, short(s))))
	default:
		near := ""
		var unknown *catalog.UnknownActionError
		if errors.As(c.KnownAction(s), &unknown) && len(unknown.Nearest) > 0 {
			near = "; the nearest are " + strings.Join(unknown.Nearest, ", ")
		}
		r.warnings = append(r.warnings, r.at(t.Position.Line, t.Position.Column, fmt.Sprintf("%s %q is no action that the catalogue knows: it may keep nothing%s", what, short(s), near)))
	}
}
