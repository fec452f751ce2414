package iam

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/control"
	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/scope"
)

// Unused finds the permissions that nobody used of a subject, one failure a class. what
// says which policies they are. An error of NewSubject is what is not known.
func Unused(s *Subject, err error, what string) control.Result {
	if err != nil {
		return unknown(err)
	}
	j, err := s.judge()
	if err != nil {
		return unknown(err)
	}
	var out []control.Failure
	if len(j.found) > 0 {
		docs, _ := j.narrowing()
		j.usedActions = j.usedOf(docs...)
	}
	for _, u := range j.found {
		out = append(out, j.failure(u, what))
	}
	switch {
	case s.LeaveWhole && j.nothing:
		return control.Result{Outcome: control.Pass}
	case j.refused != "":
		return control.Result{Outcome: control.UnknownResult, Failures: out, Why: j.refused}
	case len(out) > 0:
		return control.Result{Outcome: control.Fail, Failures: out}
	}
	return control.Result{Outcome: control.Pass}
}

func unknown(err error) control.Result {
	return control.Result{Outcome: control.UnknownResult, Why: err.Error()}
}

// usedOf counts the actions that some policies allow and someone used.
func (j *judged) usedOf(docs ...*policy.Document) int {
	n, entries, wide := 0, map[string][]string{}, []*policy.Statement(nil) // by service, and what is of no service
	for _, d := range docs {
		for i := range d.Statements {
			st := &d.Statements[i]
			if st.Effect != policy.Allow {
				continue
			}
			open := st.NotActions != nil
			for _, e := range st.Actions {
				service, _, ok := strings.Cut(e, ":")
				open = open || !ok || strings.ContainsAny(service, "*?")
				service = strings.ToLower(service)
				entries[service] = append(entries[service], e)
			}
			if open {
				wide = append(wide, st)
			}
		}
	}
	for _, a := range distinct(j.used.actions) {
		service, _, _ := strings.Cut(a, ":")
		if slices.ContainsFunc(entries[service], func(e string) bool { return catalog.MatchAction(e, a) }) ||
			slices.ContainsFunc(wide, func(st *policy.Statement) bool { return Lets(st, a) }) {
			n++
		}
	}
	return n
}

func distinct(actions []string) []string {
	out := slices.Clone(actions)
	slices.Sort(out)
	return slices.CompactFunc(out, strings.EqualFold)
}

// grantedBy names the policies that grant something of a group besides.
func (j *judged) grantedBy(u unneeded) (names []string) {
	services := byService(u.actions)
	add := func(t Text, doc *policy.Document) {
		if grants(doc, services) && !slices.Contains(names, t.Name) {
			names = append(names, t.Name)
		}
	}
	for i, d := range j.docs {
		if i != u.place && (u.place >= 0 || j.Policies[i].Whole != "") {
			add(j.Policies[i], d)
		}
	}
	for i, d := range j.beside {
		add(j.Beside[i], d)
	}
	slices.Sort(names)
	return names
}

// byService are the names of some actions.
func byService(actions []string) map[string][]string {
	out := map[string][]string{}
	for _, a := range actions {
		service, name, _ := strings.Cut(a, ":")
		out[service] = append(out[service], name)
	}
	return out
}

// grants reports whether a policy allows any of some actions, which byService gives.
func grants(doc *policy.Document, actions map[string][]string) bool {
	return slices.ContainsFunc(doc.Statements, func(st policy.Statement) bool {
		if st.Effect != policy.Allow {
			return false
		}
		some := func() bool {
			for service, list := range actions {
				if slices.ContainsFunc(list, func(name string) bool { return Lets(&st, service+":"+name) }) {
					return true
				}
			}
			return false
		}
		if st.NotActions != nil {
			return some()
		}
		return slices.ContainsFunc(st.Actions, func(e string) bool {
			service, pattern, ok := strings.Cut(e, ":")
			if !ok || strings.ContainsAny(service, "*?") {
				return some()
			}
			list, ok := actions[service]
			if !ok {
				list = actions[strings.ToLower(service)]
			}
			return slices.ContainsFunc(list, func(name string) bool { return catalog.Match(pattern, name) })
		})
	})
}

