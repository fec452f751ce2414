package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/iam/policy"
)

// statements writes a policy from "Effect Action Resource [Operator Key Value]"
// lines; lists have commas, "&" is a comma, and a "!" before a list makes it a Not.
func statements(lines ...string) string {
	list := func(name, text string) string {
		if after, ok := strings.CutPrefix(text, "!"); ok {
			name, text = "Not"+name, after
		}
		return fmt.Sprintf(`%q:["%s"]`, name, strings.ReplaceAll(strings.Join(strings.Split(text, ","), `","`), "&", ","))
	}
	var out []string
	for _, line := range lines {
		w := strings.Fields(line)
		st := fmt.Sprintf(`{"Effect":%q,%s,%s`, w[0], list("Action", w[1]), list("Resource", w[2]))
		for i := 3; i+2 < len(w); i += 3 {
			st += fmt.Sprintf(`,"Condition":{%q:{%q:["%s"]}}`, w[i], w[i+1], strings.Join(strings.Split(w[i+2], ","), `","`))
		}
		out = append(out, st+"}")
	}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(out, ",") + `]}`
}

func TestIncluded(t *testing.T) {
	t.Parallel()
	const all = "Allow s3:* *"
	for _, test := range []struct {
		name       string
		old, fresh []string
		want       bool
	}{
		{"the_same", []string{"Allow s3:Get* arn:aws:s3:::b"}, []string{"Allow s3:Get* arn:aws:s3:::b"}, true},
		{"action_entry", []string{"Allow s3:Get*,s3:Put* *"}, []string{"Allow S3:GetObject,s3:Put?bject,s3:G*t*t *"}, false},
		{"action_entries", []string{"Allow s3:Get*,s3:Put* *"}, []string{"Allow S3:GetObject,s3:Put?bject,s3:Get*t *"}, true},
		{"star", []string{"Allow * *"}, []string{"Allow *:*,ec2:*,ec2:Run,nothing *"}, true},
		{"no_star", []string{"Allow ec2:* *"}, []string{"Allow * *"}, false},
		{"other_service", []string{"Allow ec2:* *"}, []string{"Allow s3:* *"}, false},
		{"not_action", []string{"Allow !iam:* *"}, []string{"Allow !iam:*,sts:* *"}, true},
		{"not_action_wider", []string{"Allow !iam:*,sts:A* *"}, []string{"Allow !iam:* *"}, false},
		{"not_action_exact", []string{"Allow !iam:A *"}, []string{"Allow !iam:B *"}, false},
		{"not_action_of_everything", []string{"Allow !* *"}, []string{"Allow !iam:* *"}, false},
		{"not_action_in_star", []string{"Allow * *"}, []string{"Allow !iam:* *"}, true},
		{"not_action_in_list", []string{"Allow iam:* *"}, []string{"Allow !iam:* *"}, false},
		{"entry_in_not_action", []string{"Allow !iam:* *"}, []string{"Allow s3:* *"}, true},
		{"entry_not_in_not_action", []string{"Allow !iam:Get*,sts:Get,s3:Ge? *"}, []string{"Allow sts:G* *"}, false},
		{"entry_not_in_not_action_glob", []string{"Allow !iam:Get* *"}, []string{"Allow iam:*t *"}, false},
		{"star_not_in_not_action", []string{"Allow !iam:Get* *"}, []string{"Allow * *"}, false},

		{"resource_entry", []string{"Allow s3:* arn:aws:s3:::a*,arn:aws:s3:::b*"}, []string{"Allow s3:* arn:aws:s3:::bb,arn:aws:s3:::a?c*"}, true},
		{"resource_outside", []string{"Allow s3:* arn:aws:s3:::a*"}, []string{"Allow s3:* arn:aws:s3:::b"}, false},
		{"resource_star", []string{all}, []string{"Allow s3:* x,y"}, true},
		{"resource_crosses_colons_in_one_reading", []string{"Allow s3:* arn:aws:*:x"}, []string{"Allow s3:* arn:aws:s3:::a:x"}, false},
		{"short_resource_in_one_reading", []string{"Allow s3:* arn:aws:s3"}, []string{"Allow s3:* arn:aws:s3:::b"}, false},
		{"not_resource", []string{"Allow s3:* !arn:aws:s3:::a*"}, []string{"Allow s3:* arn:aws:s3:::b"}, true},
		{"not_resource_hit", []string{"Allow s3:* !arn:aws:s3:::a*"}, []string{"Allow s3:* arn:aws:s3:::*"}, false},
		{"not_resource_of_both", []string{"Allow s3:* !arn:aws:s3:::a*"}, []string{"Allow s3:Get* !arn:aws:s3:::a*"}, true},
		{"not_resource_is_no_list", []string{"Allow s3:* arn:aws:s3:::a*"}, []string{"Allow s3:* !arn:aws:s3:::a*"}, false},
		{"variable_the_same", []string{"Allow s3:* a/${aws:username}"}, []string{"Allow s3:Get* a/${aws:username}"}, true},
		{"variable_other", []string{"Allow s3:* a/${aws:username}"}, []string{"Allow s3:* a/${aws:userid}"}, false},
		{"variable_not_followed", []string{"Allow s3:* a/*"}, []string{"Allow s3:* a/${aws:userid}"}, false},
		{"variable_only_in_old", []string{"Allow s3:* *,a/${aws:userid}"}, []string{"Allow s3:* a"}, false},

		{"condition_dropped", []string{"Allow s3:* * StringEquals k:a x"}, []string{all}, false},
		{"condition_added", []string{all}, []string{"Allow s3:* * StringEquals k:a x"}, true},
		{"other_key", []string{"Allow s3:* * StringEquals k:a x"}, []string{"Allow s3:* * StringEquals k:b x"}, false},
		{"fewer_values", []string{"Allow s3:* * StringEquals k:a x,y"}, []string{"Allow s3:* * StringEquals K:A y"}, true},
		{"more_values", []string{"Allow s3:* * StringEquals k:a x"}, []string{"Allow s3:* * StringEquals k:a x,y"}, false},
		{"negated_more_values", []string{"Allow s3:* * StringNotEquals k:a x"}, []string{"Allow s3:* * StringNotEquals k:a x,y"}, true},
		{"negated_fewer_values", []string{"Allow s3:* * StringNotLike k:a x,y*"}, []string{"Allow s3:* * StringNotLike k:a x"}, false},
		{"if_exists_weaker", []string{"Allow s3:* * StringLikeIfExists k:a x*"}, []string{"Allow s3:* * StringEquals k:a xy"}, true},
		{"if_exists_stronger", []string{"Allow s3:* * StringLike k:a x*"}, []string{"Allow s3:* * StringLikeIfExists k:a x"}, false},
		{"like_in_like", []string{"Allow s3:* * StringLike k:a x*"}, []string{"Allow s3:* * StringLike k:a xy?"}, true},
		{"like_in_equals", []string{"Allow s3:* * StringEquals k:a x"}, []string{"Allow s3:* * StringLike k:a x"}, true},
		{"like_not_in_equals", []string{"Allow s3:* * StringEquals k:a x*"}, []string{"Allow s3:* * StringLike k:a x*"}, false},
		{"equals_star_in_like", []string{"Allow s3:* * StringLike k:a x*"}, []string{"Allow s3:* * StringEquals k:a x*"}, true},
		{"case", []string{"Allow s3:* * StringEqualsIgnoreCase k:a X"}, []string{"Allow s3:* * StringEquals k:a x"}, true},
		{"case_both", []string{"Allow s3:* * StringEqualsIgnoreCase k:a X"}, []string{"Allow s3:* * StringEqualsIgnoreCase k:a x"}, true},
		{"case_not_ascii", []string{"Allow s3:* * StringEqualsIgnoreCase k:a K"}, []string{"Allow s3:* * StringEquals k:a \u212a"}, false},
		{"bool", []string{"Allow s3:* * Bool k:a true"}, []string{"Allow s3:* * Bool k:a TRUE"}, true},
		{"arn", []string{"Allow s3:* * ArnLike k:a arn:aws:iam::*:role/*"}, []string{"Allow s3:* * ArnEquals k:a arn:aws:iam::1:role/x"}, true},
		{"arn_short", []string{"Allow s3:* * ArnLike k:a arn:aws:*"}, []string{"Allow s3:* * ArnLike k:a arn:aws:iam::1:role/x"}, false},
		{"address", []string{"Allow s3:* * IpAddress aws:SourceIp 10.0.0.0/8"}, []string{"Allow s3:* * IpAddress aws:SourceIp 10.1.0.0/16,10.2.3.4"}, true},
		{"address_wider", []string{"Allow s3:* * IpAddress aws:SourceIp 10.0.0.0/8"}, []string{"Allow s3:* * IpAddress aws:SourceIp 0.0.0.0/0"}, false},
		{"address_broken", []string{"Allow s3:* * IpAddress aws:SourceIp 10.0.0.0/8"}, []string{"Allow s3:* * IpAddress aws:SourceIp fe80::1%eth0"}, false},
		{"not_address", []string{"Allow s3:* * NotIpAddress aws:SourceIp 10.1.0.0/16"}, []string{"Allow s3:* * NotIpAddress aws:SourceIp 10.0.0.0/8"}, true},
		{"number_the_same", []string{"Allow s3:* * NumericLessThan k:a 5,6"}, []string{"Allow s3:* * NumericLessThan k:a 5"}, true},
		{"number_smaller", []string{"Allow s3:* * NumericLessThan k:a 6"}, []string{"Allow s3:* * NumericLessThan k:a 5"}, true},
		{"number_larger", []string{"Allow s3:* * NumericLessThan k:a 5"}, []string{"Allow s3:* * NumericLessThan k:a 6"}, false},
		{"number_or_equal", []string{"Allow s3:* * NumericLessThanEquals k:a 5"}, []string{"Allow s3:* * NumericLessThan k:a 5.0"}, true},
		{"number_without_equal", []string{"Allow s3:* * NumericLessThan k:a 5"}, []string{"Allow s3:* * NumericLessThanEquals k:a 5"}, false},
		{"number_in_another_direction", []string{"Allow s3:* * NumericGreaterThan k:a 5"}, []string{"Allow s3:* * NumericLessThan k:a 6"}, false},
		{"number_that_equals", []string{"Allow s3:* * NumericGreaterThanEquals k:a 5"}, []string{"Allow s3:* * NumericEquals k:a 5,7"}, true},
		{"number_that_is_not_equal", []string{"Allow s3:* * NumericNotEquals k:a 5.0"}, []string{"Allow s3:* * NumericNotEquals k:a 5,7"}, true},
		{"number_or_date", []string{"Allow s3:* * DateLessThan k:a 6"}, []string{"Allow s3:* * NumericLessThan k:a 5"}, false},
		{"number_too_long", []string{"Allow s3:* * NumericLessThan k:a 0.00000000000000002"}, []string{"Allow s3:* * NumericLessThan k:a 0.00000000000000001"}, false},
		{"number_unreadable", []string{"Allow s3:* * NumericLessThan k:a 6"}, []string{"Allow s3:* * NumericLessThan k:a five"}, false},
		{"date_earlier", []string{"Allow s3:* * DateLessThan k:a 2027-01-01"}, []string{"Allow s3:* * DateLessThanEquals k:a 2026-12-31T23:59:59Z"}, true},
		{"date_later", []string{"Allow s3:* * DateGreaterThan k:a 2026-01-01"}, []string{"Allow s3:* * DateGreaterThanEquals k:a 2026-01-01"}, false},
		{"set_operators_differ", []string{"Allow s3:* * ForAllValues:StringEquals k:a x"}, []string{"Allow s3:* * ForAnyValue:StringEquals k:a x"}, false},
		{"variable_in_value", []string{"Allow s3:* * StringLike k:a ${aws:userid}*,y"}, []string{"Allow s3:* * StringLike k:a ${aws:userid}*"}, true},
		{"variable_in_value_other", []string{"Allow s3:* * StringLike k:a *"}, []string{"Allow s3:* * StringLike k:a ${aws:userid}"}, false},

		{"denial_removed", []string{all, "Deny s3:Put* *"}, []string{all}, false},
		{"denial_kept", []string{all, "Deny s3:Put* *"}, []string{"Allow s3:Put*,s3:Get* *", "Deny s3:Put* *"}, true},
		{"denial_wider", []string{all, "Deny s3:PutObject arn:aws:s3:::b,arn:aws:s3:::c"}, []string{all, "Deny s3:Put*,!x * "}, true},
		{"denial_of_other_actions", []string{all, "Deny s3:Put* *"}, []string{"Allow s3:Get* *"}, true},
		{"denial_of_other_resources", []string{all, "Deny s3:* arn:aws:s3:::a*"}, []string{"Allow s3:Get* arn:aws:s3:::b"}, true},
		{"denial_that_excludes", []string{all, "Deny s3:* * StringNotEquals k:a x,y"}, []string{"Allow s3:Get* * StringEquals k:a x"}, true},
		{"denial_that_excludes_turned", []string{all, "Deny s3:* * StringEquals k:a x"}, []string{"Allow s3:Get* * StringNotLike k:a x*"}, true},
		{"denial_that_excludes_not_all", []string{all, "Deny s3:* * StringNotEquals k:a x"}, []string{"Allow s3:Get* * StringEquals k:a x,y"}, false},
		{"denial_on_another_key", []string{all, "Deny s3:* * StringNotEquals k:b x"}, []string{"Allow s3:Get* * StringEquals k:a x"}, false},
		{"denials_both_negated", []string{all, "Deny s3:* * StringNotEquals k:a x"}, []string{"Allow s3:Get* * StringNotEquals k:a x"}, false},
		{"denial_may_be_absent", []string{all, "Deny s3:* * StringNotEquals k:a x"}, []string{"Allow s3:Get* * StringEqualsIfExists k:a x"}, false},
		{"denied_anyway", []string{"Allow ec2:* *"}, []string{"Allow ec2:Run*,s3:* *", "Deny s3:* *"}, true},
		{"denied_in_part", []string{"Allow ec2:* *"}, []string{"Allow ec2:Run*,s3:* *", "Deny s3:Get* *"}, false},
		{"denial_by_exception", []string{"Allow * *", "Deny !s3:* *"}, []string{"Allow s3:Get* *"}, true},
		{"denial_by_exception_kept", []string{"Allow * *", "Deny !s3:Get* *"}, []string{"Allow * *", "Deny !s3:Get*,s3:Get *"}, true},
		{"denial_not_resource", []string{"Allow * *", "Deny s3:* !a"}, []string{"Allow s3:Get* a", "Deny s3:* !a"}, true},
		{"denial_but_single", []string{"Allow sqs:* arn:aws:sqs:r:1:a,arn:aws:sqs:r:1:b"}, []string{"Allow sqs:Purge *", "Deny sqs:Purge !arn:aws:sqs:r:1:a,arn:aws:sqs:r:1:b"}, true},
		{"denial_but_single_one_is_lost", []string{"Allow sqs:* arn:aws:sqs:r:1:a"}, []string{"Allow sqs:Purge *", "Deny sqs:Purge !arn:aws:sqs:r:1:a,arn:aws:sqs:r:1:b"}, false},
		{"denial_but_single_of_another_action", []string{"Allow sqs:* arn:aws:sqs:r:1:a"}, []string{"Allow sqs:Purge,sqs:Send *", "Deny sqs:Purge !arn:aws:sqs:r:1:a"}, false},
		{"denial_but_single_with_a_condition", []string{"Allow sqs:* arn:aws:sqs:r:1:a"}, []string{"Allow sqs:Purge *", "Deny sqs:Purge !arn:aws:sqs:r:1:a StringEquals k:a x"}, false},
		{"denial_but_pattern", []string{"Allow sqs:* arn:aws:sqs:r:1:a*"}, []string{"Allow sqs:Purge *", "Deny sqs:Purge !arn:aws:sqs:r:1:a*"}, false},
		{"denial_but_short", []string{"Allow sqs:* arn:aws:sqs"}, []string{"Allow sqs:Purge *", "Deny sqs:Purge !arn:aws:sqs"}, false},
		{"denial_but_variable", []string{"Allow sqs:* arn:aws:sqs:r:1:${aws:userid}"}, []string{"Allow sqs:Purge *", "Deny sqs:Purge !arn:aws:sqs:r:1:${aws:userid}"}, false},
		{"denial_but_single_and_another", []string{"Allow sqs:* *", "Deny sqs:Purge arn:aws:sqs:r:1:a"}, []string{"Allow sqs:Purge *", "Deny sqs:Purge !arn:aws:sqs:r:1:a"}, false},
		{"not_action_and_denial", []string{"Allow * *", "Deny iam:A,iam:B* *"}, []string{"Allow !iam:* *"}, true},
		{"not_action_and_other_denial", []string{"Allow * *", "Deny sts:A *"}, []string{"Allow !iam:* *"}, false},
		{"not_action_and_glob_denial", []string{"Allow * *", "Deny sts:A* *"}, []string{"Allow !iam:* *"}, false},
		{"not_action_and_not_denial", []string{"Allow * *", "Deny !sts:A* *"}, []string{"Allow !iam:* *"}, false},
		{"not_action_and_denial_of_all", []string{"Allow * *", "Deny * *"}, []string{"Allow !iam:* *"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			old, fresh := parse(t, statements(test.old...)), parse(t, statements(test.fresh...))
			err := included(newPolicies([]*policy.Document{fresh}), newPolicies([]*policy.Document{old}), nil)
			if (err == nil) != test.want {
				t.Errorf("got %v, want accepted: %v", err, test.want)
			}
			if _, err := Check(subset(t, statements(test.fresh...), statements(test.fresh...))); err != nil {
				t.Errorf("a policy is not within itself: %v", err)
			}
		})
	}
}

