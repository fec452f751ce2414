package iam

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/proof/check"
)

// answer is a verdict with its witness.
type answer struct {
	verdict dera.Verdict
	witness string
}

func proved() answer             { return answer{verdict: dera.Proved} }
func unproved(why string) answer { return answer{dera.Unknown, why} }

func claim(name, says string, a answer) dera.Claim {
	return dera.Claim{Name: name, Says: says, Verdict: a.verdict, Witness: a.witness}
}

// stated is a body as it is checked: what was judged before the plan, what the
// certificate must be about, and the certificate.
type stated struct {
	*Permissions
	before  *judged
	about   proof.Change
	removed []string // of the changed policies
	cert    *check.Certificate
	fault   string // why the certificate does not hold, or is about something else
}

// claims are what the body proves or refutes, and a request that was allowed and is not
// any more.
func (p *Permissions) claims() (claims []dera.Claim, denied string) {
	st := stated{Permissions: p}
	var err error
	if st.before, err = p.Before.judge(); err != nil {
		st.fault = err.Error()
	} else if st.about, _, err = p.change(st.before); err != nil {
		st.fault = err.Error()
	} else {
		st.removed = slices.Sorted(slices.Values(st.about.Removed))
		st.fault = st.hold()
	}
	says, gone := st.gone()
	counted := p.count()
	return []dera.Claim{
		claim("nothing_new", "no new permission is granted", st.certified()),
		claim("nothing_lost", "whatever was used, or has to stay for another reason, stays allowed: on every resource and under all circumstances", st.nothingLost()),
		claim("finding_gone", says, gone),
		claim("unused", st.saysUnused(), st.unused()),
		claim("recorded_calls", counted.says(), counted.answer()),
	}, st.denied()
}

// hold says why the certificate does not hold for just these policies and actions.
func (st *stated) hold() string {
	if st.Certificate == "" {
		return "not everything is proved, so that there is no certificate"
	}
	c, err := proof.Check([]byte(st.Certificate))
	switch {
	case err != nil:
		return "the certificate does not hold: " + err.Error()
	case len(c.Beside) > 0 || !about(c.Old, st.about.Old) || !about(c.New, st.about.New):
		return "the certificate is about other policies"
	case !slices.Equal(c.Removed, st.removed) || !slices.Equal(c.Kept, slices.Sorted(slices.Values(st.about.Kept))):
		return "the certificate is about other actions"
	}
	st.cert = c
	return ""
}

func about(texts []check.Document, docs []*policy.Document) bool {
	return slices.EqualFunc(texts, docs, func(s check.Document, d *policy.Document) bool { return s.Text == d.Text() })
}

func (st *stated) certified() answer {
	if st.fault != "" {
		return unproved(st.fault)
	}
	return proved()
}

// nothingLost: the certificate says that of all actions that are not removed nothing is
// lost; and none that was used is removed.
func (st *stated) nothingLost() answer {
	if st.fault != "" {
		return unproved(st.fault)
	}
	kept := setOf(st.cert.Kept)
	for _, a := range distinct(st.before.used.actions) {
		if granted(st.about.Old, a) == 1 && !kept[strings.ToLower(a)] {
			return answer{dera.Refuted, a + " was used and would be removed"}
		}
	}
	return proved()
}

// gone: each finding was there and is not any more, and what no other policy grants
// nobody has any more.
func (st *stated) gone() (says string, a answer) {
	says = "the findings are resolved"
	if st.fault != "" {
		return says, unproved(st.fault)
	}
	others, names := st.before.others(st.changed()...), st.othersNames()
	var still, by []string
	for _, action := range st.removed {
		granted := false
		for i, d := range others {
			if allows(d, action) {
				granted = true
				if !slices.Contains(by, names[i]) {
					by = append(by, names[i])
				}
			}
		}
		if granted {
			still = append(still, action)
		}
	}
	only := slices.DeleteFunc(slices.Clone(st.removed), func(a string) bool { return slices.Contains(still, a) })
	says = fmt.Sprintf("the findings are resolved: the policies lose %s (%s)", counting(len(st.removed), "action"), listed(st.removed, 8))
	if len(still) > 0 {
		slices.Sort(by)
		says += fmt.Sprintf("; other policies still grant %d of them: %s", len(still), listed(by, 5))
	}
	if len(st.Goals) == 0 {
		return says, unproved("no finding is named")
	}
	for i, d := range others {
		if len(only) == 0 {
			break
		}
		if err := check.Without([]*policy.Document{d}, only); err != nil {
			return says, unproved(fmt.Sprintf("policy %s may still grant it: %v", names[i], err))
		}
	}
	return says, st.resolved()
}

