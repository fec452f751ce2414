package iam

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/scope"
)

// unneeded is one group of permissions that nobody used: those of a class, or all of a
// policy that goes whole.
type unneeded struct {
	key     string
	actions []string // that go, sorted
	// held is what an action may be used with, which keeps it here; nothing of it goes
	// then.
	held []string
	// rare says that some of it is for recovery, incidents or identities.
	rare bool
	// place is that of the policy that goes whole, or -1.
	place int
	// kept is what stays in a copy of that policy, which takes its place; none where
	// nothing does. broad are the services that it has as a whole for want of room, and
	// full says why there is no space for it.
	kept, broad []string
	full        string
	// wide says that the policy allows more than a list can name.
	wide bool
	// on says of actions that stay what they were used on, for the finding on resources.
	on []string
}

// judged is what of the policies nobody used.
type judged struct {
	*Subject
	used                 *used
	base                 scope.Input
	classed              map[string]int       // class, of actions that were asked for
	whys                 map[string]string    // otherwise, of actions that were asked for
	tried                map[string]time.Time // what was attempted: actions, and services with a colon
	docs                 []*policy.Document   // of Policies
	beside               []*policy.Document
	found                []unneeded
	spare                map[string]bool // what of the narrowed policies can go although the others stay
	allowed, usedActions int             // how many actions the narrowed policies allow, and of these someone used
	// refused says why some policy is not narrowed; apart are the places of those that
	// allow more than a list can name.
	refused string
	apart   []int
	// nothing says that nobody used anything of the policies that are narrowed, and that
	// nothing would be left of them, no denial either.
	nothing bool
}

// errNoWindow: the record is about no time at all.
var errNoWindow = errors.New("the record of use is about no time")

// judge finds what nobody used. The error says what is not known.
func (s *Subject) judge() (*judged, error) {
	j, err := s.read()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(j.wholes(), j.copies()); err != nil {
		return nil, err
	}
	if err := j.narrowed(); err != nil {
		return nil, err
	}
	if j.NarrowResources {
		j.located()
	}
	return j, nil
}

// read reads the policies and the record of use.
func (s *Subject) read() (*judged, error) {
	j := &judged{Subject: s, used: s.record(), classed: map[string]int{}, whys: map[string]string{}}
	if len(s.Principals) > 0 && j.used.window() <= 0 {
		return nil, errNoWindow
	}
	var errs [2]error
	j.docs, errs[0] = parsed(s.Policies)
	j.beside, errs[1] = parsed(s.Beside)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return j, j.prepare()
}

// class is the class of an action, asked once.
func (j *judged) class(action string) int {
	c, ok := j.classed[action]
	if !ok {
		switch c = classOf(action); {
		case j.isStaged(action):
			c = graded
		case j.otherwise(action) != "":
			c = doubted
		}
		j.classed[action] = c
	}
	return c
}

// prepare looks the record of use through, once for all questions.
func (j *judged) prepare() error {
	in := scope.Input{Usage: []scope.Usage{j.used.usage()}, Keep: j.Needed, Window: j.used.window(), Period: j.used.window()}
	if j.used.data {
		in.DataEvents = func(string) bool { return true }
	}
	in, refused, err := in.Prepared()
	if err == nil && refused != "" {
		err = errors.New(refused)
	}
	j.base = in
	return err
}

// input is what policies are narrowed by.
func (j *judged) input(hold func(string) string, beside []*policy.Document) scope.Input {
	in := j.base
	in.Hold, in.Beside = hold, beside
	return in
}

// narrowing are the policies that are narrowed, with their places.
func (j *judged) narrowing() (docs []*policy.Document, places []int) {
	for i, d := range j.docs {
		if j.Policies[i].Whole == "" && narrowable(d) {
			docs, places = append(docs, d), append(places, i)
		}
	}
	return docs, places
}

