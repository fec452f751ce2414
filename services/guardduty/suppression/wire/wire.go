// Package wire reads what keeps GuardDuty of a region silent.
package wire

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/guardduty"
	"github.com/aws/aws-sdk-go-v2/service/guardduty/types"

	"dera.example/dera/cloud"
	"dera.example/dera/services/guardduty/suppression"
)

// Wire returns how suppression is read.
func Wire() cloud.Wire {
	return cloud.Wire{
		Type: suppression.Name, Parts: suppression.Type().Parts, Find: find, Unread: unread,
		Readers: []cloud.Reader{
			{Parts: []string{suppression.PartFilters}, Call: "guardduty:ListFilters", One: readFilters},
			{Parts: []string{suppression.PartLists}, Call: "guardduty:ListIPSets", One: readLists},
			{Parts: []string{suppression.PartMembers}, Call: "guardduty:ListMembers", One: readMembers},
		},
		Answers: map[string]cloud.Shape{
			"GuardDuty ListFilters": {Members: []string{"filterNames"}}, "GuardDuty GetFilter": {Members: []string{"action"}}, "GuardDuty ListIPSets": {Members: []string{"ipSetIds"}},
			"GuardDuty GetIPSet": {Members: []string{"status"}}, "GuardDuty ListMembers": {},
		},
	}
}

func api(r *cloud.Reading) *sdk.Client {
	return cloud.Service(r, "guardduty", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *sdk.Client { return sdk.NewFromConfig(cfg) })
}

// find lists the detectors of a region, of which there is one at most.
func find(ctx context.Context, r *cloud.Reading) (cloud.Found, error) {
	out, err := api(r).ListDetectors(ctx, &sdk.ListDetectorsInput{})
	if err == nil && (out.DetectorIds == nil || len(out.DetectorIds) > 1) {
		err = cloud.Foreign("it has %d detectors, want one at most", len(out.DetectorIds))
	}
	if err != nil {
		return cloud.Found{}, r.Fail("guardduty:ListDetectors", err)
	}
	region := r.Scope.Region
	s := &suppression.Suppression{Region: region, Detector: strings.Join(out.DetectorIds, ""), Filters: []string{}, Lists: []string{}, Lost: []string{}}
	found := cloud.Only(r, region, "GuardDuty", suppression.ARNOf(cloud.PartitionOf(r.Scope), r.Scope.Account, "", region), s)
	for _, x := range found.Items {
		if s.Detector == "" {
			x.Has(suppression.PartFilters, suppression.PartLists, suppression.PartMembers)
		}
	}
	return found, nil
}

func unread(config any, part string) {
	switch s := config.(*suppression.Suppression); part {
	case suppression.PartFilters:
		s.Filters = nil
	case suppression.PartLists:
		s.Lists = nil
	case suppression.PartMembers:
		s.Lost = nil
	}
}

func readFilters(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	s := x.Config.(*suppression.Suppression)
	err := cloud.List(r, cloud.Listing[*sdk.ListFiltersOutput, string]{
		Call: "guardduty:ListFilters", Of: "filters",
		Page: func(token *string) (*sdk.ListFiltersOutput, error) {
			return api(r).ListFilters(ctx, &sdk.ListFiltersInput{DetectorId: &s.Detector, NextToken: token})
		},
		On: func(p *sdk.ListFiltersOutput) ([]string, *string) { return p.FilterNames, p.NextToken },
	}, func(name string) error {
		f, err := api(r).GetFilter(ctx, &sdk.GetFilterInput{DetectorId: &s.Detector, FilterName: &name})
		if err != nil {
			return r.Fail("guardduty:GetFilter", err)
		}
		if f.Action == types.FilterActionArchive {
			s.Filters = append(s.Filters, name)
		}
		return nil
	})
	slices.Sort(s.Filters)
	return err
}

// readLists: a list that is being activated counts.
func readLists(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	s := x.Config.(*suppression.Suppression)
	err := cloud.List(r, cloud.Listing[*sdk.ListIPSetsOutput, string]{
		Call: "guardduty:ListIPSets", Of: "trusted lists",
		Page: func(token *string) (*sdk.ListIPSetsOutput, error) {
			return api(r).ListIPSets(ctx, &sdk.ListIPSetsInput{DetectorId: &s.Detector, NextToken: token})
		},
		On: func(p *sdk.ListIPSetsOutput) ([]string, *string) { return p.IpSetIds, p.NextToken },
	}, func(id string) error {
		l, err := api(r).GetIPSet(ctx, &sdk.GetIPSetInput{DetectorId: &s.Detector, IpSetId: &id})
		if err != nil {
			return r.Fail("guardduty:GetIPSet", err)
		}
		if l.Status == types.IpSetStatusActive || l.Status == types.IpSetStatusActivating {
			s.Lists = append(s.Lists, aws.ToString(l.Name))
		}
		return nil
	})
	slices.Sort(s.Lists)
	return err
}

// readMembers asks for those that were removed too. An account that administers none has an
// empty list, or none at all.
func readMembers(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	s := x.Config.(*suppression.Suppression)
	err := cloud.Walk(func(token *string) (*string, error) {
		out, err := api(r).ListMembers(ctx, &sdk.ListMembersInput{DetectorId: &s.Detector, OnlyAssociated: aws.String("false"), NextToken: token})
		if err != nil {
			return nil, r.Fail("guardduty:ListMembers", err)
		}
		for _, m := range out.Members {
			switch status := aws.ToString(m.RelationshipStatus); status {
			case "Removed", "Resigned", "Disabled":
				s.Lost = append(s.Lost, aws.ToString(m.AccountId)+" ("+status+")")
			}
		}
		return out.NextToken, nil
	})
	slices.Sort(s.Lost)
	return err
}
