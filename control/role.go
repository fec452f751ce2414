package control

import (
	"maps"
	"slices"
	"strings"
)

// Statement is one statement of a generated IAM policy.
type Statement struct {
	Sid       string                       `json:"Sid"`
	Effect    string                       `json:"Effect"`
	Action    []string                     `json:"Action"`
	Resource  []string                     `json:"Resource"`
	Condition map[string]map[string]string `json:"Condition,omitempty"`
}

// Policy is a generated IAM policy document.
type Policy struct {
	Version   string      `json:"Version"`
	Statement []Statement `json:"Statement"`
}

// target is what an action may be allowed on, and under which condition. An
// action that is not here is one that AWS allows on * alone (Service
// Authorization Reference, Amazon EC2): every Describe and Get.
type target struct {
	sid       string
	resources []string // ARNs with PARTITION and ACCOUNT to fill in
	condition map[string]map[string]string
}

func targets() map[string]target {
	rules := "arn:PARTITION:ec2:*:ACCOUNT:security-group-rule/*"
	groups := "arn:PARTITION:ec2:*:ACCOUNT:security-group/*"
	// Bucket ARNs carry no account, so that the condition keeps to the account.
	buckets := target{sid: "ChangeWhoGetsInToBuckets", resources: []string{"arn:PARTITION:s3:::*"},
		condition: map[string]map[string]string{"StringEquals": {"aws:ResourceAccount": "ACCOUNT"}}}
	return map[string]target{
		"ec2:AuthorizeSecurityGroupIngress": {sid: "ChangeInboundRules", resources: []string{groups, rules}},
		"ec2:RevokeSecurityGroupIngress":    {sid: "ChangeInboundRules", resources: []string{groups, rules}},
		"ec2:CreateTags": {sid: "TagRulesAsTheyAreMade", resources: []string{rules},
			condition: map[string]map[string]string{"StringEquals": {"ec2:CreateAction": "AuthorizeSecurityGroupIngress"}}},
		"s3:PutBucketPolicy":             buckets,
		"s3:DeleteBucketPolicy":          buckets,
		"s3:PutBucketAcl":                buckets,
		"s3:PutBucketPublicAccessBlock":  buckets,
		"s3:PutAccountPublicAccessBlock": {sid: "BlockPublicAccessOfTheAccount", resources: []string{"*"}},
	}
}

// conditionFor is the condition with the account filled in; without an account
// there is none that names it.
func (t target) conditionFor(account string) map[string]map[string]string {
	if _, ok := t.condition["StringEquals"]["aws:ResourceAccount"]; !ok {
		return t.condition
	}
	if account == "*" {
		return nil
	}
	return map[string]map[string]string{"StringEquals": {"aws:ResourceAccount": account}}
}

// ReaderPolicy allows what looking takes: the reads of the controls, which regions
// there are, and what AWS Config remediates by itself.
func ReaderPolicy(controls []Control, partition, account string) Policy {
	actions := map[string]bool{"ec2:DescribeRegions": true, "config:DescribeConfigRules": true, "config:DescribeRemediationConfigurations": true}
	for _, c := range controls {
		for _, a := range c.Reads {
			actions[a] = true
		}
	}
	return generated(actions, partition, account)
}

// RemediatorPolicy allows what acting takes on top of looking: the reads that
// settle and verify, and the declared writes, each on its own kind of resource.
func RemediatorPolicy(controls []Control, partition, account string) Policy {
	actions := map[string]bool{}
	for _, c := range controls {
		if len(c.Writes) == 0 {
			continue
		}
		for _, a := range append(slices.Clone(c.Reads), c.Writes...) {
			actions[a] = true
		}
	}
	return generated(actions, partition, account)
}

// generated is a policy that allows the actions.
func generated(actions map[string]bool, partition, account string) Policy {
	p := Policy{Version: "2012-10-17"}
	if account == "" {
		account = "*"
	}
	fill := strings.NewReplacer("PARTITION", partition, "ACCOUNT", account)
	known := targets()
	at := map[string]int{}
	for _, a := range slices.Sorted(maps.Keys(actions)) {
		t, ok := known[a]
		if !ok {
			t = target{sid: "Look", resources: []string{"*"}}
		}
		i, ok := at[t.sid]
		if !ok {
			i = len(p.Statement)
			at[t.sid] = i
			s := Statement{Sid: t.sid, Effect: "Allow", Condition: t.conditionFor(account)}
			for _, r := range t.resources {
				s.Resource = append(s.Resource, fill.Replace(r))
			}
			p.Statement = append(p.Statement, s)
		}
		p.Statement[i].Action = append(p.Statement[i].Action, a)
	}
	return p
}

// Tagging returns the policy with what it takes to tag changed resources: only
// keys with dera's own prefix.
func (p Policy) Tagging(partition, account string) Policy {
	if account == "" {
		account = "*"
	}
	fill := strings.NewReplacer("PARTITION", partition, "ACCOUNT", account)
	buckets := targets()["s3:PutBucketPolicy"]
	p.Statement = append(slices.Clone(p.Statement),
		Statement{
			Sid: "TagChangedGroups", Effect: "Allow", Action: []string{"ec2:CreateTags", "ec2:DeleteTags"},
			Resource:  []string{fill.Replace("arn:PARTITION:ec2:*:ACCOUNT:security-group/*")},
			Condition: map[string]map[string]string{"ForAllValues:StringLike": {"aws:TagKeys": "dera:*"}},
		},
		Statement{
			Sid: "TagChangedBuckets", Effect: "Allow", Action: []string{"s3:PutBucketTagging"},
			Resource: []string{fill.Replace(buckets.resources[0])}, Condition: buckets.conditionFor(account),
		},
	)
	return p
}
