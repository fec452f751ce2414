package wire

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	own "dera.example/dera/services/iam"
)

// The IAM actions of the calls of Access Analyzer, which do not have the V2 of those. Making a
// recommendation changes nothing else.
const (
	callAnalyzers = "access-analyzer:ListAnalyzers"
	callFindings  = "access-analyzer:ListFindings"
	callFinding   = "access-analyzer:GetFinding"
	callRecommend = "access-analyzer:GenerateFindingRecommendation"
	callAdvice    = "access-analyzer:GetFindingRecommendation"
)

// maxDays is how many days an analyzer looks back where it does not say: the default of AWS.
const maxDays = 90

// unusedFinding is one of an analyzer, as the listing tells it.
type unusedFinding struct {
	analyzer types.AnalyzerSummary
	region   string
	types.FindingSummaryV2
}

// analyzerClient is the reading client of Access Analyzer.
func analyzerClient(r *cloud.Reading, region string) *accessanalyzer.Client {
	return cloud.Service(r, "accessanalyzer", r.Scope.Account, region, func(cfg aws.Config) *accessanalyzer.Client { return accessanalyzer.NewFromConfig(cfg) })
}

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
func unusedFindings(ctx context.Context, r *cloud.Reading, region string) ([]unusedFinding, error) {
	return cloud.Remember(r, "unused access of "+r.Scope.Account+" in "+region, reportedFor, func() ([]unusedFinding, error) {
		all, err := listed(ctx, r, region, types.TypeAccountUnusedAccess, types.TypeOrganizationUnusedAccess)
		return slices.DeleteFunc(all, func(f unusedFinding) bool { return f.Status == types.FindingStatusResolved }), err
	})
}

// listed are the findings of the account by analyzers of some types; none is all.
func listed(ctx context.Context, r *cloud.Reading, region string, of ...types.Type) (out []unusedFinding, err error) {
	api := analyzerClient(r, region)
	var analyzers []types.AnalyzerSummary
	err = cloud.Walk(func(token *string) (*string, error) {
		page, err := api.ListAnalyzers(ctx, &accessanalyzer.ListAnalyzersInput{NextToken: token}, func(o *accessanalyzer.Options) { o.Retryer = throttledOnly() })
		if err != nil {
			return nil, r.FailAt(region, callAnalyzers, err)
		}
		analyzers = append(analyzers, page.Analyzers...)
		return page.NextToken, nil
	})
	for _, a := range analyzers {
		if err != nil {
			return nil, err
		}
		if a.Status != types.AnalyzerStatusActive || len(of) > 0 && !slices.Contains(of, a.Type) {
			continue
		}
		err = cloud.Walk(func(token *string) (*string, error) {
			page, err := api.ListFindingsV2(ctx, &accessanalyzer.ListFindingsV2Input{AnalyzerArn: a.Arn, NextToken: token, Filter: map[string]types.Criterion{
				"resourceOwnerAccount": {Eq: []string{r.Scope.Account}},
			}})
			if err != nil {
				return nil, r.FailAt(region, callFindings, err)
			}
			for _, f := range page.Findings {
				if aws.ToString(f.ResourceOwnerAccount) == r.Scope.Account {
					out = append(out, unusedFinding{a, region, f})
				}
			}
			return page.NextToken, nil
		})
	}
	return out, err
}

// AnalyzerFinding is a finding of Access Analyzer, with what it names as unused where it is an
// active one on permissions.
type AnalyzerFinding struct {
	types.FindingSummaryV2
	Analyzer string
	Unused   []own.UnusedService
}

// AnalyzerFindings are all findings of Access Analyzer on resources of an account by the
// analyzers in a region.
func AnalyzerFindings(ctx context.Context, c *cloud.Client, account, region string) (out []AnalyzerFinding, err error) {
	r := c.Reading(account, region)
	all, err := listed(ctx, r, region)
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		one := AnalyzerFinding{FindingSummaryV2: f.FindingSummaryV2, Analyzer: aws.ToString(f.analyzer.Arn)}
		if f.FindingType == types.FindingTypeUnusedPermission && f.Status == types.FindingStatusActive && f.Error == nil {
			got, err := readDetails(ctx, r, f)
			if err != nil {
				return nil, err
			}
			one.Unused = got.Unused
		}
		out = append(out, one)
	}
	return out, nil
}

