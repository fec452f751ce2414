package evaluate

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/netset"
	"dera.example/dera/resource"
)

// warnWide warns where entries, alone or together, exempt every resource of a type
// from every control of the type: detection is off for it then.
func (r *exemptionReader) warnWide(list []dera.Exemption) {
	for _, typ := range r.cfg.Types.Types() {
		var by []dera.Exemption
		off := len(r.cfg.On[typ.Name]) > 0
		for _, control := range r.cfg.On[typ.Name] {
			i := slices.IndexFunc(list, func(x dera.Exemption) bool {
				return !lapsed(x, r.cfg.Now) && matchesAny(x.Match.Controls, control) && coversType(x.Match, typ)
			})
			if off = off && i >= 0; !off {
				break
			}
			if !slices.ContainsFunc(by, func(x dera.Exemption) bool { return x.ID == list[i].ID }) {
				by = append(by, list[i])
			}
		}
		if !off {
			continue
		}
		var ids []string
		for _, x := range by {
			ids = append(ids, x.ID)
		}
		verb := " exempts"
		if len(ids) > 1 {
			verb = " together exempt"
		}
		r.warnings = append(r.warnings, r.at(by[len(by)-1].Position.Line, 1,
			strings.Join(ids, ", ")+verb+" every "+typ.Name+" from all of its controls: nothing about them is decided any more; narrow it to resources or accounts"))
	}
}

// coversType reports whether a match leaves out no resource of the type, whatever
// its account, region, name and tags. It is tried on a few ARNs that have nothing
// in common.
func coversType(m dera.ExemptionMatch, typ resource.Type) bool {
	all := func(field []string) bool { return len(field) == 0 || slices.ContainsFunc(field, matchesAll) }
	keys := all(m.Keys) || typ.KeyOfAll != "" && slices.Contains(m.Keys, typ.KeyOfAll)
	if len(m.Tags) > 0 || len(m.Permissions) > 0 || !all(m.Accounts) || !all(m.OUs) || !keys {
		return false
	}
	if sources, _ := addrs(m.Sources); len(m.Sources) > 0 && !netset.Public().Subset(sources) {
		return false
	}
	if len(m.Resources) == 0 {
		return true
	}
	return !slices.ContainsFunc(samples(typ), func(arn dera.ARN) bool {
		return !slices.ContainsFunc(m.Resources, func(p string) bool { return dera.MatchARN(p, arn) })
	})
}

// EveryOf returns the names of the types of which globs on ARNs leave out no
// resource.
func EveryOf(types resource.Registry, globs []string) (names []string) {
	for _, typ := range types.Types() {
		if !slices.ContainsFunc(samples(typ), func(arn dera.ARN) bool {
			return !slices.ContainsFunc(globs, func(g string) bool { return dera.MatchGlob(g, string(arn)) })
		}) {
			names = append(names, typ.Name)
		}
	}
	slices.Sort(names)
	return names
}

// samples are ARNs of a type that share no more than all of its ARNs do.
func samples(typ resource.Type) (out []dera.ARN) {
	accounts, regions := []string{"111122223333", "987654321098", "000000000042"}, []string{"us-east-1", "eu-west-3", "ap-south-1"}
	for i, id := range typ.SampleIDs {
		out = append(out, typ.ARN("aws", accounts[i%3], regions[i%3], id))
	}
	if typ.Global && len(typ.SampleIDs) == 0 {
		for _, account := range accounts {
			out = append(out, typ.ARN("aws", account, dera.GlobalRegion, account))
		}
	}
	return out
}
