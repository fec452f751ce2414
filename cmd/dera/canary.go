package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/evaluate"
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
	kind := canaryKind()
	bar := a.newProgress("canary")
	bar.Total(app.CanarySteps)
	report, err := app.Canary{
		Store: s.store, Kind: *kind, Groups: kind.New(client, c.Account, c.Region), Now: a.now, Wait: waitFor,
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

// canaryKind is the kind of canary that there is.
func canaryKind() *cloud.Canary {
	all := wires()
	return all[slices.IndexFunc(all, func(w cloud.Wire) bool { return w.Canary != nil })].Canary
}
