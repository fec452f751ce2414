package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/evaluate"
)

// hidden says what nobody is shown: findings from own networks, and those that an
// exemption covers.
func (x *examination) hidden(ctx context.Context) error {
	byAccount, err := x.session.store.Hidden(ctx)
	if err != nil {
		return err
	}
	for _, account := range slices.Sorted(maps.Keys(byAccount)) {
		if n := byAccount[account]; n > 0 {
			x.account = account
			x.says("network.allow", account, healthy, fmt.Sprintf("its networks hid %d findings at the last look at everything", n), "")
		}
	}
	x.account = ""
	findings, err := x.session.store.Findings(ctx)
	if err != nil {
		return err
	}
	if by := exemptBy(findings); len(by) > 0 {
		x.says("exemptions", "findings", healthy, "hidden: "+strings.Join(by, ", "), "")
	}
	return nil
}

// exemptBy counts the findings that are left open on purpose by what covers them,
// the most first.
func exemptBy(findings []dera.Finding) []string {
	counts := map[string]int{}
	for _, f := range findings {
		if f.State == dera.FindingResolved || f.Disposition != dera.Exempt {
			continue
		}
		by := "break-glass"
		for _, r := range f.Reasons {
			if r.Guardrail == (*evaluate.Exempted)(nil).Name() && r.Disposition == dera.Exempt {
				by, _, _ = strings.Cut(r.Ref, "@")
			}
		}
		counts[by]++
	}
	var out []string
	for _, by := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) }) {
		out = append(out, fmt.Sprintf("%d by %s", counts[by], by))
	}
	return out
}

// sessions looks whether dera reads and writes in an account as itself, and
// reports whether it reads there.
func (x *examination) sessions(ctx context.Context, account string) bool {
	const fix = "let dera's own identity assume it (trust policy, external ID), or correct the entry of the account in the configuration"
	id, err := x.client.Session(ctx, account, false)
	if err != nil {
		x.says("session", account, broken, err.Error(), fix)
		return false
	}
	x.says("session", account, healthy, "dera reads as "+id.ARN, "")
	for _, a := range x.config.Accounts {
		if a.ID != account || a.WriteRole == "" {
			continue
		}
		if id, err = x.client.Session(ctx, account, true); err == nil {
			x.says("session", account+" write", healthy, "dera writes as "+id.ARN, "")
			continue
		}
		h := broken
		if !x.config.enforces(x.app.flags.mode) {
			h = toDo // nothing is written yet
		}
		x.says("session", account+" write", h, err.Error(), fix)
	}
	return true
}
