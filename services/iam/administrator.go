package iam

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
)

// The keys of findings on policies that allow whole services of AWS.
const (
	AdministratorKey = "administrator"
	MostKey          = "most-services"
	ServicesKey      = "whole-services"
)

// Granting is one that policies give permissions to.
type Granting struct {
	// Whole is what is judged for every service, and Listed are those of them that are judged
	// for single services too: what AWS publishes, and what belongs to another resource, is not.
	Whole, Listed []Text
	// Boundary is the permissions boundary, "" for none.
	Boundary string
	// Group finds the group by which a policy of that name comes, or is nil.
	Group func(name string) string
	// Made says who else decides about the policies, or "".
	Made string
	// What it is, and who gets its permissions where nobody does by now.
	What, Nobody string
}

// Granting are the policies of an identity, without those of groups.
func (i *Identity) Granting(k Kind) Granting {
	g := Granting{What: k.Title()}
	for _, p := range i.Inline {
		t := Text{Name: InlineName("", p.Name), Document: p.Document}
		g.Whole, g.Listed = append(g.Whole, t), append(g.Listed, t)
	}
	for _, p := range i.Attached {
		g.Whole = append(g.Whole, Text{Name: "policy " + strings.TrimPrefix(dera.ARN(p.ARN).Resource(), "policy/"), Document: p.Document})
	}
	if i.Boundary != nil {
		g.Boundary = i.Boundary.Document
	}
	return g
}

// Administrator finds what allows everything, nearly everything, or all of a service.
func (g Granting) Administrator() control.Result {
	for _, list := range [][]Text{g.Whole, g.Listed} { // whatever order they were listed in
		slices.SortFunc(list, func(a, b Text) int { return strings.Compare(a.Name, b.Name) })
	}
	all, err := g.power(g.Whole)
	if err != nil {
		return unknown(err)
	}
	listed, err := g.power(g.Listed)
	if err != nil {
		return unknown(err)
	}
	var f control.Failure
	texts := g.Whole
	switch {
	case all.Everything():
		f = control.Failure{Key: AdministratorKey, Severity: dera.High, Title: g.What + " is an administrator"}
		if g.What == "Policy" {
			f.Title = "Policy makes whoever has it an administrator"
		}
	case all.Rest:
		f = control.Failure{Key: MostKey, Severity: dera.Medium, Title: g.What + " allows nearly everything"}
	case all.Identities():
		all.Services, all.Limited = []string{"iam"}, all.LimitedIdentities
		f = control.Failure{Key: AdministratorKey, Severity: dera.High, Title: g.What + " may do everything with identities"}
	case !listed.None():
		all, texts = listed, g.Listed
		f = control.Failure{Key: ServicesKey, Severity: dera.Low, Title: g.What + " allows every action of a service of AWS"}
	default:
		return control.Result{Outcome: control.Pass}
	}
	if all.Rest && all.Identities() && f.Severity != dera.High {
		f.Severity = dera.High
		f.Title += ", IAM among them"
	}
	if all.LimitedIdentities && f.Severity == dera.High {
		f.Severity = dera.Medium
	}
	by, groups := g.by(all, texts)
	f.Start = dera.Review
	f.Why = fmt.Sprintf("%s allow%s %s.", strings.Join(by, " and "), map[bool]string{true: "s", false: ", taken together,"}[len(by) == 1], all.says())
	if all.Identities() && !all.Everything() {
		f.Why += " Who may do everything with identities can give itself every other permission."
	}
	lower := func(why string) { f.Start, f.Why = dera.Alert, f.Why+" "+why }
	if g.Made != "" {
		lower("It is not changed here: " + g.Made + ".")
	}
	if len(groups) > 0 {
		lower("That comes by the group " + strings.Join(groups, ", ") + ", which is to be changed, or left.")
	}
	if g.Nobody != "" {
		lower(g.Nobody)
	}
	return control.Result{Outcome: control.Fail, Failures: []control.Failure{f}}
}

