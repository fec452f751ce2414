package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloud"
	iamwire "dera.example/dera/services/iam/wire"
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
			found, err := iamwire.AnalyzerFindings(ctx, s.client, account.ID, region)
			if err != nil {
				fact, _ := cloud.Cause(err)
				notRead = append(notRead, fmt.Sprintf("account %s, %s: %s", account.ID, region, fact))
			}
			for _, f := range found {
				if one := analyzerFinding(f); !slices.ContainsFunc(list, func(o app.AnalyzerFinding) bool { return o.ID == one.ID }) {
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

func analyzerFinding(f iamwire.AnalyzerFinding) app.AnalyzerFinding {
	out := app.AnalyzerFinding{
		ID: aws.ToString(f.Id), Analyzer: f.Analyzer, Type: string(f.FindingType), Status: string(f.Status), Account: aws.ToString(f.ResourceOwnerAccount),
		Resource: dera.ARN(aws.ToString(f.Resource)), Analyzed: aws.ToTime(f.AnalyzedAt).UTC(), Updated: aws.ToTime(f.UpdatedAt).UTC(), Error: aws.ToString(f.Error),
	}
	for _, u := range f.Unused {
		if len(u.Actions) == 0 {
			out.Unused = append(out.Unused, u.Service+":*")
		}
		for _, action := range u.Actions {
			out.Unused = append(out.Unused, u.Service+":"+action)
		}
	}
	return out
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
