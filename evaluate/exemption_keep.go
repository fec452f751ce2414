package evaluate

import (
	"fmt"
	"regexp"
	"slices"

	"dera.example/dera"

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
		k.Principals = r.patterns(f["principals"], what+".principals", r.arn)
	}
	if r.required(f, n, what, "actions") != nil {
		k.Actions = r.patterns(f["actions"], what+".actions", r.action)
	}
	all := func(p string) bool { return matchesAll(p) || p == "*:*" }
	if len(r.problems) == before && slices.ContainsFunc(k.Principals, all) && slices.ContainsFunc(k.Actions, all) {
		r.problem(firstToken(n), "%s is too wide: everybody keeps everything; narrow principals or actions", what)
	}
	return k
}

func (r *exemptionReader) action(t *token.Token, s, what string) {
	if !keepAction.MatchString(s) {
		r.problem(t, "%s %q is not an action: write one like rds:RestoreDBInstanceToPointInTime, with * and ? as wildcards", what, short(s))
	}
}