// others are all policies but those at the places.
func (j *judged) others(places ...int) []*policy.Document {
	out := slices.Clone(j.beside)
	for i, d := range j.docs {
		if !slices.Contains(places, i) {
			out = append(out, d)
		}
	}
	return out
}

// free are the actions of some policies that can go although the others stay, of those
// that go where there are no others. What the others allow and nobody used holds nothing
// but iam:PassRole: else two policies could each stay for the sake of the other.
func (j *judged) free(alone *scope.Choice, docs, others []*policy.Document) (map[string]bool, error) {
	if len(alone.Gone) == 0 {
		return nil, nil
	}
	out := setOf(alone.Gone)
	var pot, rest []*policy.Document
	for _, d := range others {
		if narrowable(d) && !everything(d) {
			pot = append(pot, d)
		} else {
			rest = append(rest, d)
		}
	}
	if with := related(alone.Gone, pot); with != nil || len(rest) > 0 {
		all := slices.Clone(docs)
		if with != nil {
			all = append(all, with)
		}
		goes, err := scope.Goes(j.input(nil, rest), all...)
		if err != nil {
			return nil, err
		}
		maps.DeleteFunc(out, func(a string, _ bool) bool { return !goes(a) })
	}
	if out[passRole] && len(others) > 0 {
		goes, err := scope.Goes(j.input(nil, others), docs...)
		if err != nil {
			return nil, err
		}
		if !goes(passRole) {
			delete(out, passRole)
		}
	}
	return out, nil
}

// passRole is catalog.PassRole in lower case.
const passRole = "iam:passrole"

func setOf(actions []string) map[string]bool {
	out := make(map[string]bool, len(actions))
	for _, a := range actions {
		out[strings.ToLower(a)] = true
	}
	return out
}

// notIn holds all but some actions.
func notIn(some map[string]bool, but func(string) bool) func(string) string {
	return func(a string) string {
		if !some[strings.ToLower(a)] || but != nil && but(a) {
			return "it is not what the plan is about"
		}
		return ""
	}
}

// wholes finds the policies that go whole: nobody used anything of them that must stay.
func (j *judged) wholes() error {
	used := sync.OnceValue(func() map[string][]string { return byService(j.used.actions) })
	for i, t := range j.Policies {
		if t.Whole == "" {
			continue
		}
		if everything(j.docs[i]) || !narrowable(j.docs[i]) {
			j.found = append(j.found, unneeded{key: t.Whole, place: i, wide: true})
			continue
		}
		if grants(j.docs[i], used()) {
			continue // what was used is kept
		}
		c, err := scope.Choose(j.input(nil, nil), j.docs[i])
		if err != nil {
			return err
		}
		if len(c.Kept) > 0 {
			continue
		}
		free, err := j.free(c, j.docs[i:i+1], j.others(i))
		if err != nil {
			return err
		}
		if len(free) < len(c.Gone) {
			c, err = scope.Choose(j.input(notIn(free, nil), nil), j.docs[i])
		}
		if err != nil || len(c.Gone) == 0 || len(c.Kept) > 0 {
			if err != nil {
				return err
			}
			continue
		}
		left, err := c.Documents()
		if err != nil {
			return err
		}
		if left[0] == nil {
			rare := rarely(c.Gone)
			j.found = append(j.found, unneeded{key: t.Whole, actions: c.Gone, rare: rare, place: i})
		}
	}
	return nil
}

