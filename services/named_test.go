package services

import (
	"encoding/json"
	"strings"
	"testing"

	"dera.example/dera/cloudtrail"
)

// TestHintsCanBeKept: PostgreSQL takes no text with U+0000. A hint with such an ID could never be committed, and would
// take the message with it to the dead-letter queue.
func TestHintsCanBeKept(t *testing.T) {
	t.Parallel()
	members := strings.Fields("groupId groupName bucketName name Name roleName userName policyArn resourceArn resourceName imageId snapshotId " +
		"secretId keyId queueUrl topicArn functionName repositoryName ruleName tableName fileSystemId vaultName backupVaultName dBSnapshotIdentifier " +
		"dBClusterSnapshotIdentifier dBInstanceIdentifier documentName accessKeyId id Id trustAnchorId logGroupName eventBusName qualifier key")
	for _, text := range []string{"a\x00", "\x00", "arn:aws:rds:eu-west-1:111122223333:snapshot:a\x00", "\xff", strings.Repeat("ü", 300), strings.Repeat("a", 5000)} {
		o := map[string]string{}
		for _, m := range members {
			o[m] = text
		}
		body, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		watch := Watch()
		for _, c := range watch.Calls() {
			for _, r := range []cloudtrail.Record{{Request: body}, {Response: body}} {
				r.Source, r.Name, r.Account, r.Region, r.Partition = c.Source, c.Name, "111122223333", "eu-west-1", "aws"
				for _, s := range watch.Hints(r) {
					if key := s.Key(); len(key) > 3000 || strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' }) {
						t.Errorf("%s: got a hint at %.80q", c.Name, key)
					}
				}
			}
		}
	}
}
