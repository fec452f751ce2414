package evaluate

import (
	"maps"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/netset"
)

// groupType is the type whose findings are all about traffic.
const groupType = "AWS::EC2::SecurityGroup"

// warnWide warns where entries, alone or together, exempt every resource of a type
// from every control of the type: detection is off for it then.
func (r *exemptionReader) warnWide(list []dera.Exemption) {
	for _, typ := range slices.Sorted(maps.Keys(r.cfg.Types)) {
		var by []dera.Exemption
		off := len(r.cfg.Types[typ]) > 0
		for _, control := range r.cfg.Types[typ] {
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
			strings.Join(ids, ", ")+verb+" every "+typ+" from all of its controls: nothing about them is decided any more; narrow it to resources or accounts"))
	}
}

// coversType reports whether a match leaves out no resource of the type, whatever
// its account, region, name and tags. It is tried on a few ARNs that have nothing
// in common.
func coversType(m dera.ExemptionMatch, typ string) bool {
	all := func(field []string) bool { return len(field) == 0 || slices.ContainsFunc(field, matchesAll) }
	keys := all(m.Keys) || typ == groupType && slices.Contains(m.Keys, allTraffic)
	if len(m.Tags) > 0 || len(m.Permissions) > 0 || !all(m.Accounts) || !all(m.OUs) || !keys {
		return false
	}
	if sources, _ := addrs(m.Sources); len(m.Sources) > 0 && !netset.Public().Subset(sources) {
		return false
	}
	if len(m.Resources) == 0 {
		return true
	}
	for _, arn := range samples[typ] {
		if !slices.ContainsFunc(m.Resources, func(p string) bool { return matchARN(p, arn) }) {
			return false
		}
	}
	return len(samples[typ]) > 0
}

// EveryOf returns the types of which globs on ARNs leave out no resource.
func EveryOf(globs []string) (types []string) {
	for _, typ := range slices.Sorted(maps.Keys(samples)) {
		if !slices.ContainsFunc(samples[typ], func(arn dera.ARN) bool {
			return !slices.ContainsFunc(globs, func(g string) bool { return dera.MatchGlob(g, string(arn)) })
		}) {
			types = append(types, typ)
		}
	}
	return types
}

// samples are ARNs of each type that share no more than all of its ARNs do.
var samples = map[string][]dera.ARN{
	groupType: {
		"arn:aws:ec2:us-east-1:111122223333:security-group/sg-0123456789abcdef0", "arn:aws:ec2:eu-west-3:987654321098:security-group/sg-fedcba98",
		"arn:aws:ec2:ap-south-1:000000000042:security-group/sg-7e57ab1e7e57ab1e7",
	},
	"AWS::S3::Bucket":                   {"arn:aws:s3:::a1b", "arn:aws:s3:::logs.example.com", "arn:aws:s3:::zz-quite-another-name-9"},
	"AWS::S3::AccountPublicAccessBlock": {"arn:aws:s3::111122223333:public-access-block/111122223333", "arn:aws:s3::987654321098:public-access-block/987654321098"},
}
