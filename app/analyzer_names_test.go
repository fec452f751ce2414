package app

import (
	"testing"

	"dera.example/dera"
)

// TestSameResource: only IAM's ARNs have paths that events leave out.
func TestSameResource(t *testing.T) {
	t.Parallel()
	const at = ":eu-west-1:111122223333:"
	for _, tt := range []struct {
		a, b dera.ARN
		want bool
	}{
		{"arn:aws:iam::111122223333:role/ops/deploy", "arn:aws:iam::111122223333:role/deploy", true},
		{"arn:aws:iam::111122223333:role/deploy", "arn:aws:iam::111122223333:user/deploy", false},
		{"arn:aws:ecr" + at + "repository/team/app", "arn:aws:ecr" + at + "repository/team/app", true},
		{"arn:aws:ecr" + at + "repository/team/app", "arn:aws:ecr" + at + "repository/other/app", false},
		{"arn:aws:ecr" + at + "repository/team/app", "arn:aws:ecr" + at + "repository/app", false},
		{"arn:aws:secretsmanager" + at + "secret:prod/db-AbCdEf", "arn:aws:secretsmanager" + at + "secret:test/db-AbCdEf", false},
	} {
		if got := sameResource(tt.a, tt.b); got != tt.want {
			t.Errorf("%s and %s: got %t", tt.a, tt.b, got)
		}
	}
}
