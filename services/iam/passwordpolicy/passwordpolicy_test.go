package passwordpolicy_test

import (
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam/passwordpolicy"
)

// TestDeclare: Terraform has the settings that change, and all of them where there was no
// policy; what deletes the policy is declared by nothing.
func TestDeclare(t *testing.T) {
	t.Parallel()
	strict := passwordpolicy.Rules{Own: true, Length: 14, Uppercase: true, Lowercase: true, Numbers: true, Symbols: true, Reuse: 24}
	short := strict
	short.Length = 9
	for name, tc := range map[string]struct {
		before, after passwordpolicy.Rules
		language      string
		want          string // of the changed lines
	}{
		"short":          {short, strict, resource.Terraform, "- minimum_password_length = 9\n+ minimum_password_length = 14"},
		"none":           {passwordpolicy.Default(), strict, resource.Terraform, "+ minimum_password_length = 14\n+ require_uppercase_characters = true\n+ require_lowercase_characters = true\n+ require_numbers = true\n+ require_symbols = true\n+ password_reuse_prevention = 24"},
		"deleted":        {strict, passwordpolicy.Default(), resource.Terraform, ""},
		"cloudformation": {short, strict, resource.CloudFormation, ""},
	} {
		p := &passwordpolicy.Policy{Account: "111122223333", Rules: tc.before}
		c, err := p.Set(tc.after)
		if err != nil {
			t.Fatal(err)
		}
		plan := dera.Plan{Type: passwordpolicy.Name, Resource: passwordpolicy.ARNOf("aws", p.Account), Changes: []dera.Change{c}}
		lines, err := resource.NewRegistry(passwordpolicy.Type()).Declare(p, plan, resource.Format{Language: tc.language})
		var got []string
		for _, l := range lines {
			if strings.HasPrefix(l, "+ ") || strings.HasPrefix(l, "- ") {
				got = append(got, strings.Join(strings.Fields(l), " "))
			}
		}
		if text := strings.Join(got, "\n"); text != tc.want || (err != nil) != (tc.want == "") {
			t.Errorf("%s: got %v\n%s\nwant\n%s", name, err, text, tc.want)
		}
	}
}

// TestOperations: each write makes only what it can make, of its own account.
func TestOperations(t *testing.T) {
	t.Parallel()
	p := &passwordpolicy.Policy{Account: "111122223333", Rules: passwordpolicy.Default()}
	for name, op := range map[string]resource.Operation{
		"another_account": {Name: passwordpolicy.Put, Version: 1, Input: []byte(`{"account":"444455556666","rules":{"own":true}}`)},
		"puts_nothing":    {Name: passwordpolicy.Put, Version: 1, Input: []byte(`{"account":"111122223333","rules":{"own":false}}`)},
		"deletes_to_some": {Name: passwordpolicy.Delete, Version: 1, Input: []byte(`{"account":"111122223333","rules":{"own":false,"minimum_length":9}}`)},
		"later_version":   {Name: passwordpolicy.Put, Version: 2, Input: []byte(`{}`)},
	} {
		if got, err := passwordpolicy.Type().Apply(p, op); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}
