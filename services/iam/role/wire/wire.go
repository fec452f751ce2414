// Package wire reads IAM roles.
package wire

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"dera.example/dera/cloud"
	"dera.example/dera/services/iam/role"
)

// times is how many times the timeout of a read the read of all roles may take, and
// atOnce how many roles are read at the same time.
const (
	times  = 15
	atOnce = 4
)

// Wire returns how roles are read. Nothing is written: no control is about them.
func Wire() cloud.Wire {
	return cloud.Wire{
		Type: role.Name, Parts: role.Parts(), Find: find, Sample: sample, Times: times, AtOnce: atOnce,
		Readers: []cloud.Reader{
			{Parts: []string{role.PartActivity}, Port: role.PortUsage, Take: func(x *cloud.Item, answer json.RawMessage) error {
				return json.Unmarshal(answer, &x.Config.(*role.Role).Activity)
			}},
			{Parts: []string{role.PartRole}, Call: "iam:GetRole", One: readRole},
			{Parts: []string{role.PartInline}, Call: "iam:ListRolePolicies", One: readInline},
			{Parts: []string{role.PartAttached}, Call: "iam:ListAttachedRolePolicies", One: readAttached},
			{Parts: []string{role.PartDocument}, Call: "iam:GetPolicy", One: readDocuments},
		},
		Gone: func(_ context.Context, _ *cloud.Reading, _ *cloud.Item, err error) bool {
			return cloud.Is(err, cloud.NotFound) && callOf(err) == "iam:GetRole"
		},
		Unread: func(c any, part string) {
			if r := c.(*role.Role); r.Knows(part) {
				r.Unread = append(r.Unread, part)
				slices.Sort(r.Unread)
			}
		},
		ConfigRules: []string{"IAM_ROLE_*"},
	}
}

func client(r *cloud.Reading) *iam.Client {
	return cloud.Service(r, "iam roles", r.Scope.Account, r.Home(), func(cfg aws.Config) *iam.Client { return iam.NewFromConfig(cfg) })
}