// narrowed finds what nobody used of the policies that are narrowed, class by class:
// what goes only with a later class belongs to that.
func (j *judged) narrowed() error {
	docs, places := j.narrowing()
	if len(docs) < len(j.docs) {
		for i, d := range j.docs {
			if j.Policies[i].Whole == "" && !narrowable(d) {
				j.apart = append(j.apart, i)
				j.refused = fmt.Sprintf("policy %s allows %s: a person must say what it is for", j.Policies[i].Name, breadth(d))
			}
		}
	}
	if len(docs) == 0 {
		return nil
	}
	others := j.others(places...)
	choose := func(hold func(string) string) (*scope.Choice, error) {
		in := j.input(hold, nil)
		in.Limit = j.Limit
		return scope.Choose(in, docs...)
	}
	all, err := choose(nil)
	if err != nil {
		return err
	}
	free, err := j.free(all, docs, others)
	if err != nil {
		return err
	}
	j.spare = free
	if len(free) < len(all.Gone) {
		if all, err = choose(notIn(free, nil)); err != nil {
			return err
		}
	}
	if all.Refused != "" {
		j.refused = all.Refused
		return nil
	}
	if len(all.Gone) == 0 && len(all.Broad) > 0 {
		j.refused = fmt.Sprintf("the policies allow so much that a list of what stays does not fit: %s are kept as a whole, whatever was used", counting(len(all.Broad), "service"))
		return nil
	}
	j.allowed = len(all.Gone) + len(all.Kept)
	if len(all.Gone) > 0 && len(all.Kept) == 0 {
		left, err := all.Documents()
		if err != nil {
			return err
		}
		j.nothing = !slices.ContainsFunc(left, func(d *policy.Document) bool { return d != nil })
	}
	var present []int
	for class := range classes() {
		if class == 0 || slices.ContainsFunc(all.Gone, func(a string) bool { return j.class(a) == class }) {
			present = append(present, class)
		}
	}
	var before map[string]bool
	for n, class := range present {
		c := all // with the last class all of it goes
		if n < len(present)-1 {
			if c, err = choose(notIn(free, func(a string) bool { return j.class(a) > class })); err != nil {
				return err
			}
		}
		u := unneeded{key: classes()[class], place: -1}
		for _, a := range c.Gone {
			if !before[strings.ToLower(a)] {
				u.actions = append(u.actions, a)
			}
		}
		before = setOf(c.Gone)
		u.rare = rarely(u.actions)
		if len(u.actions) > 0 && (class != graded || j.Due) {
			j.found = append(j.found, u)
		}
	}
	return j.passRole(all, docs, others)
}

// passRole settles iam:PassRole, whose use no event shows: it is a finding of its own
// where only what nobody used can use it, and none where something that was used can.
func (j *judged) passRole(all *scope.Choice, docs, others []*policy.Document) error {
	is := func(a string) bool { return j.class(a) == 1 }
	for i, u := range j.found {
		at := slices.IndexFunc(u.actions, is)
		if u.place >= 0 || at < 0 || u.key == UnusedPassRoleKey {
			continue
		}
		// It goes only where what may be needed, though rarely, goes too.
		j.found[i].actions = slices.Delete(slices.Clone(u.actions), at, at+1)
		in := j.input(func(a string) string {
			if j.class(a) > 1 {
				return "it may be needed"
			}
			return ""
		}, others)
		c, err := scope.Choose(in, docs...)
		if err != nil {
			return err
		}
		_, stay := c.With(catalog.PassRole)
		j.found = append(j.found, unneeded{key: UnusedPassRoleKey, actions: []string{catalog.PassRole}, held: stay, place: -1})
		return nil
	}
	if !slices.ContainsFunc(all.Kept, is) || slices.ContainsFunc(j.used.actions, is) ||
		slices.ContainsFunc(j.Needed, func(e string) bool { return catalog.MatchAction(e, catalog.PassRole) }) {
		return nil
	}
	// What is held for want of room or by doubt about the service is no finding.
	c, err := scope.Choose(j.input(nil, others), docs...)
	if err != nil {
		return err
	}
	used, stay := c.With(catalog.PassRole)
	if len(used) == 0 && len(stay) > 0 && len(all.Broad) == 0 && !slices.Contains(prefixes(j.used.unclear), "iam") {
		j.found = append(j.found, unneeded{key: UnusedPassRoleKey, actions: []string{catalog.PassRole}, held: stay, place: -1})
	}
	return nil
}
