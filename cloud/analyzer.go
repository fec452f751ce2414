package cloud

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"
)

// The IAM actions of the calls of Access Analyzer, which do not have the V2 of those.
const (
	callAnalyzers = "access-analyzer:ListAnalyzers"
	callFindings  = "access-analyzer:ListFindingsV2"
	callFinding   = "access-analyzer:GetFindingV2"
)

// AnalyzerFinding is a finding of IAM Access Analyzer.
type AnalyzerFinding struct {
	ID       string
	Analyzer string // ARN
	Region   string // of the analyzer
	Days     int    // that an analyzer of unused access looks back
	Type     string // for example UnusedPermission
	Status   string // ACTIVE, ARCHIVED or RESOLVED
	Account  string // that has the resource
	Resource string // ARN; there may be none of what could not be analyzed
	Error    string // of Access Analyzer itself
	// Analyzed is when it last looked, and Updated when the finding last changed.
	Analyzed, Updated time.Time
}

// AnalyzerUnused is a service of which actions were not used: those, without the prefix, or all
// where there are none.
type AnalyzerUnused struct {
	Service string
	Actions []string
}

// analyzerDays is how many days an analyzer looks back where it does not say: the default of AWS.
const analyzerDays = 90

// Analyzer is the reading client of Access Analyzer in a region.
func (r *Reading) Analyzer(region string) *accessanalyzer.Client {
	return Service(r, "accessanalyzer", r.Scope.Account, region, func(cfg aws.Config) *accessanalyzer.Client { return accessanalyzer.NewFromConfig(cfg) })
}

// ThrottledOnly tries again where the call came too often, and not where the service fails: for
// what can be done without.
func ThrottledOnly() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Retryables = []retry.IsErrorRetryable{retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes}}
	})
}

// AnalyzerFindings are the findings on resources of the account by the analyzers in a region;
// with unused, by those of unused access alone.
//
// https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ListFindingsV2.html
func (r *Reading) AnalyzerFindings(ctx context.Context, region string, unused bool) (out []AnalyzerFinding, err error) {
	api := r.Analyzer(region)
	var analyzers []types.AnalyzerSummary
	err = Walk(func(token *string) (*string, error) {
		page, err := api.ListAnalyzers(ctx, &accessanalyzer.ListAnalyzersInput{NextToken: token}, func(o *accessanalyzer.Options) { o.Retryer = ThrottledOnly() })
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
		if a.Status != types.AnalyzerStatusActive || unused && a.Type != types.TypeAccountUnusedAccess && a.Type != types.TypeOrganizationUnusedAccess {
			continue
		}
		days := 0
		if c, ok := a.Configuration.(*types.AnalyzerConfigurationMemberUnusedAccess); ok {
			if days = analyzerDays; c.Value.UnusedAccessAge != nil {
				days = int(*c.Value.UnusedAccessAge)
			}
		}
		err = Walk(func(token *string) (*string, error) {
			page, err := api.ListFindingsV2(ctx, &accessanalyzer.ListFindingsV2Input{AnalyzerArn: a.Arn, NextToken: token, Filter: map[string]types.Criterion{
				"resourceOwnerAccount": {Eq: []string{r.Scope.Account}},
			}})
			if err != nil {
				return nil, r.FailAt(region, callFindings, err)
			}
			for _, f := range page.Findings {
				if aws.ToString(f.ResourceOwnerAccount) == r.Scope.Account {
					out = append(out, AnalyzerFinding{
						ID: aws.ToString(f.Id), Analyzer: aws.ToString(a.Arn), Region: region, Days: days, Type: string(f.FindingType), Status: string(f.Status), Account: r.Scope.Account,
						Resource: aws.ToString(f.Resource), Error: aws.ToString(f.Error), Analyzed: aws.ToTime(f.AnalyzedAt).UTC(), Updated: aws.ToTime(f.UpdatedAt).UTC(),
					})
				}
			}
			return page.NextToken, nil
		})
	}
	return out, err
}

// AnalyzerDetails are what a finding on permissions names as unused. They come in pages.
//
// https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_GetFindingV2.html
func (r *Reading) AnalyzerDetails(ctx context.Context, f AnalyzerFinding) (out []AnalyzerUnused, err error) {
	err = Walk(func(token *string) (*string, error) {
		page, err := r.Analyzer(f.Region).GetFindingV2(ctx, &accessanalyzer.GetFindingV2Input{AnalyzerArn: &f.Analyzer, Id: &f.ID, NextToken: token})
		switch {
		case err != nil:
			return nil, r.FailAt(f.Region, callFinding, err)
		case page.Error != nil:
			return nil, r.FailAt(f.Region, callFinding, Foreign("Access Analyzer itself could not tell: %.60q", *page.Error))
		}
		for _, d := range page.FindingDetails {
			u, ok := d.(*types.FindingDetailsMemberUnusedPermissionDetails)
			if !ok {
				continue
			}
			s := AnalyzerUnused{Service: aws.ToString(u.Value.ServiceNamespace)}
			for _, a := range u.Value.Actions {
				name := aws.ToString(a.Action)
				s.Actions = append(s.Actions, name[strings.IndexByte(name, ':')+1:])
			}
			slices.Sort(s.Actions)
			out = append(out, s)
		}
		return page.NextToken, nil
	})
	return out, err
}