// othersNames are the names of the policies that the plan does not change.
func (st *stated) othersNames() (names []string) {
	for _, t := range st.Before.Beside {
		names = append(names, t.Name)
	}
	for i, t := range st.Before.Policies {
		if !slices.Contains(st.changed(), i) {
			names = append(names, t.Name)
		}
	}
	return names
}

// resolved judges the policies after the plan.
func (st *stated) resolved() answer {
	after := st.Before
	after.Policies = nil
	for i, t := range st.Before.Policies {
		if t.Document = st.After[i]; t.Document != "" {
			after.Policies = append(after.Policies, t)
		}
	}
	j, err := after.judge()
	if err != nil {
		return unproved(err.Error())
	}
	for _, key := range st.Goals {
		is := func(u unneeded) bool { return u.key == key }
		switch at := slices.IndexFunc(j.found, is); {
		case !slices.ContainsFunc(st.before.found, is):
			return unproved(fmt.Sprintf("there was no finding %q", key))
		case at >= 0:
			return answer{dera.Refuted, fmt.Sprintf("%s: %s", key, listed(j.found[at].actions, 5))}
		}
	}
	return proved()
}

// saysUnused says why absence means that nobody used it: documents and window.
func (st *stated) saysUnused() string {
	if st.cert == nil || st.cert.Unused == nil {
		return "what goes was not used"
	}
	type group struct {
		class, source string
	}
	count := map[group]int{}
	var order []group
	for _, r := range st.cert.Unused.Reasons {
		g := group{r.Class, r.Source}
		if count[g] == 0 {
			order = append(order, g)
		}
		count[g] += len(r.Actions)
	}
	var parts []string
	for _, g := range order {
		source := g.source
		if source == "" {
			source = "each call is a data event, which were recorded"
		}
		parts = append(parts, fmt.Sprintf("%s of class %s (%s)", counting(count[g], "action"), g.class, source))
	}
	return fmt.Sprintf("what goes was not used at any time that is recorded, and from %s to %s (%d days) its use would have been seen: %s",
		day(st.before.used.from), day(st.before.used.to), st.before.used.days(), strings.Join(parts, "; "))
}

// unused: the certificate says why, from just this record; what other policies allow
// that it is used with was not used either, else there would be no finding.
func (st *stated) unused() answer {
	switch {
	case st.fault != "":
		return unproved(st.fault)
	case len(st.before.used.gaps) > 0:
		return unproved("the record has gaps: " + strings.Join(st.before.used.whys, "; "))
	case st.about.Unused == nil:
		return unproved(fmt.Sprintf("use was watched for %d days, and what is for identities, recovery and incidents is used less often", st.before.used.days()))
	case st.cert.Unused == nil:
		return unproved("the independent checker does not follow why it was not used")
	}
	u, want := st.cert.Unused, st.about.Unused
	sorted := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
	if !slices.Equal(u.Used, sorted(want.Actions)) || !slices.Equal(u.Gaps, sorted(want.Gaps)) || !slices.Equal(u.Unclear, sorted(want.Unclear)) ||
		u.DataEvents != want.DataEvents || u.Days != st.before.used.days() {
		return unproved("the certificate goes by another record of use")
	}
	return proved()
}

// denied is the request of the certificate, unless another policy allows it still.
func (st *stated) denied() string {
	if st.fault != "" || st.cert.Witness == nil {
		return ""
	}
	w := st.cert.Witness
	if granted(st.before.others(st.changed()...), w.Action) == 1 {
		return ""
	}
	return w.Action + " on " + w.Resource
}
