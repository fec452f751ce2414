package proof

import (
	"context"
	"slices"
	"strings"

	"dera/iam/catalog"
	"dera/iam/policy"
	"dera/iam/reason"
)

// lookup finds the actions of a list that an entry matches.
type lookup struct {
	exact     map[string]bool     // in lower case
	byService map[string][]string // as written
	wild      map[string][]string // entries with wildcards, by service
}

func newLookup(entries []string) *lookup {
	l := &lookup{exact: map[string]bool{}, byService: map[string][]string{}, wild: map[string][]string{}}
	for _, e := range entries {
		lower := strings.ToLower(e)
		service, _, _ := strings.Cut(lower, ":")
		if strings.ContainsAny(e, "*?") {
			l.wild[service] = append(l.wild[service], e)
			continue
		}
		l.exact[lower] = true
		l.byService[service] = append(l.byService[service], e)
	}
	return l
}

// of returns the actions of the list, without wildcards, that an entry matches.
func (l *lookup) of(entry string) []string {
	lower := strings.ToLower(entry)
	service, _, _ := strings.Cut(lower, ":")
	switch {
	case lower == "*" || lower == "*:*":
		var out []string
		for _, list := range l.byService {
			out = append(out, list...)
		}
		slices.Sort(out)
		return out
	case l.exact[lower]:
		return []string{entry}
	case !strings.ContainsAny(entry, "*?"):
		return nil
	}
	var out []string
	for _, a := range l.byService[service] {
		if catalog.MatchAction(entry, a) {
			out = append(out, a)
		}
	}
	return out
}

// has reports whether an entry of the list matches an action.
func (l *lookup) has(action string) bool {
	lower := strings.ToLower(action)
	service, _, _ := strings.Cut(lower, ":")
	here := func(w string) bool { return catalog.MatchAction(w, action) }
	return l.exact[lower] || slices.ContainsFunc(l.wild[service], here) || slices.ContainsFunc(l.wild["*"], here)
}

// each returns the policies with other actions in the statements that allow
// something, unless they are nil; the numbers of the statements stay.
func each(set reason.Policies, actions func(st *policy.Statement) []string) reason.Policies {
	out := make(reason.Policies, len(set))
	for i, doc := range set {
		out[i] = &policy.Document{Version: doc.Version, Statements: slices.Clone(doc.Statements)}
		for j := range out[i].Statements {
			st := &out[i].Statements[j]
			if st.Effect != policy.Allow {
				continue
			}
			if list := actions(st); list != nil {
				st.Actions, st.NotActions = list, nil
			}
		}
	}
	return out
}

// onlyKept is what the policies allow of some actions. It is the same as with a
// denial of all others, but leaves the engine less to do.
func onlyKept(set reason.Policies, kept []string) reason.Policies {
	l := newLookup(kept)
	return each(set, func(st *policy.Statement) []string {
		if st.NotActions != nil {
			return slices.DeleteFunc(slices.Clone(kept), func(a string) bool {
				return slices.ContainsFunc(st.NotActions, func(e string) bool { return catalog.MatchAction(e, a) })
			})
		}
		out := []string{}
		for _, e := range st.Actions {
			out = append(out, l.of(e)...)
		}
		slices.Sort(out)
		return slices.Compact(out)
	})
}

// gone decides whether the policies allow nothing of what was removed. Entries
// without wildcards that are not among the removed play no part.
func gone(ctx context.Context, set reason.Policies, removed []string, cfg reason.Config) reason.Answer {
	if len(removed) == 0 {
		return reason.Answer{Verdict: reason.Proved} // nothing is claimed
	}
	l := newLookup(removed)
	left := 0
	rest := each(set, func(st *policy.Statement) []string {
		if st.NotActions != nil {
			left++
			return nil
		}
		out := []string{}
		for _, e := range st.Actions {
			if strings.ContainsAny(e, "*?") || l.has(e) {
				out = append(out, e)
			}
		}
		left += len(out)
		return out
	})
	if left == 0 {
		// No statement has an action of these: nothing at all is allowed.
		return reason.AllowsAny(ctx, rest, nil, nil, cfg)
	}
	return reason.AllowsAny(ctx, rest, removed, nil, cfg)
}

// tries is how many removed entries are looked at one by one for a request.
const tries = 8

// less looks for a request that old allows and fresh does not. It tries some of
// what was removed first, because a question about one action is a small one.
func less(ctx context.Context, old, fresh reason.Policies, removed []string, cfg reason.Config) reason.Answer {
	for _, r := range removed[:min(tries, len(removed))] {
		one := newLookup([]string{r})
		part := each(old, func(st *policy.Statement) []string {
			out := []string{}
			for _, e := range st.Actions {
				if out = append(out, one.of(e)...); e == r {
					out = append(out, e)
				}
			}
			return slices.Compact(out)
		})
		if a := reason.Subset(ctx, part, fresh, cfg); a.Verdict == reason.Refuted {
			return a
		}
	}
	return reason.Subset(ctx, old, fresh, cfg)
}
