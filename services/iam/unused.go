package iam

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/scope"
	"dera.example/dera/resource"
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

// failure says of a group of permissions what a person needs.
func (j *judged) failure(u unneeded, what string) control.Failure {
	if u.key == ResourcesKey {
		return j.onMore(u, what)
	}
	f := control.Failure{
		Key: u.key, Start: dera.Auto, Severity: dera.Medium, Permissions: slices.Clone(u.actions),
		Title: "Permissions that nobody used", Granted: &dera.GrantedUse{Granted: j.allowed, Used: j.usedActions, Unused: len(u.actions)},
	}
	for _, p := range j.Principals {
		f.Granted.Principals = append(f.Granted.Principals, p.Name)
	}
	if u.place >= 0 {
		f.Granted.Granted, f.Granted.Used = len(u.actions)+len(u.kept), j.usedOf(j.docs[u.place])
	}
	var why []string
	switch {
	case u.wide:
		what := breadth(j.docs[u.place])
		f.Title, f.Severity, f.Start, f.Granted = "Policy that allows "+what, dera.High, dera.Alert, nil
		used := j.usedOf(j.docs[u.place])
		why = append(why, fmt.Sprintf("Policy %s allows %s. Of that, %s %s used%s. No list of what stays takes its place: a person says what it is for.",
			j.Policies[u.place].Name, what, counting(used, "action"), was(used), j.watched()))
	case len(u.kept) > 0:
		f.Title, f.Severity = "Policy of AWS that grants more than was used", dera.Low
		if !j.AutoAWS {
			f.Start = dera.Review
		}
		why = append(why, fmt.Sprintf("Of %s in %s, %d %s used%s; unused: %s. It is a policy of AWS, which cannot be narrowed itself: a copy without these takes its place, and lacks what AWS adds later.",
			counting(f.Granted.Granted, "action"), j.Policies[u.place].Name, f.Granted.Used, was(f.Granted.Used), j.watched(), listed(u.actions, 8)))
	case u.place >= 0:
		t := j.Policies[u.place]
		f.Title = "Policy of which nothing was used"
		why = append(why, fmt.Sprintf("Nothing of policy %s was used%s.", t.Name, j.watched()))
		if t.AWS && !j.AutoAWS {
			f.Start = dera.Review
		}
		if t.AWS {
			why = append(why, "It is a policy of AWS, which AWS widens: whoever attached it may count on that.")
		}
		if u.rare {
			f.Start = dera.Review
			why = append(why, "Some of it is for identities, recovery or incidents, which is rarely used.")
		}
	default:
		why = append(why, fmt.Sprintf("Of %s in %s, %d %s used%s; unused: %s.",
			counting(j.allowed, "action"), what, j.usedActions, was(j.usedActions), j.watched(), listed(u.actions, 8)))
		for _, i := range j.apart {
			why = append(why, fmt.Sprintf("Policy %s is not counted in these: it allows %s.", j.Policies[i].Name, breadth(j.docs[i])))
		}
	}
	switch u.key {
	case UnusedPassRoleKey:
		f.Title, f.Severity = "iam:PassRole that nothing used can use", dera.High
		if len(u.held) > 0 {
			f.Start = dera.Review
			why = append(why, "No event shows its use, and these stay, which can use it: "+listed(u.held, 5)+".")
		}
	case UnusedRareKey:
		f.Title, f.Severity, f.Start = "Permissions for recovery, incidents and deployments that nobody used", dera.Low, dera.Review
		why = append(why, "Such permissions are needed when something fails, or to repair it: only their owner knows.")
	case UnusedDoubtedKey:
		f.Title, f.Severity, f.Start = "Permissions that nobody used by the record, and of which AWS says otherwise", dera.Low, dera.Review
	case UnusedIdentityKey:
		f.Title, f.Severity, f.Start = "Permissions on identities that nobody used", dera.High, dera.Review
		why = append(why, "Whoever can change identities can give themselves everything; and they are rarely used.")
	}
	if doubts := j.doubts(u.actions); len(doubts) > 0 && !u.wide {
		f.Start = dera.Review
		why = append(why, "AWS sees it otherwise, or may: "+strings.Join(doubts[:min(5, len(doubts))], "; ")+".")
	}
	if j.NeedReported && (j.Reported == nil || len(j.Reported.Without) > 0) && !u.wide {
		f.Start = dera.Review
		why = append(why, "What AWS says of its use is not known, and permissions.reported_use requires it.")
	}
	if !u.wide {
		why = append(why, j.secondSource(u.actions)...)
	}
	if by := j.grantedBy(u); len(by) > 0 {
		why = append(why, "Some of it is still granted by "+listed(by, 5)+".")
	}
	if len(j.used.gaps) > 0 {
		f.Start = dera.Review
		why = append(why, "The record has gaps: "+strings.Join(j.used.whys, "; ")+".")
	}
	f.Why = strings.Join(why, " ")
	return f
}

// watched says by whom something was used, how many calls are recorded and since when,
// and of which days the record answers: calls from before these count as use too.
func (j *judged) watched() string {
	const whole, part = ", and all %sof the %d days to %s)", "; %snot all of the %d days to %s)"
	form, what := whole, ""
	switch {
	case len(j.used.gaps) > 0, slices.ContainsFunc(j.used.passing, func(kind string) bool { return kind != resource.GapOfDataEvents }):
		form = part
	case !j.used.data:
		what = "management events "
	}
	are := "are"
	if j.used.calls == 1 {
		are = "is"
	}
	return fmt.Sprintf(" by %s (%s %s recorded since %s", j.principals(), counting(int(j.used.calls), "call"), are, day(j.used.since)) +
		fmt.Sprintf(form, what, j.used.days(), day(j.used.to))
}

func (s *Subject) principals() string {
	if len(s.Principals) == 1 {
		return s.Principals[0].Name
	}
	return counting(len(s.Principals), "principal")
}

// counting writes a number of things: 1 action, 2 actions.
func counting(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return Grouped(uint64(n)) + " " + thing
}

func was(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// Grouped writes a number with commas, 16777216 as 16,777,216.
func Grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
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
