package securityhub

import (
	"strings"
	"testing"
	"time"

	"dera.example/dera"
)

// TestBlankTag: a tag that is a blank leaves no member of the finding blank, of which Security Hub refuses all of it.
func TestBlankTag(t *testing.T) {
	t.Parallel()
	f := Finding{Finding: dera.Finding{ID: "f-1", Control: "c", Key: "k", Title: "t", Owner: " ", Remediation: "\t", Partition: "aws", Account: "111122223333", Region: "eu-west-1", Resource: group, FirstSeen: time.Unix(0, 0)}, Version: "dev"}
	for name, value := range ToASFF(f).ProductFields {
		if strings.TrimSpace(value) == "" {
			t.Errorf("%s is %q", name, value)
		}
	}
}