// analyzed adds the findings of Access Analyzer on principals, with what it recommends for the
// resource where that is one of them.
func analyzed(ctx context.Context, r *cloud.Reading, x *cloud.Item, principals []string, answer *own.Reported) {
	const what = "findings of Access Analyzer"
	for _, region := range analyzerRegions(r) {
		off := "findings of Access Analyzer of " + r.Scope.Account + " in " + region
		why, err := cloud.Remember(r, off, reportedAgain, func() (string, error) {
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
			if !slices.Contains(principals, aws.ToString(f.Resource)) || f.FindingType != types.FindingTypeUnusedPermission && f.FindingType != types.FindingTypeUnusedIamRole {
				continue
			}
			got, err := details(ctx, r, f)
			if err != nil {
				answer.Without = append(answer.Without, without("finding "+aws.ToString(f.Id)+" of Access Analyzer", err))
				continue
			}
			if f.FindingType == types.FindingTypeUnusedPermission && f.Status == types.FindingStatusActive && aws.ToString(f.Resource) == string(x.ARN) {
				got.Recommended, _ = cloud.Remember(r, f.key("recommendation"), reportedFor, func() (*own.Recommended, error) { return recommended(ctx, r, f), nil }) // it cannot fail
			}
			if !slices.ContainsFunc(answer.Analyzed, func(o own.Analyzed) bool { return o.ID == got.ID }) { // a copy in another region
				answer.Analyzed = append(answer.Analyzed, got)
			}
		}
	}
}

// details reads all of a finding: its details come in pages.
func details(ctx context.Context, r *cloud.Reading, f unusedFinding) (own.Analyzed, error) {
	return cloud.Remember(r, f.key("details"), reportedFor, func() (own.Analyzed, error) { return readDetails(ctx, r, f) })
}

// key names what was read of a finding as it stands.
func (f unusedFinding) key(what string) string {
	return what + " of " + aws.ToString(f.analyzer.Arn) + " " + aws.ToString(f.Id) + " " + Time(f.UpdatedAt).String()
}

func readDetails(ctx context.Context, r *cloud.Reading, f unusedFinding) (out own.Analyzed, err error) {
	out = own.Analyzed{ID: aws.ToString(f.Id), Analyzer: aws.ToString(f.analyzer.Arn), Principal: aws.ToString(f.Resource), Status: string(f.Status), Days: maxDays}
	if c, ok := f.analyzer.Configuration.(*types.AnalyzerConfigurationMemberUnusedAccess); ok && c.Value.UnusedAccessAge != nil {
		out.Days = int(*c.Value.UnusedAccessAge)
	}
	out.Whole = f.FindingType == types.FindingTypeUnusedIamRole
	err = cloud.Walk(func(token *string) (*string, error) {
		page, err := analyzerClient(r, f.region).GetFindingV2(ctx, &accessanalyzer.GetFindingV2Input{AnalyzerArn: f.analyzer.Arn, Id: f.Id, NextToken: token})
		switch {
		case err != nil:
			return nil, r.FailAt(f.region, callFinding, err)
		case page.Error != nil:
			return nil, r.FailAt(f.region, callFinding, cloud.Foreign("Access Analyzer itself could not tell: %.60q", *page.Error))
		}
		for _, d := range page.FindingDetails {
			u, ok := d.(*types.FindingDetailsMemberUnusedPermissionDetails)
			if !ok {
				continue
			}
			s := own.UnusedService{Service: aws.ToString(u.Value.ServiceNamespace)}
			for _, a := range u.Value.Actions {
				name := aws.ToString(a.Action)
				s.Actions = append(s.Actions, name[strings.IndexByte(name, ':')+1:])
			}
			slices.Sort(s.Actions)
			out.Unused = append(out.Unused, s)
		}
		return page.NextToken, nil
	})
	return out, err
}

// recommended is what Access Analyzer recommends, which it is asked to make. That there is one
// already is no error.
func recommended(ctx context.Context, r *cloud.Reading, f unusedFinding) *own.Recommended {
	api := analyzerClient(r, f.region)
	if _, err := api.GenerateFindingRecommendation(ctx, &accessanalyzer.GenerateFindingRecommendationInput{AnalyzerArn: f.analyzer.Arn, Id: f.Id}); err != nil {
		if err := r.FailAt(f.region, callRecommend, err); cloud.Is(err, cloud.Denied) {
			return &own.Recommended{Why: without("the recommendation", err)}
		}
	}
	out := new(own.Recommended)
	err := cloud.Walk(func(token *string) (*string, error) {
		page, err := await(ctx, func() (*accessanalyzer.GetFindingRecommendationOutput, bool, error) {
			page, err := api.GetFindingRecommendation(ctx, &accessanalyzer.GetFindingRecommendationInput{AnalyzerArn: f.analyzer.Arn, Id: f.Id, NextToken: token})
			if err != nil {
				return nil, false, r.FailAt(f.region, callAdvice, err)
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
			return nil, r.FailAt(f.region, callAdvice, cloud.Foreign("it ended with %.40q %.60q", page.Status, code))
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
