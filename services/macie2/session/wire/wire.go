// Package wire reads and writes whether Macie runs in a region.
package wire

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/macie2"
	"github.com/aws/aws-sdk-go-v2/service/macie2/types"

	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	"dera.example/dera/services/macie2/session"
)

// Wire returns how sessions are read and written.
func Wire() cloud.Wire {
	t := session.Type()
	return cloud.Wire{
		Type: session.Name, Parts: t.Parts, Operations: t.Operations, Find: find,
		Unread:      func(config any, _ string) { config.(*session.Session).Status = nil },
		Off:         off,
		Readers:     []cloud.Reader{{Parts: []string{session.PartSession}, Call: "macie2:GetMacieSession", One: read}},
		Do:          map[string]func(context.Context, *cloud.Writing) error{session.Update: update},
		Answers:     map[string]cloud.Shape{"Macie2 GetMacieSession": {Members: []string{"status"}}},
		ConfigRules: []string{"MACIE_STATUS_CHECK"},
	}
}

func find(_ context.Context, r *cloud.Reading) (cloud.Found, error) {
	region := r.Scope.Region
	return cloud.Only(r, region, "Macie", session.ARNOf(cloud.PartitionOf(r.Scope), r.Scope.Account, region, ""), &session.Session{Region: region}), nil
}

// off: where it is not enabled, Macie denies access and says so; any other denial is one of
// dera's own.
func off(err error) bool {
	var denied *types.AccessDeniedException
	return errors.As(err, &denied) && strings.Contains(strings.ToLower(denied.ErrorMessage()), "macie is not enabled")
}

func read(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	api := cloud.Service(r, "macie2", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *sdk.Client { return sdk.NewFromConfig(cfg) })
	out, err := api.GetMacieSession(ctx, &sdk.GetMacieSessionInput{})
	s := x.Config.(*session.Session)
	if off(err) {
		s.Status = aws.String(session.Off)
		return nil
	}
	if err == nil && out.Status == "" {
		err = cloud.Foreign("it does not say whether it runs")
	}
	if err != nil {
		return err
	}
	s.Status = aws.String(string(out.Status))
	return nil
}

// update sends the status alone: what it is not sent stays.
func update(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err != nil {
		return err
	}
	var status types.MacieStatus
	if err := json.Unmarshal(in.Value, &status); err != nil {
		return w.Fail(w.Operation.Name, err)
	}
	_, err = sdk.NewFromConfig(w.Config).UpdateMacieSession(ctx, &sdk.UpdateMacieSessionInput{Status: status})
	return err
}
