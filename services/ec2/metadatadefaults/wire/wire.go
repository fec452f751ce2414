// Package wire reads and writes the defaults of the instance metadata service.
package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/cloud"
	"dera.example/dera/control/regional"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/metadatadefaults"
	shared "dera.example/dera/services/ec2/wire"
)

// Wire returns how the defaults are read and written: one call a region.
func Wire() cloud.Wire {
	k := metadatadefaults.Kind()
	w := shared.Regional(k, cloud.Reader{Parts: []string{regional.PartState}, Call: k.Reads[0], One: read})
	w.Do = map[string]func(context.Context, *cloud.Writing) error{metadatadefaults.Modify: modify}
	return w
}

// read: a default that the answer leaves out is none.
func read(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := shared.EC2(r, r.Scope.Account, r.Scope.Region).GetInstanceMetadataDefaults(ctx, &ec2.GetInstanceMetadataDefaultsInput{})
	if err == nil && out.AccountLevel == nil {
		err = cloud.Foreign("it has no defaults of the account")
	}
	if err != nil {
		return err
	}
	a := out.AccountLevel
	others := map[string]string{}
	for name, v := range map[string]string{
		"http_endpoint": string(a.HttpEndpoint), "http_tokens_enforced": string(a.HttpTokensEnforced), "instance_metadata_tags": string(a.InstanceMetadataTags),
	} {
		if v != "" {
			others[name] = v
		}
	}
	if a.HttpPutResponseHopLimit != nil {
		others["http_put_response_hop_limit"] = strconv.Itoa(int(*a.HttpPutResponseHopLimit))
	}
	if len(others) > 0 {
		x.Config.(*regional.Setting).Others = others
	}
	state := string(a.HttpTokens)
	if state == "" {
		state = metadatadefaults.NoPreference
	}
	return shared.SetState(x, state, string(a.ManagedBy))
}

// modify names the tokens alone: the other defaults stay as they are.
func modify(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err != nil {
		return err
	}
	var state types.MetadataDefaultHttpTokensState
	if err := json.Unmarshal(in.Value, &state); err != nil {
		return w.Fail(metadatadefaults.Modify, fmt.Errorf("the state: %w", err))
	}
	_, err = ec2.NewFromConfig(w.Config).ModifyInstanceMetadataDefaults(ctx, &ec2.ModifyInstanceMetadataDefaultsInput{HttpTokens: state, DryRun: aws.Bool(w.Dry)})
	return err
}
