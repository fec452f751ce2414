package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/evaluate"
	"dera.example/dera/resource/role"
	sgwire "dera.example/dera/services/ec2/securitygroup/wire"
)

// canary runs the canary of dera doctor.
func (a *cli) canary(ctx context.Context) (err error) {
	if _, err := loadConfig(a.flags.config); err != nil {
		return a.named("config", err)
	}
	began, s, err := a.openToExamine(ctx)
	if err != nil {
		return err
	}
	if s == nil {
		return usage("--canary: %s: %s; a canary needs the data of dera run, in which it records what it does", began[0].Says, began[0].Fix)
	}
	defer func() { err = errors.Join(err, s.end(ctx)) }()
	if err := s.recall(ctx, false); err != nil {
		return err
	}
	c := s.config.Canary
	if c == (canaryConfig{}) {
		return usage("--canary: the configuration names no test account: set canary.account, region and role_arn (docs/operations.md)")
	}
	client, err := cloud.New(ctx, cloud.Config{
		Wires: wires(), Region: c.Region, Accounts: []cloud.Account{{ID: c.Account, RoleARN: c.Role, ExternalID: c.ExternalID}}, Now: a.now,
		Timeout: 20 * time.Second, Profile: a.flags.profile, SessionName: "dera-canary", Observe: calls(a.askedLog()),
	})
	if err != nil {
		return orProfile(err)
	}
	who, err := client.Identity(ctx)
	if err != nil {
		return fmt.Errorf("identify the AWS caller: %w", err)
	}
	if evaluate.Principal(who.ARN) == c.Role {
		return usage("--canary: canary.role_arn is the role of dera itself, %s; the canary needs one of its own", c.Role)
	}
	bar := a.newProgress("canary")
	bar.Total(app.CanarySteps)
	report, err := app.Canary{
		Store: s.store, Groups: sgwire.NewCanary(client, c.Account, c.Region), Now: a.now, Wait: waitFor,
		Actor: dera.Actor{Name: who.ARN, How: "sts"}, Run: strings.ToLower(rand.Text()[:12]),
		Account: c.Account, Region: c.Region, VPC: c.VPC, Progress: bar.Step,
	}.Examine(ctx)
	bar.end()
	if err != nil {
		return err
	}
	if a.json() {
		if err := a.printJSON(report); err != nil {
			return err
		}
	} else {
		a.printDoctor(report)
	}
	return doctorExit(report)
}

// canaryPolicy is what the role of the canary needs: to make groups that carry its tag, and to change and
// delete these.
func canaryPolicy(partition, account string) role.Policy {
	arn := func(kind string) []string {
		owner := account
		if owner == "" {
			owner = "*"
		}
		return []string{string(dera.NewARN(partition, "ec2", "*", owner, kind+"/*"))}
	}
	const tag = sgwire.CanaryTag
	return role.Policy{Version: "2012-10-17", Statement: []role.Statement{
		{Sid: "LookAtCanaries", Effect: "Allow", Action: []string{"ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups"}, Resource: []string{"*"}},
		{Sid: "MakeCanary", Effect: "Allow", Action: []string{"ec2:CreateSecurityGroup"}, Resource: arn("security-group"), Condition: map[string]map[string]string{"StringLike": {"aws:RequestTag/" + tag: "*"}}},
		{Sid: "MakeCanaryInVpc", Effect: "Allow", Action: []string{"ec2:CreateSecurityGroup"}, Resource: arn("vpc")},
		{Sid: "TagCanary", Effect: "Allow", Action: []string{"ec2:CreateTags"}, Resource: arn("security-group"), Condition: map[string]map[string]string{"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}}},
		{Sid: "ChangeCanary", Effect: "Allow", Action: []string{"ec2:AuthorizeSecurityGroupIngress", "ec2:DeleteSecurityGroup", "ec2:RevokeSecurityGroupIngress"}, Resource: arn("security-group"), Condition: map[string]map[string]string{"StringLike": {"aws:ResourceTag/" + tag: "*"}}},
	}}
}
