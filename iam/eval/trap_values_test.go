package eval

import (
	"fmt"
	"testing"
)

// holds asks one operator with one value of the request.
func holds(t *testing.T, operator, values, value string) bool {
	t.Helper()
	return conditional(t, fmt.Sprintf(`{%q:{"k":%s}}`, operator, values), Context{"k": {value}})
}

func TestTrap12_only_like_operators_have_wildcards(t *testing.T) {
	t.Parallel()
	is(t, "StringEquals", holds(t, "StringEquals", `"a*"`, "ab"), false)
	is(t, "StringEquals, the star itself", holds(t, "StringEquals", `"a*"`, "a*"), true)
	is(t, "StringEquals, case", holds(t, "StringEquals", `"a"`, "A"), false)
	is(t, "StringEqualsIgnoreCase", holds(t, "StringEqualsIgnoreCase", `"É*"`, "é*"), true)
	is(t, "StringNotEqualsIgnoreCase", holds(t, "StringNotEqualsIgnoreCase", `"A"`, "a"), false)
	is(t, "StringLike", holds(t, "StringLike", `"a*c?"`, "abbcd"), true)
	is(t, "StringLike, case", holds(t, "StringLike", `"A*"`, "ab"), false)
	is(t, "StringNotLike", holds(t, "StringNotLike", `["x","a*"]`, "ab"), false)
	is(t, "long list", holds(t, "StringEquals", `["1","2","3","4","5","6","7","8","9","10"]`, "10"), true)
	is(t, "not in the long list", holds(t, "StringNotEquals", `["1","2","3","4","5","6","7","8","9","10"]`, "11"), true)
	is(t, "long list disregarding case", holds(t, "StringEqualsIgnoreCase", `["a","b","c","d","e","f","g","h","i","J"]`, "j"), true)
	filled := Context{"k": {"x-ALICE-y"}, "aws:username": {"alice"}}
	is(t, "variable disregarding case", conditional(t, `{"StringEqualsIgnoreCase":{"k":"X-${aws:username}-y"}}`, filled), true)
}

func TestTrap12_arn_operators_check_six_segments(t *testing.T) {
	t.Parallel()
	const topic = "arn:aws:sns:eu-west-1:111122223333:a:b"
	for _, op := range []string{"ArnLike", "ArnEquals"} {
		is(t, op+", equal", holds(t, op, `"arn:aws:sns:eu-west-1:111122223333:a:b"`, topic), true)
		is(t, op+", wildcards", holds(t, op, `"arn:aws:sns:*:*:a*"`, topic), true)
		is(t, op+", across a colon", holds(t, op, `"arn:aws:sns:*:a:b"`, topic), false)
		is(t, op+", star", holds(t, op, `"*"`, topic), true)
		is(t, op+", short", holds(t, op, `"arn:aws:sns"`, topic), false)
		is(t, op+", no ARN", holds(t, op, `"*"`, "topic"), false)
	}
	for _, op := range []string{"ArnNotLike", "ArnNotEquals"} {
		is(t, op+", equal", holds(t, op, `"arn:aws:sns:*:*:a:b"`, topic), false)
		is(t, op+", other", holds(t, op, `"arn:aws:sns:*:*:c"`, topic), true)
		is(t, op+", no ARN cannot be compared", holds(t, op, `"arn:aws:sns:*:*:c"`, "topic"), false)
	}
	own := `{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::${aws:username}-*"}}`
	is(t, "variable", conditional(t, own, Context{"aws:sourcearn": {"arn:aws:s3:::alice-b"}, "aws:username": {"alice"}}), true)
}

func TestTrap12_booleans_and_binaries(t *testing.T) {
	t.Parallel()
	is(t, "Bool disregards case", holds(t, "Bool", `"True"`, "tRUE"), true)
	is(t, "Bool false", holds(t, "Bool", `"false"`, "true"), false)
	is(t, "Bool written without quotes", holds(t, "Bool", `false`, "false"), true)
	const isFalse = `{"Bool":{"k":"false"}}`
	is(t, "maybe is not false", conditional(t, isFalse, Context{"k": {"maybe"}}), false)
	is(t, "for the simulator it is", conditionalUnder(t, isFalse, Context{"k": {"maybe"}}, Reading{LooseBool: true}), true)
	is(t, "and true stays true", conditionalUnder(t, isFalse, Context{"k": {"TRUE"}}, Reading{LooseBool: true}), false)
	is(t, "Bool of both", holds(t, "Bool", `["true","false"]`, "true"), true)
	is(t, "BinaryEquals", holds(t, "BinaryEquals", `"Zm9v"`, "Zm9v"), true)
	is(t, "BinaryEquals, other", holds(t, "BinaryEquals", `"Zm9v"`, "YmFy"), false)
	is(t, "BinaryEquals, no base64", holds(t, "BinaryEquals", `"foo"`, "foo"), false)
}

