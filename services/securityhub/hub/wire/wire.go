// Package wire reads whether Security Hub is enabled in a region.
package wire

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/aws-sdk-go-v2/service/securityhub/types"

	"dera.example/dera/cloud"
	"dera.example/dera/services/securityhub/hub"
)

// Wire returns how hubs are read.
func Wire() cloud.Wire {
	return cloud.Wire{
		Type: hub.Name, Parts: hub.Type().Parts, Find: find,
		Unread:      func(config any, _ string) { config.(*hub.Hub).Enabled = nil },
		Off:         off,
		Readers:     []cloud.Reader{{Parts: []string{hub.PartHub}, Call: "securityhub:DescribeHub", One: read}},
		Answers:     map[string]cloud.Shape{"SecurityHub DescribeHub": {Members: []string{"HubArn"}}},
		ConfigRules: []string{"SECURITYHUB_ENABLED"},
	}
}

func find(_ context.Context, r *cloud.Reading) (cloud.Found, error) {
	region := r.Scope.Region
	return cloud.Only(r, region, "Security Hub", hub.ARNOf(cloud.PartitionOf(r.Scope), r.Scope.Account, region, ""), &hub.Hub{Region: region}), nil
}

// off: of a region in which it is not enabled, Security Hub says that the account is not
// subscribed. The same error, with other words, is that of an account that may not ask.
//
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_DescribeHub.html
func off(err error) bool {
	var unsubscribed *types.InvalidAccessException
	return errors.As(err, &unsubscribed) && strings.Contains(strings.ToLower(unsubscribed.ErrorMessage()), "not subscribed")
}

func read(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	api := cloud.Service(r, "securityhub", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *sdk.Client { return sdk.NewFromConfig(cfg) })
	_, err := api.DescribeHub(ctx, &sdk.DescribeHubInput{})
	enabled := !off(err)
	if err != nil && enabled {
		return err
	}
	x.Config.(*hub.Hub).Enabled = &enabled
	return nil
}
