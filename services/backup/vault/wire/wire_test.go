package wire_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/backup/vault"
	"dera.example/dera/services/backup/vault/wire"
	"dera.example/dera/services/policies/policytest"
)

func TestWire(t *testing.T) {
	t.Parallel()
	policytest.Suite{
		Wire: wire.Wire(), Type: vault.Type(), Policy: func(c any) *resourcepolicy.Config { return c.(*resourcepolicy.Config) },
		ID: "dr", List: "ListBackupVaults", Read: "GetBackupVaultAccessPolicy", Tags: "ListTags", Put: "PutBackupVaultAccessPolicy", Delete: "DeleteBackupVaultAccessPolicy",
		Routes: map[string]string{
			"ListBackupVaults": "GET /backup-vaults/?", "GetBackupVaultAccessPolicy": "GET /backup-vaults/[^/]+/access-policy", "ListTags": "GET /tags/.*",
			"PutBackupVaultAccessPolicy": "PUT /backup-vaults/[^/]+/access-policy", "DeleteBackupVaultAccessPolicy": "DELETE /backup-vaults/[^/]+/access-policy",
		},
		Listed: func(ids []string, next string) string {
			if next != "" {
				next = `,"NextToken":"` + next + `"`
			}
			return `{"BackupVaultList":[{"BackupVaultName":"` + ids[0] + `","BackupVaultArn":"arn:aws:backup:us-east-1:111122223333:backup-vault:` + ids[0] + `"},{"BackupVaultName":"shared","BackupVaultArn":"arn:aws:backup:us-east-1:999988887777:backup-vault:shared"}]` + next + `}`
		},
		Tell: func(policy string) string {
			if policy == "" {
				return `!ResourceNotFoundException`
			}
			return `{"BackupVaultName":"dr","Policy":` + policytest.JSON(policy) + `}`
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
		Gone: "ResourceNotFoundException", Unlisted: `{"BackupVaultList":[]}`, Foreign: []string{`{}`, `{"BackupVaultName":"x","Policy":"{}"}`},
	}.Run(t)
}
