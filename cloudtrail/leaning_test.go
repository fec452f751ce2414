package cloudtrail

import (
	"testing"

	"dera.example/dera"
)

// TestLeaning: what opens to everybody goes first, what takes access away last, and what is not sure stands between.
func TestLeaning(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		call, request string
		want          dera.Leaning
	}{
		"ssh_to_the_world":        {"AuthorizeSecurityGroupIngress", `{"ipPermissions":{"items":[{"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}`, dera.LeansOpen},
		"ipv6":                    {"AuthorizeSecurityGroupIngress", `{"cidrIpv6":"::/0"}`, dera.LeansOpen},
		"a_network_of_ours":       {"AuthorizeSecurityGroupIngress", `{"cidrIp":"10.0.0.0/8"}`, dera.LeansNowhere},
		"a_revoked_world":         {"RevokeSecurityGroupIngress", `{"cidrIp":"0.0.0.0/0"}`, dera.LeansClosed},
		"a_policy_for_everybody":  {"PutBucketPolicy", `{"bucketPolicy":{"Statement":[{"Principal":"*"}]}}`, dera.LeansOpen},
		"a_policy_as_text":        {"SetQueueAttributes", `{"attributes":{"Policy":"{\"Statement\":[{\"Principal\":{\"AWS\":\"*\"}}]}"}}`, dera.LeansOpen},
		"a_snapshot_for_all":      {"ModifySnapshotAttribute", `{"createVolumePermission":{"add":{"items":[{"group":"all"}]}}}`, dera.LeansOpen},
		"a_block_that_is_deleted": {"DeletePublicAccessBlock", `{}`, dera.LeansNowhere},
		"a_trail_that_is_deleted": {"DeleteTrail", `{}`, dera.LeansNowhere},
		"a_trail_that_stops":      {"StopLogging", `{}`, dera.LeansNowhere},
		"a_policy_that_goes":      {"DeleteBucketPolicy", `{}`, dera.LeansClosed},
		"nothing_said":            {"ModifyDBInstance", ``, dera.LeansNowhere},
	} {
		if got := (Record{Name: tc.call, Request: []byte(tc.request)}).Leaning(); got != tc.want {
			t.Errorf("%s: got %d, want %d", name, got, tc.want)
		}
	}
}
