//go:build !demo

package cloud

import (
	"strings"
	"testing"

	"dera.example/dera"
)

// TestCustomFixIsNotDera: a document acts as no role of dera, whether the role is given or its own.
func TestCustomFixIsNotDera(t *testing.T) {
	t.Parallel()
	const reader, writer, other = "arn:aws:iam::111122223333:role/dera-reader", "arn:aws:iam::111122223333:role/dera", "arn:aws:iam::111122223333:role/fix"
	own := Account{ID: "111122223333", RoleARN: reader, WriteRoleARN: writer}
	for _, tt := range []struct {
		assumes string
		given   dera.ARN
		says    string
	}{
		{"{{ AutomationAssumeRole }}", other, ""},
		{other, "", ""},
		{"{{ AutomationAssumeRole }}", writer, "a role of dera's"},
		{"{{ AutomationAssumeRole }}", reader, "a role of dera's"},
		{writer, "", "a role of dera's"},
		{writer, other, "a role of dera's"},
		{"{{ AutomationAssumeRole }}", "", "name one"},
	} {
		err := bound{assumes: tt.assumes}.actsAs(dera.CustomInput{Document: "Acme-Fix", Role: tt.given}, own)
		if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s, given %q: got %v, want %q", tt.assumes, tt.given, err, tt.says)
		}
	}
	if err := (bound{assumes: other}).actsAs(dera.CustomInput{Document: "Acme-Fix"}, Account{}); err != nil {
		t.Errorf("of an account without a role: got %v", err)
	}
}