// listed writes some of a list.
func listed(list []string, some int) string {
	text := strings.Join(list[:min(some, len(list))], ", ")
	if more := len(list) - some; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Narrowed are the texts of the policies without what some findings are about; "" where
// nothing is left of one. Everything else stays as it is.
func (s *Subject) Narrowed(keys []string) ([]string, *control.Refusal) {
	if s.stages(keys) {
		after, _, refusal := s.Staging(keys)
		return after, refusal
	}
	after, broad, refusal := s.narrowed(keys)
	if refusal == nil && slices.Contains(keys, ResourcesKey) {
		return s.located(after, broad)
	}
	return after, refusal
}

// narrowed is Narrowed, with the services that are kept as a whole for want of room.
func (s *Subject) narrowed(keys []string) (after, broad []string, refusal *control.Refusal) {
	j, err := s.judge()
	if err != nil {
		return nil, nil, CannotPlan(err)
	}
	for _, t := range s.Policies {
		after = append(after, t.Document)
	}
	goes, held := map[string]bool{}, []string(nil)
	for _, u := range j.found {
		switch {
		case u.key == ResourcesKey, !slices.Contains(keys, u.key): // resources come after actions
		case u.wide:
			return nil, nil, &control.Refusal{Code: "allows-everything", Why: "policy " + s.Policies[u.place].Name + " allows " + breadth(j.docs[u.place]) + ": a person must say what it is for"}
		case len(u.kept) > 0:
			if after[u.place], refusal = j.copyOf(u); refusal != nil {
				return nil, nil, refusal
			}
			broad = append(broad, u.broad...)
		case u.place >= 0:
			after[u.place] = ""
		default:
			held = append(held, u.held...)
			for _, a := range u.actions {
				goes[strings.ToLower(a)] = true
			}
		}
	}
	if len(goes) == 0 {
		return after, broad, s.fits(after)
	}
	for a := range goes {
		if !j.spare[a] {
			return nil, nil, mayBeUsed(held) // only iam:PassRole is found and cannot go
		}
	}
	docs, places := j.narrowing()
	in := j.input(notIn(goes, nil), nil)
	in.Limit = s.Limit
	c, err := scope.Choose(in, docs...)
	if err != nil {
		return nil, nil, CannotPlan(err)
	}
	if c.Refused != "" {
		return nil, nil, CannotPlan(errors.New(c.Refused))
	}
	if gone := setOf(c.Gone); len(gone) < len(goes) {
		return nil, nil, stays(c, goes, gone)
	}
	fresh, err := c.Documents()
	if err != nil {
		return nil, nil, CannotPlan(err)
	}
	for i, d := range fresh {
		if after[places[i]] = ""; d != nil {
			after[places[i]] = d.Text()
		}
	}
	return after, append(broad, c.Broad...), s.fits(after)
}

// stays says why something of what a plan is about would stay.
func stays(c *scope.Choice, goes, gone map[string]bool) *control.Refusal {
	var left []string
	for a := range goes {
		if !gone[a] {
			left = append(left, a)
		}
	}
	slices.Sort(left)
	if slices.Contains(left, strings.ToLower(catalog.PassRole)) {
		_, stay := c.With(catalog.PassRole)
		return mayBeUsed(stay)
	}
	return &control.Refusal{Code: "goes-with-others", Why: fmt.Sprintf("%s may be used with permissions that other findings are about, and can go only with those", listed(left, 5))}
}

func mayBeUsed(by []string) *control.Refusal {
	return &control.Refusal{Code: "passrole-may-be-used", Why: "no event shows the use of iam:PassRole, and these stay, which can use it: " + listed(by, 5)}
}

// CannotPlan refuses a plan because of an error.
func CannotPlan(err error) *control.Refusal {
	return &control.Refusal{Code: "cannot-plan", Why: err.Error()}
}

// Keys are those of failures.
func Keys(failures []control.Failure) []string {
	out := make([]string, len(failures))
	for i, f := range failures {
		out[i] = f.Key
	}
	return out
}
