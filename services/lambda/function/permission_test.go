package function_test

import (
	"testing"

	"dera.example/dera/services/lambda/function"
)

// TestPermissionOf: only what AddPermission takes is said to be made again.
func TestPermissionOf(t *testing.T) {
	t.Parallel()
	for principal, want := range map[string]string{
		`"*"`:         "*",
		`{"AWS":"*"}`: "*",
		`{"AWS":"arn:aws:iam::111122223333:root"}`:   "111122223333",
		`{"AWS":"arn:aws:iam::111122223333:role/x"}`: "arn:aws:iam::111122223333:role/x",
		`{"Service":"s3.amazonaws.com"}`:             "s3.amazonaws.com",
		`{"AWS":"AROAABCDEFGHIJKLMNOPQ"}`:            "", // of a role that was deleted: IAM knows no such principal
	} {
		p, err := function.PermissionOf(`{"Sid":"a","Effect":"Allow","Principal":` + principal + `,"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:eu-west-1:111122223333:function:f"}`)
		if (err == nil) != (want != "") || err == nil && p.Principal != want {
			t.Errorf("%s: got %q, %v, want %q", principal, p.Principal, err, want)
		}
	}
}
