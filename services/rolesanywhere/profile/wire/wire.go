// Package wire reads and writes profiles on IAM Roles Anywhere.
package wire

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"

	"dera.example/dera/cloud"
	own "dera.example/dera/services/rolesanywhere"
	"dera.example/dera/services/rolesanywhere/profile"
	shared "dera.example/dera/services/rolesanywhere/wire"
)

// Wire returns how profiles are read and written.
func Wire() cloud.Wire {
	return shared.Calls{
		Kind: profile.Kind(),
		Get: func(ctx context.Context, api *rolesanywhere.Client, id string) (shared.Read, error) {
			out, err := api.GetProfile(ctx, &rolesanywhere.GetProfileInput{ProfileId: aws.String(id)})
			if err != nil {
				return shared.Read{}, err
			}
			if out.Profile == nil {
				return shared.Read{}, nil
			}
			return read(*out.Profile), nil
		},
		List: func(ctx context.Context, api *rolesanywhere.Client, token *string) (list []shared.Read, next *string, err error) {
			out, err := api.ListProfiles(ctx, &rolesanywhere.ListProfilesInput{NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			for _, p := range out.Profiles {
				list = append(list, read(p))
			}
			return list, out.NextToken, nil
		},
		Switch: func(ctx context.Context, api *rolesanywhere.Client, id string, on bool) error {
			if on {
				_, err := api.EnableProfile(ctx, &rolesanywhere.EnableProfileInput{ProfileId: aws.String(id)})
				return err
			}
			_, err := api.DisableProfile(ctx, &rolesanywhere.DisableProfileInput{ProfileId: aws.String(id)})
			return err
		},
	}.Wire()
}

func read(p types.ProfileDetail) shared.Read {
	roles := slices.Sorted(slices.Values(p.RoleArns))
	return shared.Read{ARN: aws.ToString(p.ProfileArn), Entry: own.Entry{ID: aws.ToString(p.ProfileId), Name: aws.ToString(p.Name), Enabled: p.Enabled, Roles: roles}}
}
