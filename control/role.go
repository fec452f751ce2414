package control

import (
	"maps"
	"slices"

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
	return role.For(slices.Sorted(maps.Keys(actions)), role.Where{Partition: partition, Account: account})
}

// RemediatorPolicy allows what acting takes on top of looking: the reads that
// settle and verify, and the declared writes, each on its own kind of resource.
func RemediatorPolicy(controls []Control, partition, account string) (role.Policy, error) {
	actions := map[string]bool{}
	for _, c := range controls {
		if len(c.Writes) == 0 {
			continue
		}
		for _, a := range append(slices.Clone(c.Reads), c.Writes...) {
			actions[a] = true
		}
	}
	return role.For(slices.Sorted(maps.Keys(actions)), role.Where{Partition: partition, Account: account})
}
