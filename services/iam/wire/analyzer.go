package wire

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	own "dera.example/dera/services/iam"
)

// The calls for what Access Analyzer recommends. Making a recommendation changes nothing else.
const (
	callRecommend = "access-analyzer:GenerateFindingRecommendation"
	callAdvice    = "access-analyzer:GetFindingRecommendation"
)

// analyzerRegions are where analyzers are looked for: the region that dera works in, and that
// in which Security Hub has its own.
//
// https://docs.aws.amazon.com/securityhub/latest/userguide/unused-access-findings.html
func analyzerRegions(r *cloud.Reading) []string {
	home := dera.PartitionOf(r.Home()).Home
	if r.Home() == home {
		return []string{home}
	}
	return []string{home, r.Home()}
}

// unusedFindings are the findings on unused access of the account that are not resolved.
func unusedFindings(ctx context.Context, r *cloud.Reading, region string) ([]cloud.AnalyzerFinding, error) {
	return cloud.Remember(r, "unused access of "+r.Scope.Account+" in "+region, reportedFor, func() ([]cloud.AnalyzerFinding, error) {
		all, err := r.AnalyzerFindings(ctx, region, true)
		return slices.DeleteFunc(all, func(f cloud.AnalyzerFinding) bool { return f.Status == string(types.FindingStatusResolved) }), err
	})
}

// key names what was read of a finding as it stands.
func key(what string, f cloud.AnalyzerFinding) string {
	return what + " of " + f.Analyzer + " " + f.ID + " " + f.Updated.String()
}

// analyzed adds the findings of Access Analyzer on principals, with what it recommends for the
// resource where that is one of them.
func analyzed(ctx context.Context, r *cloud.Reading, x *cloud.Item, principals []string, answer *own.Reported) {
	const what = "findings of Access Analyzer"
	for _, region := range analyzerRegions(r) {
		why, err := cloud.Remember(r, what+" of "+r.Scope.Account+" in "+region, reportedAgain, func() (string, error) {
			if _, err := unusedFindings(ctx, r, region); err != nil {
				return without(what, err), nil
			}
			return "", nil
		})
		if err == nil && why != "" {
			answer.Without = append(answer.Without, why)
			continue
		}
		all, err := unusedFindings(ctx, r, region)
		if err != nil {
			answer.Without = append(answer.Without, without(what, err))
			continue
		}
		for _, f := range all {
			permissions, whole := f.Type == string(types.FindingTypeUnusedPermission), f.Type == string(types.FindingTypeUnusedIamRole)
			if !slices.Contains(principals, f.Resource) || !permissions && !whole {
				continue
			}
			got := own.Analyzed{ID: f.ID, Analyzer: f.Analyzer, Principal: f.Resource, Days: f.Days, Status: f.Status, Whole: whole}
			unused, err := cloud.Remember(r, key("details", f), reportedFor, func() ([]cloud.AnalyzerUnused, error) { return r.AnalyzerDetails(ctx, f) })
			if err != nil {
				answer.Without = append(answer.Without, without("finding "+f.ID+" of Access Analyzer", err))
				continue
			}
			for _, u := range unused {
				got.Unused = append(got.Unused, own.UnusedService(u))
			}
			if permissions && f.Status == string(types.FindingStatusActive) && f.Resource == string(x.ARN) {
				got.Recommended, _ = cloud.Remember(r, key("recommendation", f), reportedFor, func() (*own.Recommended, error) { return recommended(ctx, r, f), nil }) // it cannot fail
			}
			if !slices.ContainsFunc(answer.Analyzed, func(o own.Analyzed) bool { return o.ID == got.ID }) { // a copy in another region
				answer.Analyzed = append(answer.Analyzed, got)
			}
		}
	}
}

// recommended is what Access Analyzer recommends, which it is asked to make. That there is one
// already is no error.
func recommended(ctx context.Context, r *cloud.Reading, f cloud.AnalyzerFinding) *own.Recommended {
	api := r.Analyzer(f.Region)
	if _, err := api.GenerateFindingRecommendation(ctx, &accessanalyzer.GenerateFindingRecommendationInput{AnalyzerArn: &f.Analyzer, Id: &f.ID}); err != nil {
		if err := r.FailAt(f.Region, callRecommend, err); cloud.Is(err, cloud.Denied) {
			return &own.Recommended{Why: without("the recommendation", err)}
		}
	}
	out := new(own.Recommended)
	err := cloud.Walk(func(token *string) (*string, error) {
		page, err := await(ctx, func() (*accessanalyzer.GetFindingRecommendationOutput, bool, error) {
			page, err := api.GetFindingRecommendation(ctx, &accessanalyzer.GetFindingRecommendationInput{AnalyzerArn: &f.Analyzer, Id: &f.ID, NextToken: token})
			if err != nil {
				return nil, false, r.FailAt(f.Region, callAdvice, err)
			}
			return page, page.Status == types.StatusInProgress, nil
		})
		if err != nil {
			return nil, err
		}
		if page.Status != types.StatusSucceeded {
			code := ""
			if page.Error != nil {
				code = aws.ToString(page.Error.Code)
			}
			return nil, r.FailAt(f.Region, callAdvice, cloud.Foreign("it ended with %.40q %.60q", page.Status, code))
		}
		for _, s := range page.RecommendedSteps {
			if u, ok := s.(*types.RecommendedStepMemberUnusedPermissionsRecommendedStep); ok {
				step := own.RecommendedStep{Existing: aws.ToString(u.Value.ExistingPolicyId), Updated: Time(u.Value.PolicyUpdatedAt)}
				if u.Value.RecommendedAction == types.RecommendedRemediationActionCreatePolicy {
					step.Document = aws.ToString(u.Value.RecommendedPolicy)
				}
				out.Steps = append(out.Steps, step)
			}
		}
		return page.NextToken, nil
	})
	if err != nil {
		return &own.Recommended{Why: without("the recommendation", err)}
	}
	return out
}
