package document_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera/resource/document"
)

// TestDiffPolicy: a diff names the elements that a statement loses and gets, never a
// value of a condition, and is empty only for what says the same.
func TestDiffPolicy(t *testing.T) {
	t.Parallel()
	doc := func(statements ...string) string {
		return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	}
	const (
		wide   = `{"Sid":"App","Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject"],"Resource":"*"}`
		narrow = `{"Sid":"App","Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`
		other  = `{"Effect":"Allow","Action":"ec2:RunInstances","Resource":"*"}`
		trust  = `{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::999999999999:root"]},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"%s"}}}`
		own    = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"secret"}}}`
	)
	for name, tc := range map[string]struct {
		before, after string
		want          []string
	}{
		"same":            {doc(wide, other), doc(other, wide), nil},
		"actions":         {doc(wide, other), doc(narrow, other), []string{`- x statement 1 "App": s3:PutObject`, `- x statement 1 "App": s3:DeleteObject`}},
		"statement_gone":  {doc(wide, other), doc(wide), []string{"- x statement 2: allow ec2:RunInstances on *"}},
		"statement_new":   {doc(other), doc(other, narrow), []string{`+ x statement 2 "App": allow s3:GetObject on *`}},
		"principal":       {doc(fmt.Sprintf(trust, "secret")), doc(own), []string{"- x statement 1: principal AWS arn:aws:iam::999999999999:root"}},
		"condition_value": {doc(fmt.Sprintf(trust, "secret")), doc(fmt.Sprintf(trust, "hidden")), []string{"- x statement 1: allow arn:aws:iam::111122223333:root, arn:aws:iam::999999999999:root sts:AssumeRole when StringEquals sts:ExternalId", "+ x statement 1: allow arn:aws:iam::111122223333:root, arn:aws:iam::999999999999:root sts:AssumeRole when StringEquals sts:ExternalId"}},
		"new_policy":      {"", doc(narrow), []string{`+ x statement 1 "App": allow s3:GetObject on *`}},
		"unreadable":      {"{", doc(narrow), []string{"- x policy that cannot be read", "+ x policy that cannot be read"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := document.DiffPolicy("x ", tc.before, tc.after)
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("diff (-want +got):\n%s", d)
			}
			if text := strings.Join(got, "\n"); strings.Contains(text, "secret") || strings.Contains(text, "hidden") {
				t.Errorf("a value of a condition shows: %s", text)
			}
		})
	}
}
