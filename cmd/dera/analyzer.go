package main

import (
	"context"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloud"
)

// sideBySide shows what Access Analyzer says beside what dera says.
func (a *cli) sideBySide(ctx context.Context, s *session) error {
	if err := s.recall(ctx, true); err != nil {
		return err
	}
	if err := s.connect(ctx, options{}); err != nil {
		return err
	}
	bar := a.newProgress("reading findings of Access Analyzer")
	regions := slices.Clone(s.regions)
	if home := dera.PartitionOf(s.client.Region()).Home; !slices.Contains(regions, home) {
		regions = append(regions, home)
	}
	bar.Total(len(s.accounts) * len(regions))
	var list []app.AnalyzerFinding
	notRead := []string{}
	for _, account := range s.accounts {
		for _, region := range regions {
			r := s.client.Reading(account.ID, region)
			found, err := r.AnalyzerFindings(ctx, region, false)
			if err != nil {
				fact, _ := cloud.Cause(err)
				notRead = append(notRead, fmt.Sprintf("account %s, %s: %s", account.ID, region, fact))
			}
			for _, f := range found {
				one, err := analyzerFinding(ctx, r, f)
				if err != nil {
					fact, _ := cloud.Cause(err)
					notRead = append(notRead, fmt.Sprintf("finding %s of account %s, %s: %s", f.ID, account.ID, region, fact))
				}
				if !slices.ContainsFunc(list, func(o app.AnalyzerFinding) bool { return o.ID == one.ID }) {
					list = append(list, one)
				}
			}
			bar.Step(account.ID + " " + region)
		}
	}
	bar.end()
	report, err := app.SideBySide(ctx, s.store, list, notRead)
	if err != nil {
		return err
	}
	if a.json() {
		err = a.printJSON(report)
	} else {
		a.printSideBySide(report)
	}
	switch {
	case err != nil:
		return err
	case len(report.NotRead) > 0:
		return &exitError{code: exitUndecided}
	case slices.ContainsFunc(report.Findings, func(b app.Beside) bool { return b.Status == "ACTIVE" || len(b.Open) > 0 }):
		return &exitError{code: exitNo}
	}
	return nil
}

// analyzerFinding is a finding with what it names as unused, where it is an active one on
// permissions.
func analyzerFinding(ctx context.Context, r *cloud.Reading, f cloud.AnalyzerFinding) (app.AnalyzerFinding, error) {
	out := app.AnalyzerFinding{
		ID: f.ID, Analyzer: f.Analyzer, Type: f.Type, Status: f.Status, Account: f.Account,
		Resource: dera.ARN(f.Resource), Analyzed: f.Analyzed, Updated: f.Updated, Error: f.Error,
	}
	if f.Type != "UnusedPermission" || f.Status != "ACTIVE" || f.Error != "" {
		return out, nil
	}
	unused, err := r.AnalyzerDetails(ctx, f)
	for _, u := range unused {
		if len(u.Actions) == 0 {
			out.Unused = append(out.Unused, u.Service+":*")
		}
		for _, action := range u.Actions {
			out.Unused = append(out.Unused, u.Service+":"+action)
		}
	}
	return out, err
}

func (a *cli) printSideBySide(r app.AnalyzerReport) {
	for _, text := range r.NotRead {
		a.alert("dera: not read: %s\n", app.Plain(text))
	}
	if len(r.Findings) == 0 {
		a.printf("no finding of IAM Access Analyzer is open, here or there\n")
		return
	}
	t := table{head: []string{"THERE", "STATUS", "RESOURCE", "OPEN HERE", "LAST FIX", "BOTH"}}
	for _, b := range r.Findings {
		fix, open := "-", "-"
		if len(b.Fixed) > 0 {
			fix = b.Fixed[0]
		}
		if len(b.Open) > 0 {
			open = b.Open[0]
			if n := len(b.Open) - 1; n > 0 {
				open += fmt.Sprintf(" and %d more", n)
			}
		}
		t.row(b.Type, b.Status, app.Plain(string(b.Resource)), open, fix, app.Plain(b.Says))
	}
	t.print(a.out)
}
