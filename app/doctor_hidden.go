package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// hidden says what nobody is shown: findings from own networks, and those that an
// exemption covers.
func (x *examination) hidden(ctx context.Context) error {
	byAccount, err := x.Store.Hidden(ctx)
	if err != nil {
		return err
	}
	for _, account := range slices.Sorted(maps.Keys(byAccount)) {
		if n := byAccount[account]; n > 0 {
			x.account = account
			x.says("network.allow", account, Healthy, fmt.Sprintf("its networks hid %d findings at the last sweep", n), "")
		}
	}
	x.account = ""
	findings, err := x.Store.Findings(ctx)
	if err != nil {
		return err
	}
	if by := ExemptBy(findings); len(by) > 0 {
		x.says("exemptions", "findings", Healthy, "hidden: "+strings.Join(by, ", "), "")
	}
	return nil
}

// sessions looks whether dera reads and writes in an account as itself, and
// reports whether it reads there.
func (x *examination) sessions(ctx context.Context, account string) bool {
	const fix = "let dera's own identity assume it (trust policy, external ID), or correct the entry of the account in the configuration"
	id, err := x.Cloud.Session(ctx, account, false)
	if err != nil {
		x.says("session", account, Broken, plainCause(err), fix)
		return false
	}
	x.says("session", account, Healthy, "dera reads as "+id.ARN, "")
	for _, a := range x.Accounts {
		if a.ID != account || a.WriteRoleARN == "" {
			continue
		}
		if id, err = x.Cloud.Session(ctx, account, true); err == nil {
			x.says("session", account+" write", Healthy, "dera writes as "+id.ARN, "")
			continue
		}
		h := Broken
		if !x.Enforces {
			h = ToDo // nothing is written yet
		}
		x.says("session", account+" write", h, plainCause(err), fix)
	}
	return true
}
