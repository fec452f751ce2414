// Package wire reads and writes trust anchors on IAM Roles Anywhere.
package wire

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"

	"dera.example/dera/cloud"
	own "dera.example/dera/services/rolesanywhere"
	"dera.example/dera/services/rolesanywhere/trustanchor"
	shared "dera.example/dera/services/rolesanywhere/wire"
)

// Wire returns how trust anchors are read and written.
func Wire() cloud.Wire {
	return shared.Calls{
		Kind: trustanchor.Kind(),
		Get: func(ctx context.Context, api *rolesanywhere.Client, id string) (shared.Read, error) {
			out, err := api.GetTrustAnchor(ctx, &rolesanywhere.GetTrustAnchorInput{TrustAnchorId: aws.String(id)})
			if err != nil {
				return shared.Read{}, err
			}
			if out.TrustAnchor == nil {
				return shared.Read{}, nil
			}
			return read(*out.TrustAnchor), nil
		},
		List: func(ctx context.Context, api *rolesanywhere.Client, token *string) (list []shared.Read, next *string, err error) {
			out, err := api.ListTrustAnchors(ctx, &rolesanywhere.ListTrustAnchorsInput{NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			for _, a := range out.TrustAnchors {
				list = append(list, read(a))
			}
			return list, out.NextToken, nil
		},
		Switch: func(ctx context.Context, api *rolesanywhere.Client, id string, on bool) error {
			if on {
				_, err := api.EnableTrustAnchor(ctx, &rolesanywhere.EnableTrustAnchorInput{TrustAnchorId: aws.String(id)})
				return err
			}
			_, err := api.DisableTrustAnchor(ctx, &rolesanywhere.DisableTrustAnchorInput{TrustAnchorId: aws.String(id)})
			return err
		},
	}.Wire()
}

func read(a types.TrustAnchorDetail) shared.Read {
	e := shared.Read{ARN: aws.ToString(a.TrustAnchorArn), Entry: own.Entry{ID: aws.ToString(a.TrustAnchorId), Name: aws.ToString(a.Name), Enabled: a.Enabled}}
	if s := a.Source; s != nil {
		e.Source = string(s.SourceType)
		if ca, ok := s.SourceData.(*types.SourceDataMemberAcmPcaArn); ok {
			e.Source = strings.TrimSpace(e.Source + " " + ca.Value)
		}
	}
	return e
}