func TestTrap13_numbers_and_dates(t *testing.T) {
	t.Parallel()
	type row struct {
		operator, policy, request string
		want                      bool
	}
	for _, r := range []row{
		{"NumericEquals", `10`, "10.0", true},
		{"NumericEquals", `"1e1"`, "10", true},
		{"NumericEquals", `"9007199254740993"`, "9007199254740992", false},
		{"NumericLessThan", `"9007199254740993"`, "9007199254740992", true},
		{"NumericGreaterThan", `"9007199254740992"`, "9007199254740993", true},
		{"NumericNotEquals", `"10"`, "11", true},
		{"NumericNotEquals", `["10","11"]`, "11", false},
		{"NumericLessThan", `"-1.5"`, "-1.6", true},
		{"NumericLessThan", `"5"`, "5", false},
		{"NumericLessThanEquals", `"5"`, "5", true},
		{"NumericGreaterThan", `"5"`, "5.01", true},
		{"NumericGreaterThanEquals", `"5"`, "4.99", false},
		{"NumericEquals", `"ten"`, "ten", false},
		{"NumericNotEquals", `"ten"`, "10", false},
		{"NumericNotEquals", `"10"`, "ten", false},
		{"NumericGreaterThan", `"1"`, "Inf", false},
		{"NumericEquals", `"1_0"`, "10", false},
		{"DateEquals", `"2026-11-23T10:00:00Z"`, "1795428000", true},
		{"DateEquals", `"2026-11-23T10:00:00Z"`, "1795428000000", true},
		{"DateEquals", `"2026-11-23T12:00:00+02:00"`, "2026-11-23T10:00:00Z", true},
		{"DateNotEquals", `"2026-11-23"`, "2026-11-24", true},
		{"DateNotEquals", `"2026-11-23"`, "tomorrow", false},
		{"DateNotEquals", `"tomorrow"`, "2026-11-23", false},
		{"DateLessThan", `"2026-11-23"`, "2026-11-22T23:59:59Z", true},
		{"DateLessThanEquals", `"2026-11-23"`, "2026-11-23T00:00:00Z", true},
		{"DateGreaterThan", `"2026-11-23"`, "2026-11-23", false},
		{"DateGreaterThanEquals", `"2026-11-23"`, "2026-11-23", true},
	} {
		is(t, fmt.Sprintf("%s %s of %s", r.operator, r.policy, r.request), holds(t, r.operator, r.policy, r.request), r.want)
	}
}

func TestTrap14_addresses(t *testing.T) {
	t.Parallel()
	const ranges = `["10.0.0.0/8","203.0.113.7","2001:db8::/32"]`
	for address, want := range map[string]bool{
		"10.255.0.1": true, "203.0.113.7": true, "203.0.113.8": false, "2001:db8::1": true, "2001:db9::1": false, "::ffff:10.0.0.1": false,
	} {
		is(t, address, holds(t, "IpAddress", ranges, address), want)
		is(t, "not "+address, holds(t, "NotIpAddress", ranges, address), !want)
	}
	is(t, "IPv4 lies in no IPv6 range", holds(t, "NotIpAddress", `"::/0"`, "10.0.0.1"), true)
	is(t, "host bits do not matter", holds(t, "IpAddress", `"10.1.2.3/8"`, "10.9.9.9"), true)
	is(t, "a range is no address", holds(t, "IpAddress", `"10.0.0.0/8"`, "10.0.0.0/8"), false)
	is(t, "nor is it outside", holds(t, "NotIpAddress", `"10.0.0.0/8"`, "10.0.0.0/8"), false)
	is(t, "no range in the policy", holds(t, "NotIpAddress", `"everywhere"`, "10.0.0.1"), true)
	const viaEndpoint = `{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`
	is(t, "through an endpoint the key is absent", conditional(t, viaEndpoint, Context{"aws:sourcevpce": {"vpce-1"}}), true)
}

func TestTrap15_long_term_keys_have_no_mfa_key(t *testing.T) {
	t.Parallel()
	const deny = `[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"%s":{"aws:MultiFactorAuthPresent":"false"}}}]`
	r := Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}
	is(t, "Bool does not bite", decide(t, fmt.Sprintf(deny, "Bool"), r), Allowed)
	is(t, "BoolIfExists does", decide(t, fmt.Sprintf(deny, "BoolIfExists"), r), ExplicitDeny)
	r.Context = Context{"aws:MultiFactorAuthPresent": {"false"}}
	is(t, "Bool bites a session without", decide(t, fmt.Sprintf(deny, "Bool"), r), ExplicitDeny)
	r.Context = Context{"aws:MultiFactorAuthPresent": {"true"}}
	is(t, "with MFA", decide(t, fmt.Sprintf(deny, "BoolIfExists"), r), Allowed)
}

func TestNull_with_a_set_operator_follows_the_set_operator(t *testing.T) {
	t.Parallel()
	there := Context{"k": {"v"}}
	for condition, want := range map[string][2]bool{ // absent, present
		`{"ForAllValues:Null":{"k":"true"}}`:  {true, false},
		`{"ForAllValues:Null":{"k":"false"}}`: {true, true},
		`{"ForAnyValue:Null":{"k":"true"}}`:   {false, false},
		`{"ForAnyValue:Null":{"k":"false"}}`:  {false, true},
	} {
		is(t, condition+", absent", conditional(t, condition, nil), want[0])
		is(t, condition+", present", conditional(t, condition, there), want[1])
	}
}

func TestContext_finds_a_key_in_any_spelling_and_always_the_same(t *testing.T) {
	t.Parallel()
	k := newKey("aws:Foo")
	for _, tt := range []struct {
		context Context
		want    string
	}{
		{Context{"aws:foo": {"lower"}, "aws:Foo": {"written"}, "AWS:FOO": {"other"}}, "lower"},
		{Context{"aws:Foo": {"written"}, "AWS:FOO": {"other"}}, "written"},
		{Context{"aws:fOO": {"second"}, "AWS:FOO": {"first"}, "aws:bar": {"no"}}, "first"},
	} {
		for range 20 {
			if got := k.of(tt.context); len(got) != 1 || got[0] != tt.want {
				t.Fatalf("%v: got %v, want %q", tt.context, got, tt.want)
			}
		}
	}
	if got := k.of(Context{"aws:fooo": {"x"}}); got != nil {
		t.Errorf("got %v, want nothing", got)
	}
}