func TestPrincipals(t *testing.T) {
	t.Parallel()
	trust := func(element string) *policy.Document {
		return parse(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",`+element+`"Action":"sts:AssumeRole"}]}`)
	}
	for _, test := range []struct {
		name, old, fresh string
		want             bool
	}{
		{"everyone", `"Principal":"*",`, `"Principal":{"AWS":"111122223333"},`, true},
		{"not_everyone", `"Principal":{"AWS":"111122223333"},`, `"Principal":"*",`, false},
		{"fewer", `"Principal":{"AWS":["1","2"],"Service":"x"},`, `"Principal":{"AWS":"2"},`, true},
		{"more", `"Principal":{"AWS":"1"},`, `"Principal":{"AWS":["1","2"]},`, false},
		{"other_kind", `"Principal":{"AWS":"1"},`, `"Principal":{"Service":"1"},`, false},
		{"none_and_some", ``, `"Principal":{"AWS":"1"},`, false},
		{"some_and_none", `"Principal":"*",`, ``, false},
		{"not_principal", `"NotPrincipal":{"AWS":"1"},`, `"Principal":{"AWS":"2"},`, false},
		{"not_principal_and_a_condition", `"NotPrincipal":{"AWS":"1"},`, `"NotPrincipal":{"AWS":"1"},"Condition":{"Bool":{"aws:SecureTransport":"true"}},`, true},
		{"not_another_principal", `"NotPrincipal":{"AWS":"1"},`, `"NotPrincipal":{"AWS":"2"},"Condition":{"Bool":{"aws:SecureTransport":"true"}},`, false},
		{"not_principal_the_same", `"NotPrincipal":{"AWS":"1"},`, `"NotPrincipal":{"AWS":"1"},`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := included(newPolicies([]*policy.Document{trust(test.fresh)}), newPolicies([]*policy.Document{trust(test.old)}), nil)
			if (err == nil) != test.want {
				t.Errorf("got %v, want accepted: %v", err, test.want)
			}
		})
	}
	empty := &policy.Document{Statements: []policy.Statement{{Effect: policy.Allow, NotActions: []string{}}, {Effect: policy.NoEffect, Actions: []string{"*"}}}}
	if p := newPolicies([]*policy.Document{empty}); len(p.allow)+len(p.deny) > 0 {
		t.Error("a statement without actions counts")
	}
}

