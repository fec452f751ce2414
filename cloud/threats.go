package cloud

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	"github.com/aws/aws-sdk-go-v2/service/guardduty/types"

	"dera.example/dera/resource"
)

// The calls of GuardDuty, by their IAM actions.
const (
	callDetectors = "guardduty:ListDetectors"
	callThreats   = "guardduty:ListFindings"
	callThreat    = "guardduty:GetFindings"
)

// mostThreats is how many findings one call gets, and how many values a criterion takes.
//
// https://docs.aws.amazon.com/guardduty/latest/APIReference/API_GetFindings.html
const mostThreats = 50

// guardDuty is the client of GuardDuty for the place of a read.
func (r *Reading) guardDuty() *guardduty.Client {
	return Service(r, "guardduty", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *guardduty.Client { return guardduty.NewFromConfig(cfg) })
}

// Threats reads the open findings on the account in the region of the read, of the last
// ThreatDays; where there are ids, those that have one of them in the member. Detectors is 0
// where there is no detector. A detector of an administrator has the findings of its members
// too: those are left out.
//
// https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ListFindings.html
func (r *Reading) Threats(ctx context.Context, member string, ids []string) (out resource.Threats, err error) {
	detectors, err := r.detectors(ctx)
	if err != nil || len(detectors) == 0 {
		return out, err
	}
	out.Detectors = 1
	since := r.At.AddDate(0, 0, -resource.ThreatDays).UnixMilli()
	criteria := map[string]types.Condition{
		"service.archived": {Equals: []string{"false"}}, "accountId": {Equals: []string{r.Scope.Account}}, "updatedAt": {GreaterThanOrEqual: &since},
	}
	if len(ids) > 0 && len(ids) <= mostThreats && member != "" {
		criteria[member] = types.Condition{Equals: ids}
	}
	for _, detector := range detectors {
		var found []string
		err = List(r, Listing[*guardduty.ListFindingsOutput, string]{
			Call: callThreats, Of: "findings",
			Page: func(token *string) (*guardduty.ListFindingsOutput, error) {
				return r.guardDuty().ListFindings(ctx, &guardduty.ListFindingsInput{DetectorId: &detector, FindingCriteria: &types.FindingCriteria{Criterion: criteria}, MaxResults: aws.Int32(mostThreats), NextToken: token})
			},
			On: func(p *guardduty.ListFindingsOutput) ([]string, *string) { return p.FindingIds, p.NextToken },
		}, func(id string) error {
			found = append(found, id)
			return nil
		})
		if err != nil {
			return out, err
		}
		for chunk := range slices.Chunk(found, mostThreats) {
			list, err := r.threats(ctx, detector, chunk)
			if err != nil {
				return out, err
			}
			out.List = append(out.List, list...)
		}
	}
	return out, nil
}

// detectors lists the detectors of the place of a read, of which there is one at most.
func (r *Reading) detectors(ctx context.Context) ([]string, error) {
	out, err := r.guardDuty().ListDetectors(ctx, &guardduty.ListDetectorsInput{})
	if err == nil && (out.DetectorIds == nil || len(out.DetectorIds) > 1) {
		err = Foreign("it has %d detectors, want one at most", len(out.DetectorIds))
	}
	if err != nil {
		return nil, r.Fail(callDetectors, err)
	}
	return out.DetectorIds, nil
}

// threats are the findings with the IDs that count. One that is left out of the answer was deleted
// or archived meanwhile.
func (r *Reading) threats(ctx context.Context, detector string, ids []string) (list []resource.Threat, _ error) {
	out, err := r.guardDuty().GetFindings(ctx, &guardduty.GetFindingsInput{DetectorId: &detector, FindingIds: ids})
	if err == nil && out.Findings == nil {
		err = Foreign("it has no list of findings")
	}
	if err != nil {
		return nil, r.Fail(callThreat, err)
	}
	for _, f := range out.Findings {
		switch {
		case aws.ToString(f.Type) == "" || !slices.Contains(ids, aws.ToString(f.Id)) || f.Severity == nil || f.Service == nil:
			return nil, r.Fail(callThreat, Foreign("it has a finding %.80q of the type %.120q, want one that was asked for with its severity", aws.ToString(f.Id), aws.ToString(f.Type)))
		case aws.ToString(f.AccountId) != r.Scope.Account || aws.ToBool(f.Service.Archived):
		case f.Service.AdditionalInfo != nil && resource.Sample(aws.ToString(f.Service.AdditionalInfo.Value)):
		default:
			list = append(list, threatOf(r, f))
		}
	}
	return list, nil
}

func threatOf(r *Reading, f types.Finding) resource.Threat {
	t := resource.Threat{
		ID: aws.ToString(f.Id), Type: aws.ToString(f.Type), Severity: *f.Severity, Region: r.Scope.Region, Sequence: f.AssociatedAttackSequenceArn != nil,
		First: gdMoment(f.Service.EventFirstSeen, f.CreatedAt), Last: gdMoment(f.Service.EventLastSeen, f.UpdatedAt),
	}
	if x := f.Resource; x != nil {
		t.Kind = aws.ToString(x.ResourceType)
		if x.InstanceDetails != nil {
			t.Instance = aws.ToString(x.InstanceDetails.InstanceId)
		}
		if k := x.AccessKeyDetails; k != nil {
			t.User, t.UserType, t.Key = aws.ToString(k.UserName), aws.ToString(k.UserType), aws.ToString(k.AccessKeyId)
			if t.UserType == "Role" { // as some findings name the session of a role
				t.UserType = "AssumedRole"
			}
		}
	}
	if a := f.Service.Action; a != nil && a.AwsApiCallAction != nil && a.AwsApiCallAction.RemoteIpDetails != nil {
		ip := a.AwsApiCallAction.RemoteIpDetails
		t.From = cmp.Or(aws.ToString(ip.IpAddressV4), aws.ToString(ip.IpAddressV6))
	}
	if d := f.Service.Detection; d != nil && d.Sequence != nil {
		t.Signals = len(d.Sequence.Signals)
	}
	return t
}

// gdMoment is the first of the texts that is a time; GuardDuty writes RFC 3339, and of attack
// sequences a space in place of the T.
func gdMoment(texts ...*string) time.Time {
	for _, text := range texts {
		s := strings.Replace(aws.ToString(text), " ", "T", 1)
		if !strings.HasSuffix(s, "Z") {
			s += "Z"
		}
		if at, err := time.Parse(time.RFC3339, s); err == nil {
			return at.UTC().Truncate(time.Second)
		}
		if ms, err := strconv.ParseInt(aws.ToString(text), 10, 64); err == nil && ms > 0 {
			return time.UnixMilli(ms).UTC().Truncate(time.Second)
		}
	}
	return time.Time{}
}
