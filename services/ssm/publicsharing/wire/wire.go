// Package wire reads and writes whether documents of Systems Manager may be public.
package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"dera.example/dera/cloud"
	"dera.example/dera/control/regional"
	"dera.example/dera/resource"
	"dera.example/dera/services/ssm/publicsharing"
	shared "dera.example/dera/services/ssm/wire"
)

// Wire returns how the setting is read and written: one call a region.
func Wire() cloud.Wire {
	k, t := publicsharing.Kind(), publicsharing.Type()
	x := cloud.Regional{Name: k.Label, ID: k.ID(""), ARN: t.ARN, Config: func(region string) any { return &regional.Setting{Region: region} }}
	return cloud.Wire{
		Type: t.Name, Parts: t.Parts, Operations: t.Operations, Find: x.Find, Sample: x.Sample,
		Readers:     []cloud.Reader{{Parts: []string{regional.PartState}, Call: k.Reads[0], One: read}},
		Do:          map[string]func(context.Context, *cloud.Writing) error{publicsharing.Update: update},
		Answers:     map[string]cloud.Shape{"SSM GetServiceSetting": {Members: []string{"ServiceSetting"}}}, // the write answers nothing
		ConfigRules: []string{"SSM_AUTOMATION_BLOCK_PUBLIC_SHARING"},
	}
}

// read: a change that waits for approval makes the setting one to read again.
func read(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := shared.SSM(r).GetServiceSetting(ctx, &ssm.GetServiceSettingInput{SettingId: aws.String(publicsharing.SettingID)})
	if err != nil {
		return err
	}
	s := out.ServiceSetting
	if s == nil || !strings.HasSuffix(aws.ToString(s.SettingId), publicsharing.SettingID) || aws.ToString(s.SettingValue) == "" {
		return cloud.Foreign("it does not say how the setting stands")
	}
	if aws.ToString(s.Status) == "PendingUpdate" {
		x.Doubt("a change of it waits for approval")
	}
	x.Config.(*regional.Setting).State = *s.SettingValue
	return nil
}

func update(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err != nil {
		return err
	}
	var state string
	if err := json.Unmarshal(in.Value, &state); err != nil {
		return w.Fail(publicsharing.Update, fmt.Errorf("the state: %w", err))
	}
	_, err = ssm.NewFromConfig(w.Config).UpdateServiceSetting(ctx, &ssm.UpdateServiceSettingInput{SettingId: aws.String(publicsharing.SettingID), SettingValue: aws.String(state)})
	return err
}
