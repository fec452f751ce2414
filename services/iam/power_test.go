package iam

import (
	"fmt"
	"strings"
	"testing"

	"dera.example/dera/control"
)

// TestAdministrator_costs: policies that are made to be slow, as many as an identity has of
// them by its groups, are judged.
func TestAdministrator_costs(t *testing.T) {
	t.Parallel()
	var pairs, letters []string
	for a := 'a'; a <= 'z'; a++ {
		for b := 'a'; b <= 'z'; b += 2 {
			pairs = append(pairs, fmt.Sprintf(`"*:*%c*%c*"`, a, b))
		}
		letters = append(letters, fmt.Sprintf(`"s3:%[1]c*","ec2:%[1]c*","iam:%[1]c*","rds:%[1]c*","lambda:%[1]c*"`, a))
	}
	allow := func(list []string) string {
		return `{"Effect":"Allow","Action":[` + strings.Join(list, ",") + `],"Resource":"*"}`
	}
	for name, text := range map[string]func(n int) string{
		"patterns_of_services": func(n int) string {
			return fmt.Sprintf(`{"Effect":"Allow","NotAction":"iam:*%d","Resource":"arn:aws:s3:::*a*b*c*d*e*%d"},`, n, n) + allow(pairs[n%10:])
		},
		"parts_of_services": func(n int) string {
			return fmt.Sprintf(`{"Effect":"Allow","NotAction":["iam:Create*","s3:Get*","ec2:D*"],"Resource":"*"},{"Effect":"Deny","Action":"*:Delete*%d","Resource":"arn:aws:s3:::*x*"},`, n) + allow(letters)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := Granting{What: "Role"}
			for n := range 30 {
				x := Text{Name: fmt.Sprintf("policy %d", n), Document: `{"Version":"2012-10-17","Statement":[` + text(n) + `]}`}
				g.Whole, g.Listed = append(g.Whole, x), append(g.Listed, x)
			}
			if r := g.Administrator(); r.Outcome != control.Fail || r.Failures[0].Key != AdministratorKey {
				t.Errorf("got %+v, want an administrator", r)
			}
		})
	}
}
