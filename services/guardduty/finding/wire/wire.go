// Package wire reads the findings of GuardDuty in a region.
package wire

import (
	"context"
	"slices"

	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	"dera.example/dera/services/guardduty"
	"dera.example/dera/services/guardduty/finding"
)

// Wire returns how findings of GuardDuty are read. Nothing of them is written.
func Wire() cloud.Wire {
	return cloud.Wire{
		Type: finding.Name, Parts: finding.Type().Parts, Find: find, Sample: sample,
		Answers: map[string]cloud.Shape{
			"GuardDuty ListDetectors": {Members: []string{"detectorIds"}}, "GuardDuty ListFindings": {Members: []string{"findingIds"}}, "GuardDuty GetFindings": {Members: []string{"findings"}},
		},
	}
}

// find reads all that count, or those that are named. One that is archived, that GuardDuty did
// not see for ThreatDays, or whose detector was deleted, is missing.
func find(ctx context.Context, r *cloud.Reading) (found cloud.Found, _ error) {
	got, err := r.Threats(ctx, "id", r.Scope.IDs)
	if err != nil {
		return found, err
	}
	for _, t := range got.List {
		if r.Scope.Sweep() || slices.Contains(r.Scope.IDs, t.ID) {
			found.Items = append(found.Items, item(r, t))
		}
	}
	for _, id := range r.Scope.IDs {
		if !slices.ContainsFunc(got.List, func(t resource.Threat) bool { return t.ID == id }) {
			found.Missing = append(found.Missing, id)
		}
	}
	return found, nil
}

func item(r *cloud.Reading, t resource.Threat) *cloud.Item {
	arn := finding.Type().ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, t.ID)
	x := cloud.NewItem(r, t.ID, t.Type, arn, &finding.Finding{Threat: t, Unanswered: guardduty.Unanswered(t)})
	x.Has(finding.PartFinding)
	return x
}

// sample returns one of the findings.
func sample(ctx context.Context, r *cloud.Reading) (string, error) {
	got, err := r.Threats(ctx, "", nil)
	if err != nil || len(got.List) == 0 {
		return "", err
	}
	return got.List[0].ID, nil
}
