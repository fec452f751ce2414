package eval

import "testing"

// The tests of this file are the points at which evaluators go wrong, one test
// each. (That service-linked roles and AWS-managed policies cannot be edited,
// and how CloudTrail events relate to actions, is not for an evaluator to say.)

// decide asks one statement list of a 2012 document.
func decide(t *testing.T, statements string, r Request) Outcome {
	t.Helper()
	return decideUnder(t, statements, r, Reading{})
}

func decideUnder(t *testing.T, statements string, r Request, reading Reading) Outcome {
	t.Helper()
	return compile(t, `{"Version":"2012-10-17","Statement":`+statements+`}`).Decide(r, reading)
}

// conditional asks a single Allow of everything under a condition.
func conditional(t *testing.T, condition string, context Context) bool {
	t.Helper()
	return conditionalUnder(t, condition, context, Reading{})
}

func conditionalUnder(t *testing.T, condition string, context Context, reading Reading) bool {
	t.Helper()
	r := Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: context}
	return decideUnder(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+condition+`}`, r, reading) == Allowed
}

// is reports a difference between an answer and what it has to be.
func is[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func allows(t *testing.T, action, resource, asked, on string) bool {
	t.Helper()
	statement := `{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}`
	return decide(t, statement, Request{Action: asked, Resource: on}) == Allowed
}

func TestTrap01_actions_disregard_case_and_resources_do_not(t *testing.T) {
	t.Parallel()
	is(t, "case of service and name", allows(t, "S3:getOBJECT", "*", "s3:GetObject", "*"), true)
	is(t, "case of the request", allows(t, "s3:getobject", "*", "S3:GETOBJECT", "*"), true)
	is(t, "star in the middle", allows(t, "s3:G*t", "*", "s3:GetObject", "*"), true)
	is(t, "star and question mark", allows(t, "s3:?et*Ob?ect", "*", "s3:GetObject", "*"), true)
	is(t, "question mark is one character", allows(t, "s3:GetObject?", "*", "s3:GetObject", "*"), false)
	is(t, "star before the colon", allows(t, "*:GetObject", "*", "s3:GetObject", "*"), false)
	is(t, "star within the service", allows(t, "s*:GetObject", "*", "s3:GetObject", "*"), false)
	is(t, "not even the same text", allows(t, "s*:*", "*", "s*:GetObject", "*"), false)
	is(t, "all of all services", allows(t, "*:*", "*", "s3:GetObject", "*"), true)
	is(t, "no colon", allows(t, "s3GetObject", "*", "s3GetObject", "*"), false)
	is(t, "blank inside", allows(t, "s3: GetObject", "*", "s3:GetObject", "*"), false)
	is(t, "blank before", allows(t, " s3:Get*", "*", "s3:GetObject", "*"), false)
	is(t, "another service with the same beginning", allows(t, "s3:*", "*", "s3express:CreateSession", "*"), false)
	is(t, "case of the resource", allows(t, "*", "arn:aws:s3:::Bucket", "s3:GetObject", "arn:aws:s3:::bucket"), false)
	is(t, "a request without action is matched by a star only", allows(t, "*", "*", "", "*"), true)
	is(t, "and by nothing else", allows(t, "s3:*", "*", "", "*"), false)
}

func TestTrap02_a_star_in_an_arn_stays_in_its_segment(t *testing.T) {
	t.Parallel()
	const pattern = `{"Effect":"Allow","Action":"*","Resource":"arn:aws:cloudformation:*:*:stack/My/*"}`
	wide := Request{Action: "cloudformation:DeleteStack", Resource: "arn:aws:cloudformation:us-east-1:111122223333:x:stack/My/1"}
	is(t, "by segment", decide(t, pattern, wide), ImplicitDeny)
	is(t, "plain", decideUnder(t, pattern, wide, Reading{PlainGlobs: true}), Allowed)
	wide.Resource = "arn:aws:cloudformation:us-east-1:111122223333:stack/My/1"
	is(t, "the stack itself", decide(t, pattern, wide), Allowed)
	is(t, "question mark and colon", allows(t, "*", "arn:aws:s3:?:::b", "s3:A", "arn:aws:s3:::::b"), false)
	is(t, "last segment has colons", allows(t, "*", "arn:aws:sns:*:*:a*z", "sns:Publish", "arn:aws:sns:eu-west-1:1:a:b:z"), true)
}

func TestTrap02_short_arns_are_completed_except_in_resource_policies(t *testing.T) {
	t.Parallel()
	const short = `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:sqs"}`
	r := Request{Principal: Principal{ARN: "arn:aws:iam::111122223333:user/a"}, Action: "sqs:SendMessage", Resource: "arn:aws:sqs:eu-west-1:111122223333:q"}
	is(t, "completed", decide(t, short, r), Allowed)
	is(t, "to the letter", decideUnder(t, short, r, Reading{LiteralARNs: true}), ImplicitDeny)
	is(t, "completed, plain", decideUnder(t, short, r, Reading{PlainGlobs: true}), Allowed)
	set := compile(t, `{"Version":"2012-10-17","Statement":`+short+`}`)
	is(t, "identity policy", Evaluate(Input{Request: r, Identity: set}).Decision, Allowed)
	is(t, "resource policy", Evaluate(Input{Request: r, Resource: set}).Decision, ImplicitDeny)
	is(t, "short with a star", allows(t, "*", "arn:aws:s3*", "s3:A", "arn:aws:s3:::b"), true)
	is(t, "another service", allows(t, "*", "arn:aws:sqs", "sns:A", "arn:aws:sns:eu-west-1:1:t"), false)
	is(t, "no arn is completed to one", allows(t, "*", "sqs", "sqs:A", "sqs:a:b:c:d:e"), false)
	const star = `{"Effect":"Allow","Action":"*","Resource":"arn:aws:s*"}`
	is(t, "the last segment to the letter takes the rest", decideUnder(t, star, r, Reading{LiteralARNs: true}), Allowed)
}

func TestTrap03_not_elements_grant_what_does_not_exist_yet(t *testing.T) {
	t.Parallel()
	const allBut = `{"Effect":"Allow","NotAction":["iam:*","s3:DeleteBucket"],"Resource":"*"}`
	is(t, "service of tomorrow", decide(t, allBut, Request{Action: "tomorrow:DoIt", Resource: "*"}), Allowed)
	is(t, "excepted by pattern", decide(t, allBut, Request{Action: "IAM:CreateUser", Resource: "*"}), ImplicitDeny)
	is(t, "excepted by name", decide(t, allBut, Request{Action: "s3:deletebucket", Resource: "*"}), ImplicitDeny)
	is(t, "invalid exception excepts nothing", decide(t, `{"Effect":"Allow","NotAction":"*:Get*","Resource":"*"}`, Request{Action: "s3:GetObject"}), Allowed)

	const notShort = `{"Effect":"Allow","Action":"*","NotResource":"arn:aws:sqs"}`
	queue := Request{Action: "sqs:A", Resource: "arn:aws:sqs:eu-west-1:1:q"}
	topic := Request{Action: "sns:A", Resource: "arn:aws:sns:eu-west-1:1:t"}
	is(t, "short ARN excepts its service", decide(t, notShort, queue), ImplicitDeny)
	is(t, "and not another", decide(t, notShort, topic), Allowed)
	is(t, "to the letter it excepts nothing", decideUnder(t, notShort, queue, Reading{LiteralARNs: true}), Allowed)
}

func TestTrap04_variables_need_the_version_of_2012(t *testing.T) {
	t.Parallel()
	const statement = `{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}"}`
	alice := Request{Action: "s3:A", Resource: "arn:aws:s3:::b/alice", Context: Context{"aws:username": {"alice"}}}
	literal := alice
	literal.Resource = "arn:aws:s3:::b/${aws:username}"
	for version, variables := range map[string]bool{`"Version":"2012-10-17",`: true, `"Version":"2008-10-17",`: false, ``: false} {
		set := compile(t, `{`+version+`"Statement":`+statement+`}`)
		is(t, version+" alice", set.Decide(alice, Reading{}) == Allowed, variables)
		is(t, version+" literal", set.Decide(literal, Reading{}) == Allowed, !variables)
	}
}

func TestTrap04_special_variables_and_fallbacks(t *testing.T) {
	t.Parallel()
	is(t, "star", allows(t, "*", "arn:aws:s3:::b/${*}", "s3:A", "arn:aws:s3:::b/*"), true)
	is(t, "star is no wildcard", allows(t, "*", "arn:aws:s3:::b/${*}", "s3:A", "arn:aws:s3:::b/x"), false)
	is(t, "question mark and dollar", allows(t, "*", "arn:aws:s3:::b/${?}${$}", "s3:A", "arn:aws:s3:::b/?$"), true)
	is(t, "no closing brace", allows(t, "*", "arn:aws:s3:::b/${x", "s3:A", "arn:aws:s3:::b/${x"), true)
	is(t, "fallback", allows(t, "*", "arn:aws:s3:::b-${aws:PrincipalTag/team, 'company'}", "s3:A", "arn:aws:s3:::b-company"), true)
	is(t, "fallback with a brace", allows(t, "*", "arn:aws:s3:::b-${k,'{x}'}", "s3:A", "arn:aws:s3:::b-{x}"), true)
	is(t, "fallback without quotes is none", allows(t, "*", "arn:aws:s3:::b-${k, x}", "s3:A", "arn:aws:s3:::b-x"), false)
	tagged := Request{Action: "s3:A", Resource: "arn:aws:s3:::b-blue", Context: Context{"aws:principaltag/team": {"blue"}}}
	is(t, "value before fallback", decide(t, `{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b-${aws:PrincipalTag/team, 'company'}"}`, tagged), Allowed)
}

func TestTrap05_a_variable_without_value_is_null(t *testing.T) {
	t.Parallel()
	strict := Reading{VoidNull: true}
	tag := Context{"s3:existingobjecttag/team": {"blue"}}
	const equals = `{"StringEquals":{"s3:ExistingObjectTag/Team":"${aws:PrincipalTag/Team}"}}`
	const notLike = `{"StringNotLike":{"s3:ExistingObjectTag/Team":"${aws:PrincipalTag/Team}"}}`
	const orElse = `{"StringNotLike":{"s3:ExistingObjectTag/Team":"${aws:PrincipalTag/Team, 'red'}"}}`
	const foldCase = `{"StringEqualsIgnoreCase":{"s3:ExistingObjectTag/Team":"${aws:PrincipalTag/Team}"}}`
	const arn = `{"ArnNotLike":{"aws:SourceArn":"arn:aws:s3:::${aws:PrincipalTag/Team}"}}`
	is(t, "equal", conditional(t, equals, tag), false)
	is(t, "equal disregarding case", conditional(t, foldCase, tag), false)
	is(t, "negated, documented", conditional(t, notLike, tag), true)
	is(t, "negated, statement without effect", conditionalUnder(t, notLike, tag, strict), false)
	is(t, "with a fallback it has a value", conditionalUnder(t, orElse, tag, strict), true)
	is(t, "negated ARN, documented", conditional(t, arn, nil), true)
	is(t, "negated ARN, statement without effect", conditionalUnder(t, arn, nil, strict), false)

	const notResource = `{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::b/${aws:username}"}`
	r := Request{Action: "s3:A", Resource: "arn:aws:s3:::b/x"}
	is(t, "matches no resource", decide(t, `{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/*${aws:username}"}`, r), ImplicitDeny)
	is(t, "excepts no resource", decide(t, notResource, r), Allowed)
	is(t, "excepts, statement without effect", decideUnder(t, notResource, r, strict), ImplicitDeny)
	r.Context = Context{"aws:username": {"x", "y"}}
	is(t, "several values are none", decide(t, notResource, r), Allowed)
}

func TestTrap06_wildcards_in_a_value_are_literal(t *testing.T) {
	t.Parallel()
	const home = `{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}/*"}`
	r := Request{Action: "s3:A", Resource: "arn:aws:s3:::b/alice/k", Context: Context{"aws:username": {"*"}}}
	is(t, "star does not match", decide(t, home, r), ImplicitDeny)
	r.Resource = "arn:aws:s3:::b/*/k"
	is(t, "star matches itself", decide(t, home, r), Allowed)
	like := `{"StringLike":{"a":"x-${b}"}}`
	is(t, "in a condition", conditional(t, like, Context{"a": {"x-anything"}, "b": {"*"}}), false)
	is(t, "the character itself", conditional(t, like, Context{"a": {"x-?"}, "b": {"?"}}), true)
}

func TestTrap09_values_are_alternatives_and_keys_are_not(t *testing.T) {
	t.Parallel()
	is(t, "one of the values", conditional(t, `{"StringEquals":{"a":["x","y"]}}`, Context{"a": {"y"}}), true)
	is(t, "none of the values", conditional(t, `{"StringNotEquals":{"a":["x","y"]}}`, Context{"a": {"y"}}), false)
	is(t, "both keys", conditional(t, `{"StringEquals":{"a":"x","b":"y"}}`, Context{"a": {"x"}, "b": {"y"}}), true)
	is(t, "one key", conditional(t, `{"StringEquals":{"a":"x","b":"y"}}`, Context{"a": {"x"}}), false)
	is(t, "both operators", conditional(t, `{"StringEquals":{"a":"x"},"Null":{"b":"false"}}`, Context{"a": {"x"}}), false)
	is(t, "case of a key", conditional(t, `{"StringEquals":{"AWS:RequestTag/Team":"x"}}`, Context{"aws:requestTAG/team": {"x"}}), true)
	is(t, "case of a tag key among values", conditional(t, `{"ForAllValues:StringEquals":{"aws:TagKeys":"Team"}}`, Context{"aws:TagKeys": {"team"}}), false)
}

func TestTrap10_an_absent_key_makes_negated_operators_true(t *testing.T) {
	t.Parallel()
	for operator, want := range map[string]bool{
		"StringEquals": false, "StringEqualsIgnoreCase": false, "StringLike": false, "ArnLike": false, "ArnEquals": false,
		"NumericEquals": false, "NumericLessThan": false, "DateEquals": false, "Bool": false, "BinaryEquals": false, "IpAddress": false,
		"StringNotEquals": true, "StringNotEqualsIgnoreCase": true, "StringNotLike": true, "ArnNotLike": true, "ArnNotEquals": true,
		"NumericNotEquals": true, "DateNotEquals": true, "NotIpAddress": true,
		"StringEqualsIfExists": true, "BoolIfExists": true, "StringNotEqualsIfExists": true, "IpAddressIfExists": true,
	} {
		is(t, operator, conditional(t, `{"`+operator+`":{"k":"1"}}`, nil), want)
		is(t, operator+", no values", conditional(t, `{"`+operator+`":{"k":"1"}}`, Context{"k": {}}), want)
	}
	is(t, "Null true", conditional(t, `{"Null":{"k":true}}`, nil), true)
	is(t, "Null false", conditional(t, `{"Null":{"k":"FALSE"}}`, nil), false)
	is(t, "Null of a key that is there", conditional(t, `{"Null":{"k":"false"}}`, Context{"k": {"v"}}), true)
	is(t, "Null of both", conditional(t, `{"Null":{"k":["true","false"]}}`, nil), true)
}

func TestTrap11_set_operators(t *testing.T) {
	t.Parallel()
	const all, some = `{"ForAllValues:StringEquals":{"k":["a","b"]}}`, `{"ForAnyValue:StringEquals":{"k":["a","b"]}}`
	const noneOf, notAll = `{"ForAllValues:StringNotEquals":{"k":["a","b"]}}`, `{"ForAnyValue:StringNotEquals":{"k":["a","b"]}}`
	tests := map[string]struct {
		context                   Context
		all, some, noneOf, notAll bool
	}{
		"absent":     {nil, true, false, true, false},
		"subset":     {Context{"k": {"a"}}, true, true, false, false},
		"overlap":    {Context{"k": {"a", "c"}}, false, true, false, true},
		"disjoint":   {Context{"k": {"c"}}, false, false, true, true},
		"everything": {Context{"k": {"a", "b"}}, true, true, false, false},
	}
	for name, tt := range tests {
		is(t, name+" ForAllValues", conditional(t, all, tt.context), tt.all)
		is(t, name+" ForAnyValue", conditional(t, some, tt.context), tt.some)
		is(t, name+" ForAllValues not", conditional(t, noneOf, tt.context), tt.noneOf)
		is(t, name+" ForAnyValue not", conditional(t, notAll, tt.context), tt.notAll)
	}
	const exists = `{"ForAnyValue:StringEqualsIfExists":{"k":"a"}}`
	is(t, "ForAnyValue IfExists, absent", conditional(t, exists, nil), true)
	is(t, "ForAnyValue IfExists, other", conditional(t, exists, Context{"k": {"b"}}), false)
	is(t, "plain operator on several values", conditional(t, `{"StringEquals":{"k":"a"}}`, Context{"k": {"b", "a"}}), true)
	is(t, "negated operator on several values", conditional(t, `{"StringNotEquals":{"k":"a"}}`, Context{"k": {"b", "a"}}), false)

	empty, null := Context{"k": {""}}, Reading{EmptyIsNull: true}
	is(t, "empty string is a value", conditional(t, all, empty), false)
	is(t, "empty string is null", conditionalUnder(t, all, empty, null), true)
	is(t, "empty string is null for ForAnyValue", conditionalUnder(t, `{"ForAnyValue:StringLike":{"k":"*"}}`, empty, null), false)
	is(t, "empty string is null for Null", conditionalUnder(t, `{"Null":{"k":"true"}}`, empty, null), true)
	is(t, "but not for StringLike", conditionalUnder(t, `{"StringLike":{"k":""}}`, empty, null), true)
}
