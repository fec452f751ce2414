// Package wire reads and writes the detector of a region on GuardDuty.
package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/guardduty"
	"github.com/aws/aws-sdk-go-v2/service/guardduty/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	"dera.example/dera/services/guardduty/detector"
)

// Wire returns how detectors are read and written.
func Wire() cloud.Wire {
	t := detector.Type()
	return cloud.Wire{
		Type: detector.Name, Parts: t.Parts, Operations: t.Operations, Find: find, Unread: unread,
		Sample: func(_ context.Context, r *cloud.Reading) (string, error) { return r.Scope.Region, nil },
		Readers: []cloud.Reader{
			{Parts: []string{detector.PartDetector}, Call: "guardduty:GetDetector", One: read},
			{Parts: []string{detector.PartAdministrator}, Call: "guardduty:GetAdministratorAccount", One: readAdministrator},
		},
		Do: map[string]func(context.Context, *cloud.Writing) error{detector.Update: update},
		On: func(p dera.Plan) dera.ARN { // its ID is random
			return dera.NewARN(p.Partition, "guardduty", p.Region, p.Account, "detector/*")
		},
		// Of an account without an administrator the answer has no body.
		Answers:     map[string]cloud.Shape{"GuardDuty ListDetectors": {Members: []string{"detectorIds"}}, "GuardDuty GetDetector": {Members: []string{"status"}}},
		ConfigRules: []string{"GUARDDUTY_*"},
	}
}

func api(r *cloud.Reading) *sdk.Client {
	return cloud.Service(r, "guardduty", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *sdk.Client { return sdk.NewFromConfig(cfg) })
}

// find lists the detectors of a region, of which there is one at most.
func find(ctx context.Context, r *cloud.Reading) (cloud.Found, error) {
	id, err := list(ctx, r)
	if err != nil {
		return cloud.Found{}, err
	}
	region := r.Scope.Region
	return cloud.Only(r, region, "GuardDuty", detector.ARNOf(cloud.PartitionOf(r.Scope), r.Scope.Account, "", region), &detector.Detector{Region: region, ID: id}), nil
}

func list(ctx context.Context, r *cloud.Reading) (id string, _ error) {
	out, err := api(r).ListDetectors(ctx, &sdk.ListDetectorsInput{})
	if err == nil && len(out.DetectorIds) > 1 {
		err = cloud.Foreign("it has %d detectors, want one at most", len(out.DetectorIds))
	}
	if err != nil {
		return "", r.Fail("guardduty:ListDetectors", err)
	}
	return strings.Join(out.DetectorIds, ""), nil
}

func unread(config any, part string) {
	switch d := config.(*detector.Detector); part {
	case detector.PartDetector:
		d.Enabled, d.Frequency, d.Features = nil, nil, nil
	case detector.PartAdministrator:
		d.Administrator = nil
	}
}

func read(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	d := x.Config.(*detector.Detector)
	if d.ID == "" {
		return nil
	}
	out, err := api(r).GetDetector(ctx, &sdk.GetDetectorInput{DetectorId: &d.ID})
	if err == nil && !slices.Contains(out.Status.Values(), out.Status) {
		err = cloud.Foreign("the detector is %.40q", string(out.Status))
	}
	if err != nil {
		return err
	}
	d.Enabled = aws.Bool(out.Status == types.DetectorStatusEnabled)
	if out.FindingPublishingFrequency != "" {
		d.Frequency = aws.String(string(out.FindingPublishingFrequency))
	}
	d.Features = map[string]string{}
	for _, f := range out.Features {
		d.Features[string(f.Name)] = string(f.Status)
	}
	return nil
}

func readAdministrator(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	d := x.Config.(*detector.Detector)
	if d.ID == "" {
		return nil
	}
	out, err := api(r).GetAdministratorAccount(ctx, &sdk.GetAdministratorAccountInput{DetectorId: &d.ID})
	if err != nil {
		return err
	}
	a := out.Administrator
	if a == nil { // an account that nobody administers gets no content
		a = &types.Administrator{}
	}
	switch status := aws.ToString(a.RelationshipStatus); {
	case aws.ToString(a.AccountId) == "" && status == "", strings.EqualFold(status, "Resigned"), strings.EqualFold(status, "Removed"):
		d.Administrator = aws.String("")
	case aws.ToString(a.AccountId) == "":
		return cloud.Foreign("it does not say which account administers this one")
	default:
		d.Administrator = a.AccountId
	}
	return nil
}

// update sends the one member that changes, to the detector that is there: what UpdateDetector
// is not sent stays, and so does each feature that is not in its list.
func update(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err != nil {
		return err
	}
	id, err := list(ctx, w.Reading)
	switch {
	case err != nil:
		return err
	case id == "":
		return cloud.ErrMoved // there is none to write to
	}
	send := &sdk.UpdateDetectorInput{DetectorId: &id}
	var text string
	switch name, feature := strings.CutPrefix(in.Path, "features."); {
	case in.Path == detector.Enabled:
		err = json.Unmarshal(in.Value, &send.Enable)
	case in.Path == detector.Frequency:
		err = json.Unmarshal(in.Value, &text)
		send.FindingPublishingFrequency = types.FindingPublishingFrequency(text)
	case feature:
		err = json.Unmarshal(in.Value, &text)
		send.Features = []types.DetectorFeatureConfiguration{{Name: types.DetectorFeature(name), Status: types.FeatureStatus(text)}}
	default:
		err = fmt.Errorf("%.40q is no setting of it", in.Path)
	}
	if err != nil {
		return w.Fail(w.Operation.Name, err)
	}
	_, err = sdk.NewFromConfig(w.Config).UpdateDetector(ctx, send)
	return err
}
