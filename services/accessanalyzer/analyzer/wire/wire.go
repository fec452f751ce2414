// Package wire reads and writes analyzers of external access on IAM Access Analyzer.
package wire

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/services/accessanalyzer/analyzer"
)

// Wire returns how analyzers of external access are read and written.
func Wire() cloud.Wire {
	t := analyzer.Type()
	return cloud.Wire{
		Type: analyzer.Name, Parts: t.Parts, Operations: t.Operations, Find: find, Unread: unread,
		Sample: func(_ context.Context, r *cloud.Reading) (string, error) { return r.Scope.Region, nil },
		Readers: []cloud.Reader{
			{Parts: []string{analyzer.PartAnalyzers}, Call: "access-analyzer:ListAnalyzers", One: read},
			{Parts: []string{analyzer.PartRules}, Call: "access-analyzer:ListArchiveRules", One: readRules},
		},
		Do: map[string]func(context.Context, *cloud.Writing) error{analyzer.Create: create, analyzer.Delete: remove},
		On: func(p dera.Plan) dera.ARN { // the one that dera makes
			return dera.NewARN(p.Partition, "access-analyzer", p.Region, p.Account, "analyzer/"+analyzer.Own)
		},
		Answers: map[string]cloud.Shape{
			"AccessAnalyzer ListAnalyzers": {Members: []string{"analyzers"}}, "AccessAnalyzer ListArchiveRules": {Members: []string{"archiveRules"}}, "AccessAnalyzer CreateAnalyzer": {},
		},
		ConfigRules: []string{"IAM_EXTERNAL_ACCESS_ANALYZER_ENABLED"},
	}
}

func find(_ context.Context, r *cloud.Reading) (cloud.Found, error) {
	region := r.Scope.Region
	return cloud.Only(r, region, "Access Analyzer", analyzer.ARNOf(cloud.PartitionOf(r.Scope), r.Scope.Account, "", region), &analyzer.External{Region: region}), nil
}

// unread: without the list, the archive rules are not known either.
func unread(config any, part string) {
	e := config.(*analyzer.External)
	if e.Rules = nil; part == analyzer.PartAnalyzers {
		e.Made, e.Others = nil, nil
	}
}

// list returns the analyzers of the region that look for external access.
func list(ctx context.Context, r *cloud.Reading) (out []types.AnalyzerSummary, _ error) {
	err := cloud.List(r, cloud.Listing[*sdk.ListAnalyzersOutput, types.AnalyzerSummary]{
		Call: "access-analyzer:ListAnalyzers", Of: "analyzers",
		Page: func(token *string) (*sdk.ListAnalyzersOutput, error) {
			return r.Analyzer(r.Scope.Region).ListAnalyzers(ctx, &sdk.ListAnalyzersInput{NextToken: token})
		},
		On: func(p *sdk.ListAnalyzersOutput) ([]types.AnalyzerSummary, *string) { return p.Analyzers, p.NextToken },
	}, func(a types.AnalyzerSummary) error {
		if aws.ToString(a.Name) == "" || a.Type == "" || a.Status == "" {
			return cloud.Foreign("it does not say what the analyzer %.80q is", aws.ToString(a.Name))
		}
		if a.Type == types.TypeAccount || a.Type == types.TypeOrganization {
			out = append(out, a)
		}
		return nil
	})
	return out, err
}

// read: an analyzer that is being made is there already, so that no second one is.
func read(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	all, err := list(ctx, r)
	if err != nil {
		return err
	}
	e := x.Config.(*analyzer.External)
	e.Made = aws.Bool(false)
	for _, a := range all {
		switch works := a.Status == types.AnalyzerStatusActive || a.Status == types.AnalyzerStatusCreating; {
		case *a.Name == analyzer.Own:
			e.Made = &works
		case works:
			e.Others = append(e.Others, *a.Name)
		}
	}
	slices.Sort(e.Others)
	return nil
}

func readRules(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	e := x.Config.(*analyzer.External)
	rules := []string{}
	if e.Made == nil {
		return cloud.ErrIncomplete
	}
	names := slices.Clone(e.Others)
	if *e.Made {
		names = append(names, analyzer.Own)
	}
	for _, name := range names {
		err := cloud.List(r, cloud.Listing[*sdk.ListArchiveRulesOutput, types.ArchiveRuleSummary]{
			Call: "access-analyzer:ListArchiveRules", Of: "archive rules",
			Page: func(token *string) (*sdk.ListArchiveRulesOutput, error) {
				return r.Analyzer(r.Scope.Region).ListArchiveRules(ctx, &sdk.ListArchiveRulesInput{AnalyzerName: &name, NextToken: token})
			},
			On: func(p *sdk.ListArchiveRulesOutput) ([]types.ArchiveRuleSummary, *string) {
				return p.ArchiveRules, p.NextToken
			},
		}, func(a types.ArchiveRuleSummary) error {
			rules = append(rules, name+"/"+aws.ToString(a.RuleName))
			return nil
		})
		if err != nil {
			return err
		}
	}
	slices.Sort(rules)
	e.Rules = rules
	return nil
}

// create makes the analyzer where there is still none: somebody may have made one since.
func create(ctx context.Context, w *cloud.Writing) error {
	w.Scope.Region = w.Plan.Region
	all, err := list(ctx, w.Reading)
	switch {
	case err != nil:
		return err
	case len(all) > 0:
		return cloud.ErrMoved
	}
	_, err = sdk.NewFromConfig(w.Config).CreateAnalyzer(ctx, &sdk.CreateAnalyzerInput{AnalyzerName: aws.String(analyzer.Own), Type: types.TypeAccount})
	return err
}

func remove(ctx context.Context, w *cloud.Writing) error {
	_, err := sdk.NewFromConfig(w.Config).DeleteAnalyzer(ctx, &sdk.DeleteAnalyzerInput{AnalyzerName: aws.String(analyzer.Own)})
	return err
}