// power is what some policies allow together, within the boundary; what the others deny is
// denied.
func (g Granting) power(texts []Text) (Power, error) {
	sets := make([][]*policy.Document, 1, 2)
	all, err := parsed(g.Whole)
	if err != nil {
		return Power{}, err
	}
	for i, d := range all {
		if !slices.Contains(texts, g.Whole[i]) {
			d = &policy.Document{Version: d.Version, Statements: slices.DeleteFunc(slices.Clone(d.Statements), func(st policy.Statement) bool { return st.Effect == policy.Allow })}
		}
		sets[0] = append(sets[0], d)
	}
	if g.Boundary != "" {
		within, err := parsed([]Text{{Name: "permissions boundary", Document: g.Boundary}})
		if err != nil {
			return Power{}, err
		}
		sets = append(sets, within)
	}
	return PowerOf(sets...), nil
}

// by names the policies each of which is enough for a power, or else those that together
// are, and the groups by which they come where none comes otherwise.
func (g Granting) by(all Power, texts []Text) (names, groups []string) {
	same := func(texts ...Text) bool {
		p, err := g.power(texts)
		return err == nil && p.Rest == all.Rest && len(p.But) <= len(all.But) && !slices.ContainsFunc(all.Services, func(s string) bool { return !slices.Contains(p.Services, s) })
	}
	var by []Text
	for _, t := range texts {
		if same(t) {
			by = append(by, t)
		}
	}
	if len(by) == 0 {
		by = texts
		for _, t := range texts {
			if rest := slices.DeleteFunc(slices.Clone(by), func(o Text) bool { return o == t }); same(rest...) {
				by = rest
			}
		}
	}
	for _, t := range by {
		names = append(names, strings.ToUpper(t.Name[:1])+t.Name[1:])
		if g.Group != nil {
			groups = append(groups, g.Group(t.Name))
		}
	}
	if slices.Contains(groups, "") {
		return names, nil
	}
	slices.Sort(groups)
	return names, slices.Compact(groups)
}

// AdministratorMeta is the literal of the controls on administrators.
func AdministratorMeta(typ, name, title string, reads []string) control.Meta {
	return control.Meta{
		ID:       "iam-" + name + "-administrator",
		Title:    title,
		Type:     typ,
		Severity: dera.High,
		Why: "Whoever gets hold of credentials that may do everything has the account. Such permissions are given for a start and stay, and nobody misses " +
			"them until they are used by somebody else.",
		Fix: "A person gives the permissions that are needed in their place. dera policy scope makes a policy of what was used; iam-" + name + "-unused-permissions lists what was not. " +
			"Who has to be an administrator gets an exemption with an owner, or is named among break_glass.",
		Complexity: "high",
		Cases: []control.Case{
			{When: "every action is allowed on every resource, however the policies say it: by wildcards, by NotAction, by statements or policies that together give all", Disposition: dera.Review, Because: "whether it is meant, and what takes its place, a person must say"},
			{When: "every action is allowed but for those of some services", Disposition: dera.Review, Because: "what is not in the list is allowed, also what AWS adds tomorrow"},
			{When: "every action of IAM is allowed on every resource", Disposition: dera.Review, Because: "who may change permissions has all of them"},
			{When: "an inline or customer managed policy allows every action of a service on every resource", Disposition: dera.Review, Because: "it allows what AWS adds to the service tomorrow"},
			{When: "nobody has the policy, it comes by a group, or another service of AWS decides about it", Disposition: dera.Alert, Because: "there is nothing to change here"},
		},
		Refs: []control.Ref{
			CIS("1.15"), CIS7("2.14"), SecurityHub("IAM.1, IAM.21"), ConfigRule("IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS, IAM_POLICY_NO_STATEMENTS_WITH_FULL_ACCESS"),
			NIST("AC-2, AC-3, AC-6, AC-6(3)"), PCI("7.2.1, 7.2.2"),
		},
		Reads:    reads,
		ByHand:   true,
		Owner:    "dera maintainers",
		ReviewBy: "2027-11-01",
	}
}

// AdministratorByHand is why there is no plan.
func AdministratorByHand() *control.Refusal {
	return &control.Refusal{Code: "by-hand", Why: "what is to be allowed in place of everything only its owner knows"}
}
