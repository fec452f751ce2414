package key

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"

	"github.com/google/go-cmp/cmp"
)

// TestHints: a call names the key by its ID or ARN; where it does not say, all keys
// are looked at.
func TestHints(t *testing.T) {
	t.Parallel()
	watch := cloudtrail.NewWatch(Events())
	for name, tc := range map[string]struct{ call, request, response, want string }{
		"by_id":           {"DisableKeyRotation", `{"keyId":"k-1"}`, "null", "k-1"},
		"by_arn":          {"EnableKey", `{"keyId":"arn:aws:kms:eu-west-1:111122223333:key/mrk-1"}`, "null", "mrk-1"},
		"by_alias":        {"DisableKey", `{"keyId":"alias/x"}`, "null", ""},
		"by_alias_of_arn": {"DisableKey", `{"keyId":"arn:aws:kms:eu-west-1:111122223333:alias/x"}`, "null", ""},
		"arn_of_others":   {"DisableKey", `{"keyId":"arn:aws:s3:::x"}`, "null", ""},
		"new_key":         {"CreateKey", `{"keyUsage":"ENCRYPT_DECRYPT"}`, `{"keyMetadata":{"keyId":"k-2","arn":"x"}}`, "k-2"},
		"new_key_untold":  {"CreateKey", `{"keyId":"k-1"}`, "null", ""},
		"two_keys":        {"UpdatePrimaryRegion", `{"keyId":"mrk-1"}`, "null", ""},
	} {
		r := cloudtrail.Record{Source: "kms.amazonaws.com", Name: tc.call, Account: "111122223333", Region: "eu-west-1", Partition: "aws", Request: []byte(tc.request), Response: []byte(tc.response)}
		want := dera.Scope{Partition: "aws", Account: "111122223333", Region: "eu-west-1", Type: Name}
		if tc.want != "" {
			want.IDs = []string{tc.want}
		}
		if d := cmp.Diff([]dera.Scope{want}, watch.Hints(r)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
