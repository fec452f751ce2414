package wire_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/glacier/vault"
	"dera.example/dera/services/glacier/vault/wire"
	"dera.example/dera/services/policies/policytest"
)

func TestWire(t *testing.T) {
	t.Parallel()
	policytest.Suite{
		Wire: wire.Wire(), Type: vault.Type(), Policy: func(c any) *resourcepolicy.Config { return c.(*resourcepolicy.Config) },
		ID: "archive", List: "ListVaults", Read: "GetVaultAccessPolicy", Tags: "ListTagsForVault", Put: "SetVaultAccessPolicy", Delete: "DeleteVaultAccessPolicy",
		Routes: map[string]string{
			"ListVaults": "GET /[^/]+/vaults/?", "GetVaultAccessPolicy": "GET /[^/]+/vaults/[^/]+/access-policy", "ListTagsForVault": "GET /[^/]+/vaults/[^/]+/tags",
			"SetVaultAccessPolicy": "PUT /[^/]+/vaults/[^/]+/access-policy", "DeleteVaultAccessPolicy": "DELETE /[^/]+/vaults/[^/]+/access-policy",
		},
		Listed: func(ids []string, next string) string {
			if next != "" {
				next = `,"Marker":"` + next + `"`
			}
			return `{"VaultList":[{"VaultName":"` + ids[0] + `"}]` + next + `}`
		},
		Tell: func(policy string) string {
			if policy == "" {
				return `!ResourceNotFoundException`
			}
			return `{"Policy":` + policytest.JSON(policy) + `}`
		},
		Tagged: `{"Tags":{"team":"a"}}`,
		Written: func(body string, _ url.Values) string {
			var in map[string]any
			if json.Unmarshal([]byte(body), &in) != nil {
				return "no JSON: " + body
			}
			text, _ := in["Policy"].(string)
			return text
		},
		Gone: "ResourceNotFoundException", Unlisted: `{"VaultList":[]}`, Foreign: []string{`{}`, `{"Policy":""}`},
	}.Run(t)
}
