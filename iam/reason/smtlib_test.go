package reason

import (
	"strings"
	"testing"

	"dera.example/dera/iam/eval"
)

// TestSMTLIB_is_answered_like_subset asks the solver about every case of the
// table of TestSubset that can be written for it.
func TestSMTLIB(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		fresh, old []string
		reading    Reading
		want       string // the solver's answer, or the end of the error
	}{
		{"proved", []string{allow("s3:GetObject", "arn:aws:s3:::b/k")}, []string{allow("s3:*", "arn:aws:s3:::b/*")}, Reading{}, "unsat"},
		{"refuted", []string{allow("s3:*", "arn:aws:s3:::b/*")}, []string{allow("s3:GetObject", "arn:aws:s3:::b/*")}, Reading{}, "sat"},
		{"nothing", nil, nil, Reading{}, "unsat"},
		{"segments", []string{allow("sqs:*", "arn:aws:sqs:*:x:*:a:b")}, []string{allow("sqs:*", "arn:aws:sqs:*:*:a:b")}, Reading{}, "sat"},
		{"variable_with_default", []string{allow("s3:*", "arn:aws:s3:::${aws:username, 'x'}")}, []string{allow("s3:*", "arn:aws:s3:::${aws:username, 'x'}*")}, Reading{}, "unsat"},
		{"principals", []string{statementOf("Allow", `"Principal":{"AWS":"arn:aws:iam::111122223333:role/r"}`, "")}, []string{statementOf("Allow", account1, "")}, Reading{}, "unsat"},
		{"denied_principals", []string{statementOf("Allow", everybody, ""), statementOf("Deny", `"NotPrincipal":{"AWS":"111122223333"}`, "")}, []string{statementOf("Allow", account1, "")}, Reading{}, "unsat"},
		{"nobody", []string{statementOf("Allow", `"NotPrincipal":"*"`, "")}, nil, Reading{}, "unsat"},
		{"binary", []string{allowIf("s3:*", `{"BinaryEquals":{"k:x":"QQ=="}}`)}, []string{allowIf("s3:*", `{"BinaryEquals":{"k:x":["%","QQ=="]}}`)}, Reading{}, "unsat"},
		{"any_arn", []string{allowIf("s3:*", `{"ArnLike":{"k:x":"arn:aws:iam::1:*"}}`)}, []string{allowIf("s3:*", `{"ArnLike":{"k:x":"*"}}`)}, Reading{}, "unsat"},
		{"unusual_characters", []string{allow("s3:*", `é\"\\`)}, []string{allow("s3:*", `é\"?`)}, Reading{}, "unsat"},
		{"odd_boolean", []string{allowIf("s3:*", `{"Bool":{"k:b":"maybe"}}`)}, nil, Reading{}, "unsat"},
		{"bad_address", []string{allowIf("s3:*", `{"IpAddress":{"aws:SourceIp":"nowhere"}}`)}, nil, Reading{}, "unsat"},

		{"text_and_number", []string{allowIf("s3:*", `{"NumericEquals":{"k:n":"1"},"StringEquals":{"k:n":"1"}}`)}, nil, Reading{}, "sat"},
		{"text_that_is_no_number", []string{allowIf("s3:*", `{"NumericEquals":{"k:n":"1"},"StringEquals":{"k:n":"one"}}`)}, nil, Reading{}, "unsat"},
		{"text_that_is_another_number", []string{allowIf("s3:*", `{"NumericEquals":{"k:n":"1"},"StringEquals":{"k:n":"2"}}`)}, nil, Reading{}, "unsat"},
		{"text_like_no_number", []string{allowIf("s3:*", `{"NumericLessThan":{"k:n":"1"},"StringLike":{"k:n":"x*"}}`)}, nil, Reading{}, "unsat"},
		{"text_that_is_the_number_twice", []string{allowIf("s3:*", `{"ForAllValues:NumericEquals":{"k:m":"1"},"ForAnyValue:NumericNotEquals":{"k:m":"1"}}`)}, nil, Reading{}, "unsat"},
		{"text_that_is_neither", []string{allowIf("s3:*", `{"NumericNotEquals":{"k:n":"1"},"StringEquals":{"k:n":"one"}}`)}, nil, Reading{}, "unsat"},
		{"text_that_differs", []string{allowIf("s3:*", `{"NumericNotEquals":{"k:n":"1"},"StringEquals":{"k:n":"one"}}`)}, nil,
			Reading{Reading: eval.Reading{UntypedDiffers: true}}, "sat"},
		{"bool_on_a_tag", []string{allowIf("s3:*", `{"StringLike":{"aws:PrincipalTag/a":"t*"}}`)}, []string{allowIf("s3:*", `{"Bool":{"aws:PrincipalTag/a":["true","false"]}}`)}, Reading{}, "sat"},
		{"bool_of_aws", []string{allowIf("s3:*", `{"StringLike":{"aws:SecureTransport":"t*"}}`)}, []string{allowIf("s3:*", `{"Bool":{"aws:SecureTransport":["true","false"]}}`)}, Reading{}, "unsat"},
		{"between_two_seconds", []string{allowIf("s3:*", `{"DateGreaterThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"},"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:01Z"}}`)}, nil, Reading{}, "unsat"},
		{"null_of_a_set", []string{allow("s3:*", "*"), denyIf("s3:*", `{"ForAnyValue:Null":{"aws:TagKeys":"true"}}`)}, nil, Reading{}, "sat"},
		{"unreadable_number", nil, []string{allowIf("s3:*", `{"NumericEquals":{"k:n":"ten"}}`)}, Reading{}, `value "ten" of NumericEquals cannot be read`},
		{"unreadable_date", []string{allowIf("s3:*", `{"DateEquals":{"k:n":"soon"}}`)}, nil, Reading{}, `value "soon" of DateEquals cannot be read`},
		{"variable_between_wildcards", []string{allow("s3:*", "*${aws:username}*")}, nil, Reading{}, "a policy variable between wildcards cannot be expressed"},
		{"variable_before_a_wildcard_inside", []string{allow("s3:*", "arn:aws:s3:${aws:username}*:*:*")}, nil, Reading{}, "cannot be expressed"},
		{"short_variable_before_a_wildcard", []string{allowIf("s3:*", `{"ArnLike":{"k:x":"arn:aws:iam:${aws:username}:a:*"}}`)}, nil, Reading{}, "sat"},
		{"folded_variable", []string{allowIf("s3:*", `{"StringEqualsIgnoreCase":{"k:x":"${aws:username}"}}`)}, nil, Reading{}, "cannot be expressed"},
		{"unique_id", []string{statementOf("Deny", `"Principal":{"AWS":"AROAEXAMPLE"}`, "")}, nil, Reading{}, "a unique ID as principal of a denial cannot be expressed"},
		{"many_values_of_a_variable", []string{allow("s3:*", "${k:m}"), allowIf("s3:*", `{"ForAnyValue:StringEquals":{"k:m":"a"}}`)}, nil, Reading{}, "sat"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fresh, old := policyOf(t, tt.fresh...), policyOf(t, tt.old...)
			text, err := SMTLIB(fresh, old, tt.reading, Config{})
			if err != nil {
				if !strings.HasSuffix(err.Error(), tt.want) {
					t.Errorf("got error %q, want %q", err, tt.want)
				}
				return
			}
			got, err := cvc5(t.Context(), []string{text})
			if err != nil || got[0] != tt.want {
				t.Errorf("got %v, %v, want %s\n%s", got, err, tt.want, text)
			}
			answer := Subset(t.Context(), fresh, old, Config{Readings: []Reading{tt.reading}})
			duel{answer: answer}.compare(t, tt.want)
		})
	}
}
