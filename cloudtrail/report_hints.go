package cloudtrail

import (
	"slices"
	"strings"

	"dera.example/dera"
)

// Rules says which resource types to look at for what others find: by control of Security Hub,
// rule of CIS, type of GuardDuty or check of Prowler. A rule that ends with * is a prefix.
type Rules map[string][]string

// Reporting is the watch that also knows the rules of others.
func (w Watch) Reporting(rules Rules) Watch {
	w.rules = rules
	return w
}

// TypesOf are the types to look at for a rule; none for one that no control answers.
func (w Watch) TypesOf(rule string) []string {
	if types := w.rules[rule]; types != nil {
		return types
	}
	longest := ""
	for name := range w.rules {
		if prefix, ok := strings.CutSuffix(name, "*"); ok && strings.HasPrefix(rule, prefix) && len(name) > len(longest) {
			longest = name
		}
	}
	return w.rules[longest]
}

// accountType is the type of an account in Config and Security Hub.
const accountType = "AWS::::Account"

// HintsOfReport returns where to look because of a report: the resources that it names, by ID,
// with the types of the controls that answer its rule; all of such a type where it stands where
// a resource cannot be told by ID; and without a known rule, what of ours the resources are. A
// report about nothing of ours gives none.
func (w Watch) HintsOfReport(r Report) (out []dera.Scope) {
	add := func(s dera.Scope) {
		if !slices.ContainsFunc(out, func(o dera.Scope) bool { return o.Key() == s.Key() }) {
			out = append(out, s)
		}
	}
	types := w.TypesOf(r.Rule)
	answered := false
	var self []dera.Scope
	for _, x := range r.Resources {
		var ours []dera.Scope
		for _, l := range w.located {
			if s, ok := l.scope(r, x); ok {
				ours = append(ours, s)
			}
		}
		if r.Source == ReportConfig && x.Type != "" {
			for _, c := range w.config {
				if c.Type == x.Type && !slices.ContainsFunc(ours, func(s dera.Scope) bool { return s.Type == c.owner }) {
					ours = append(ours, c.Find(r.at(x), x.ID)...)
				}
			}
		}
		if len(types) == 0 && isAccount(x) {
			for _, c := range w.config {
				if c.Type == accountType {
					ours = append(ours, c.Find(r.at(x), r.Account)...)
				}
			}
		}
		if x.Self {
			self = append(self, ours...)
		}
		answering := slices.DeleteFunc(slices.Clone(ours), func(s dera.Scope) bool { return len(types) > 0 && !slices.Contains(types, s.Type) })
		for _, s := range answering {
			answered = true
			add(s)
		}
	}
	if answered {
		types = nil // nothing is looked for beside them
	}
	for _, x := range append(r.Resources[:len(r.Resources):len(r.Resources)], Reported{})[:max(1, len(r.Resources))] {
		w.sweeps(r, x, types, add)
	}
	for _, s := range self {
		add(s)
	}
	return out
}

// sweeps asks for all of the types where the resource is.
func (w Watch) sweeps(r Report, x Reported, types []string, add func(dera.Scope)) {
	for _, typ := range types {
		i := slices.IndexFunc(w.located, func(l Located) bool { return l.Type == typ })
		if i < 0 {
			continue
		}
		where := r.at(x)
		if w.located[i].Global {
			where.Region = dera.GlobalRegion
		}
		for _, s := range where.Sweep(typ) {
			add(s)
		}
	}
}

// at is where a resource of the report is.
func (r Report) at(x Reported) Record {
	account := first(x.ARN.Account(), r.Account)
	if dera.ValidAccountID(account) != nil {
		account = r.Account
	}
	where := x.ARN.Region()
	if !IsRegion(where) {
		where = first(x.Region, r.Region)
	}
	return Record{Partition: dera.PartitionOf(where).ID, Account: account, Region: where}
}

func isAccount(x Reported) bool {
	return x.Type == accountType || x.Type == "AwsAccount" || strings.HasPrefix(x.ID, accountType+":") || x.ARN.Service() == "iam" && x.ARN.Resource() == "root"
}

// Located is a resource type of which a resource can be told by its ARN.
type Located struct {
	Type   string
	Global bool
	// ID returns the ID of a resource of the type by its ARN.
	ID func(dera.ARN) (string, bool)
}

// scope is where to look for a resource that is one of the type, or by its type may be.
func (l Located) scope(r Report, x Reported) (dera.Scope, bool) {
	where := r.at(x)
	if l.Global {
		where.Region = dera.GlobalRegion
	}
	s := where.Sweep(l.Type)[0]
	if x.ARN != "" {
		if id, ok := l.ID(x.ARN); ok {
			if !unique(id) {
				s.IDs = []string{id}
			}
			return s, true
		}
	}
	if !sameType(l.Type, x.Type) {
		return s, false
	}
	if x.ARN == "" && x.ID != "" && x.ID == first(plainID(x.ID), " ") && !unique(x.ID) {
		s.IDs = []string{x.ID}
	}
	return s, true
}

// plainID is an ID that can be read as it is; a URL, an ARN or nonsense cannot.
func plainID(id string) string {
	if len(id) > 600 || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("*?\"'\\:/", c) }) {
		return ""
	}
	return id
}

// unique reports whether an ID is one that IAM gives beside the name, as Security Hub writes it
// in the ARNs of some findings: it names nobody that can be read.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func unique(id string) bool {
	if len(id) < 16 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return false
	}
	return slices.Contains([]string{"AIDA", "AROA", "AGPA", "ANPA"}, id[:4])
}

// sameType compares AWS::EC2::SecurityGroup with AwsEc2SecurityGroup.
func sameType(ours, theirs string) bool {
	return theirs != "" && strings.EqualFold(strings.ReplaceAll(ours, "::", ""), strings.ReplaceAll(theirs, "::", ""))
}