// TestCheck_rejects changes a certificate so that it is whole, but not true.
func TestCheck_rejects(t *testing.T) {
	t.Parallel()
	good := func() *Certificate {
		return &Certificate{
			Format: Format, Purpose: Narrow, Semantics: Semantics(),
			Claims: []Claim{{Claim: NothingNew}, {Claim: NothingNewAlone}, {Claim: NothingLost}, {Claim: Gone}},
			Old:    []Document{NewDocument(statements("Allow s3:* *", "Deny s3:B *"))}, New: []Document{NewDocument(statements("Allow s3:Get*,s3:B *", "Deny s3:B *"))},
			Beside: []Document{NewDocument(statements("Allow sqs:* *"))}, Kept: []string{"s3:GetObject", "sqs:Any"}, Removed: []string{"s3:Put*", "s3:B"},
			Witness: &Request{Action: "s3:PutObject", Resource: "x"},
		}
	}
	for _, test := range []struct {
		name   string
		change func(*Certificate)
		want   string // of the error; "" for none
	}{
		{"nothing", func(*Certificate) {}, ""},
		{"format", func(c *Certificate) { c.Format = "other" }, "format"},
		{"purpose", func(c *Certificate) { c.Purpose = "other" }, "purpose"},
		{"semantics", func(c *Certificate) { c.Semantics = c.Semantics[1:] }, "semantics"},
		{"claim_missing", func(c *Certificate) { c.Claims = c.Claims[1:] }, "claims"},
		{"subset_that_keeps", func(c *Certificate) { c.Purpose, c.Claims = Subset, c.Claims[:2] }, "keeps"},
		{"document_digest", func(c *Certificate) { c.Old[0].SHA256 = "0" }, "digest of a policy"},
		{"document_broken", func(c *Certificate) { c.Old[0] = NewDocument("{") }, "cannot be read"},
		{"new_grant", func(c *Certificate) { c.New = append(c.New, NewDocument(statements("Allow ec2:* *"))) }, NothingNew},
		{"new_grant_beside", func(c *Certificate) { c.New = append(c.New, NewDocument(statements("Allow sqs:A *"))) }, NothingNewAlone},
		{"lost", func(c *Certificate) { c.Kept = append(c.Kept, "s3:PutObject") }, NothingLost},
		{"kept_pattern", func(c *Certificate) { c.Kept = append(c.Kept, "s3:Get*") }, "no action"},
		{"left", func(c *Certificate) { c.Removed = append(c.Removed, "s3:*Object") }, "still allows"},
		{"left_beside", func(c *Certificate) { c.Removed = append(c.Removed, "sqs:A") }, "still allows"},
		{"removed_nothing", func(c *Certificate) { c.Removed = nil }, "nothing was removed"},
		{"removed_no_action", func(c *Certificate) { c.Removed = []string{"s3"} }, "no action"},
		{"no_witness", func(c *Certificate) { c.Witness = nil }, "no request"},
		{"witness_still_allowed", func(c *Certificate) { c.Witness.Action = "s3:GetObject" }, "not one that"},
		{"witness_was_denied", func(c *Certificate) { c.Witness.Action = "s3:B" }, "not one that"},
		{"witness_pattern", func(c *Certificate) { c.Witness.Action = "s3:P*" }, "not one that"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := good()
			test.change(c)
			data, err := c.Encode()
			if err != nil {
				t.Fatal(err)
			}
			_, err = Check(data)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	data, err := good().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no_json": "{", "not_canonical": " " + string(data), "unknown_field": strings.Replace(string(data), `{"beside"`, `{"a":1,"beside"`, 1),
		"digest": strings.Replace(string(data), `"digest":"`, `"digest":"0`, 1),
	} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, statement string
		context         map[string][]string
		resource        string
		want            bool
	}{
		{"plain", "Allow s3:Get* *", nil, "x", true},
		{"other_action", "Allow s3:Put* *", nil, "x", false},
		{"part", "Allow s3:* arn:aws:s3:*:x", nil, "arn:aws:s3:::x", false},
		{"completed", "Allow s3:* arn:aws:s3", nil, "arn:aws:s3:::x", true},
		{"not_resource", "Allow s3:* !x", nil, "x", false},
		{"not_resource_other", "Allow s3:* !x", nil, "y", true},
		{"variable", "Allow s3:* a/${aws:username}/*", map[string][]string{"AWS:UserName": {"me*"}}, "a/me*/b", true},
		{"variable_is_no_pattern", "Allow s3:* a/${aws:username}", map[string][]string{"aws:username": {"*"}}, "a/b", false},
		{"variable_missing", "Allow s3:* a/${aws:username}", nil, "a/", false},
		{"variable_with_many", "Allow s3:* a/${aws:username}", map[string][]string{"aws:username": {"a", "b"}}, "a/a", false},
		{"variable_fallback", "Allow s3:* a/${aws:username&'b'}", nil, "a/b", true},
		{"variable_literal", "Allow s3:* a${*}${?}${$}", nil, "a*?$", true},
		{"variable_open", "Allow s3:* a${b", nil, "a${b", true},
		{"variable_in_part", "Allow s3:* arn:aws:s3:${aws:x}::y", map[string][]string{"aws:x": {"a:b"}}, "arn:aws:s3:a:b::y", false},
		{"variable_in_short_arn", "Allow s3:* arn:aws:${aws:x}", map[string][]string{"aws:x": {"s3"}}, "arn:aws:s3:::y", true},
		{"number", "Allow s3:* * NumericLessThan k:a 5", map[string][]string{"k:a": {"4.5"}}, "x", true},
		{"number_equal", "Allow s3:* * NumericEquals k:a 5", map[string][]string{"k:a": {"5.0"}}, "x", true},
		{"number_at_most", "Allow s3:* * NumericLessThanEquals k:a 5", map[string][]string{"k:a": {"5"}}, "x", true},
		{"number_at_least", "Allow s3:* * NumericGreaterThanEquals k:a 5", map[string][]string{"k:a": {"4"}}, "x", false},
		{"number_above", "Allow s3:* * NumericGreaterThan k:a 5", map[string][]string{"k:a": {"6"}}, "x", true},
		{"no_number", "Allow s3:* * NumericNotEquals k:a 5", map[string][]string{"k:a": {"1e9"}}, "x", false},
		{"no_number_in_policy", "Allow s3:* * NumericEquals k:a five", map[string][]string{"k:a": {"5"}}, "x", false},
		{"date", "Allow s3:* * DateGreaterThan k:a 2026-01-01T00:00:00Z", map[string][]string{"k:a": {"2026-01-02T00:00:00Z"}}, "x", true},
		{"address", "Allow s3:* * NotIpAddress k:a 10.0.0.0/8", map[string][]string{"k:a": {"11.0.0.1"}}, "x", true},
		{"no_address", "Allow s3:* * NotIpAddress k:a 10.0.0.0/8", map[string][]string{"k:a": {"x"}}, "x", false},
		{"binary", "Allow s3:* * BinaryEquals k:a QQ==", map[string][]string{"k:a": {"QQ=="}}, "x", true},
		{"no_binary", "Allow s3:* * BinaryEquals k:a !", map[string][]string{"k:a": {"!"}}, "x", false},
		{"bool", "Allow s3:* * Bool k:a true", map[string][]string{"k:a": {"TRUE"}}, "x", true},
		{"arn", "Allow s3:* * ArnLike k:a arn:aws:iam::*:role/*", map[string][]string{"k:a": {"arn:aws:iam::1:role/x"}}, "x", true},
		{"no_arn", "Allow s3:* * ArnNotLike k:a arn:aws:iam::*:role/*", map[string][]string{"k:a": {"x"}}, "x", false},
		{"null_absent", "Allow s3:* * Null k:a true", nil, "x", true},
		{"null_present", "Allow s3:* * Null k:a false", map[string][]string{"k:a": {"x"}}, "x", true},
		{"if_exists", "Allow s3:* * StringEqualsIfExists k:a x", nil, "x", true},
		{"any_absent", "Allow s3:* * ForAnyValue:StringEquals k:a x", nil, "x", false},
		{"all_absent", "Allow s3:* * ForAllValues:StringEquals k:a x", nil, "x", true},
		{"all", "Allow s3:* * ForAllValues:StringLike k:a x*,y", map[string][]string{"k:a": {"xx", "z"}}, "x", false},
		{"negated_absent", "Allow s3:* * StringNotEquals k:a x", nil, "x", true},
		{"case", "Allow s3:* * StringEqualsIgnoreCase k:a X", map[string][]string{"k:a": {"x"}}, "x", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPolicies([]*policy.Document{parse(t, statements(test.statement))})
			if got := allows(p, &Request{Action: "s3:GetObject", Resource: test.resource, Context: test.context}); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestGlob_by_brute_force(t *testing.T) {
	t.Parallel()
	var texts []string
	for n := range 5 {
		for i := range pow(3, n) {
			var b strings.Builder
			for range n {
				b.WriteByte("ab:"[i%3])
				i /= 3
			}
			texts = append(texts, b.String())
		}
	}
	patterns := []string{"", "a", "*", "?", "a*", "*a", "a*b", "?b", "a:*", "*:b", "a?", "**", "*a*b*", ":", "a:?", "ab"}
	for _, inPart := range []int{0, 1} {
		for _, p := range patterns {
			for _, q := range patterns {
				g, h := newGlob(p, inPart), newGlob(q, inPart)
				within := !slices.ContainsFunc(texts, func(s string) bool { return g.matches(s) && !h.matches(s) })
				apart := !slices.ContainsFunc(texts, func(s string) bool { return g.matches(s) && h.matches(s) })
				if got := g.within(h); got != within {
					t.Errorf("%q within %q (%d): got %v, want %v", p, q, inPart, got, within)
				}
				if got := g.apart(h); got != apart {
					t.Errorf("%q apart from %q (%d): got %v, want %v", p, q, inPart, got, apart)
				}
			}
		}
	}
	if got := newGlob(strings.Repeat("*a?", 40), 0).within(newGlob(strings.Repeat("*?a", 40), 0)); got {
		t.Error("an inclusion that takes too long to find out")
	}
}

func pow(base, n int) int {
	out := 1
	for range n {
		out *= base
	}
	return out
}
