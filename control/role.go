package control

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource/role"
)

// ReaderPolicy allows what looking takes: the reads of the controls and for their guardrails, which regions
// there are, what AWS Config remediates automatically, what rules of EventBridge start, and who administers Security Hub.
func ReaderPolicy(controls []Control, partition, account string) (role.Policy, error) {
	actions := map[string]bool{
		"ec2:DescribeRegions": true, "config:DescribeConfigRules": true, "config:DescribeRemediationConfigurations": true,
		"events:ListRules": true, "events:ListTargetsByRule": true, "securityhub:GetAdministratorAccount": true,
	}
	for _, c := range controls {
		for _, a := range append(slices.Clone(c.Reads), c.GuardReads...) {
			actions[a] = true
		}
	}
	at := role.Where{Partition: partition, Account: account}
	p, err := role.For(slices.Sorted(maps.Keys(actions)), at)
	for _, in := range customOf(controls, partition, account) {
		p = p.LookCustom(in, at)
	}
	return p, err
}

// customOf are the custom fixes of the controls and their undos, in the account; empty is
// any.
func customOf(controls []Control, partition, account string) (out []dera.CustomInput) {
	r := dera.Resource{Partition: partition, Account: cmp.Or(account, "*")}
	for _, c := range controls {
		for _, f := range c.custom {
			if account != "" && f.Account != "" && !dera.MatchGlob(f.Account, account) {
				continue
			}
			for _, run := range []*CustomRun{&f.Run, f.Undo} {
				if run == nil {
					continue
				}
				in := run.of(r)
				in.Parameters, in.Seconds = nil, 0
				if !slices.ContainsFunc(out, func(o dera.CustomInput) bool { return reflect.DeepEqual(o, in) }) {
					out = append(out, in)
				}
			}
		}
	}
	return out
}

// RemediatorPolicy allows what acting takes on top of looking: the reads that
// settle and verify, and the declared writes, each on its own kind of resource, or a custom
// fix on that document or function alone.
func RemediatorPolicy(controls []Control, partition, account string) (role.Policy, error) {
	actions := map[string]bool{}
	for _, c := range controls {
		if len(c.Writes) == 0 && len(c.custom) == 0 {
			continue
		}
		for _, a := range append(slices.Clone(c.Reads), c.Writes...) {
			actions[a] = true
		}
	}
	at := role.Where{Partition: partition, Account: account}
	p, err := role.For(slices.Sorted(maps.Keys(actions)), at)
	for _, in := range customOf(controls, partition, account) {
		p = p.LookCustom(in, at).RunCustom(in, at)
	}
	return p, err
}
