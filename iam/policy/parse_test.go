package policy

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// sample uses every element and every shape.
const sample = `{
    "Version": "2012-10-17",
    "Id": "sample",
    "Statement": [
        {
            "Sid": "one",
            "Effect": "Allow",
            "Principal": {"AWS": ["111122223333", "arn:aws:iam::444455556666:root"], "Service": "sns.amazonaws.com"},
            "Action": ["s3:GetObject", "s3:Put*"],
            "NotResource": "arn:aws:s3:::private/*",
            "Condition": {
                "Bool": {"aws:SecureTransport": true},
                "NumericLessThan": {"s3:max-keys": [10, "20"]}
            }
        },
        {"Effect": "Deny", "NotPrincipal": "*", "NotAction": "iam:*", "Resource": ["*", null]}
    ]
}
`

// must parses a document that has to be right.
func must(t testing.TB, text string) *Document {
	t.Helper()
	d, err := Parse(text)
	if err != nil {
		t.Fatalf("parse %q: %v", text, err)
	}
	return d
}

func TestParse_reads_every_element(t *testing.T) {
	t.Parallel()
	d := must(t, sample)
	if got := d.Text(); got != sample {
		t.Errorf("text: got %q, want it unchanged", got)
	}
	span := d.Statements[1].Span()
	if got := sample[span.Start:span.End]; !strings.HasPrefix(got, `{"Effect": "Deny"`) || !strings.HasSuffix(got, "null]}") {
		t.Errorf("span of the second statement: got %q", got)
	}
	for i := range d.Statements {
		d.Statements[i].node = nil
	}
	want := []Statement{
		{
			Sid: "one", Effect: Allow,
			Principals: &Principals{Groups: []PrincipalGroup{
				{PrincipalAWS, []string{"111122223333", "arn:aws:iam::444455556666:root"}},
				{PrincipalService, []string{"sns.amazonaws.com"}},
			}},
			Actions:      []string{"s3:GetObject", "s3:Put*"},
			NotResources: []string{"arn:aws:s3:::private/*"},
			Conditions: []Condition{
				{"Bool", "aws:SecureTransport", []string{"true"}},
				{"NumericLessThan", "s3:max-keys", []string{"10", "20"}},
			},
		},
		{
			Effect: Deny, NotPrincipals: &Principals{Any: true},
			NotActions: []string{"iam:*"}, Resources: []string{"*"},
		},
	}
	if !reflect.DeepEqual(d.Statements, want) {
		t.Errorf("got  %+v\nwant %+v", d.Statements, want)
	}
	if d.Version != Version2012 || d.ID != "sample" || !d.Variables() {
		t.Errorf("got version %q, id %q, variables %v", d.Version, d.ID, d.Variables())
	}
}

func TestParse_decodes_url_encoding_only_where_there_is_some(t *testing.T) {
	t.Parallel()
	const plain = `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::a+b%20c/*"}}`
	for name, text := range map[string]string{
		"plain": plain, "plain_after_white_space": "\n\t " + plain, "encoded": url.PathEscape(plain), "encoded_as_iam_does": url.QueryEscape(plain),
	} {
		d := must(t, text)
		if got := d.Statements[0].Resources[0]; got != "arn:aws:s3:::a+b%20c/*" {
			t.Errorf("%s: got resource %q", name, got)
		}
	}
}

func TestParse_takes_a_bare_principal(t *testing.T) {
	t.Parallel()
	d := must(t, one(`"Principal":"arn:aws:iam::111122223333:root"`))
	want := &Principals{Groups: []PrincipalGroup{{PrincipalAWS, []string{"arn:aws:iam::111122223333:root"}}}}
	if got := d.Statements[0].Principals; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if same := must(t, one(`"Principal":{"AWS":"111122223333"}`)); d.Canon() != same.Canon() {
		t.Errorf("got %s, want %s", d.Canon(), same.Canon())
	}
}

// one wraps the members of a statement into a document.
func one(members string) string {
	return `{"Statement":{"Effect":"Allow",` + members + `}}`
}

func TestParse_refuses_with_position(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text   string
		at     Position
		detail string
	}{
		"empty":                  {"", Position{1, 1, 0}, "expected a JSON value"},
		"not_json":               {"This is not a json document", Position{1, 1, 0}, "expected a JSON value"},
		"bad_encoding":           {"%zz", Position{1, 1, 0}, "neither JSON nor URL-encoded JSON"},
		"a_list":                 {"[]", Position{1, 1, 0}, "the document is an array, not an object"},
		"text_after":             {"{}\n x", Position{2, 2, 4}, "text after the document"},
		"no_statement":           {`{"Version":"2012-10-17"}`, Position{1, 1, 0}, "no statement"},
		"empty_statement_list":   {`{"Statement":[]}`, Position{1, 1, 0}, "no statement"},
		"unknown_element":        {"{\n  \"Extra\": 1}", Position{2, 3, 4}, `unknown element "Extra"`},
		"unknown_in_statement":   {one(`"Extra":1`), Position{1, 32, 31}, `unknown element "Extra"`},
		"version_not_a_string":   {`{"Version":2012}`, Position{1, 12, 11}, "Version is a number, not a string"},
		"unknown_version":        {`{"Version":"2013-10-17"}`, Position{1, 12, 11}, `unknown version "2013-10-17"`},
		"id_not_a_string":        {`{"Id":{}}`, Position{1, 7, 6}, "Id is an object, not a string"},
		"statement_a_string":     {`{"Statement":""}`, Position{1, 14, 13}, "Statement is a string, not an array"},
		"statement_of_strings":   {`{"Statement":["é",1]}`, Position{1, 15, 14}, "a statement is a string, not an object"},
		"column_in_characters":   {`{"Id":"é","Statement":1}`, Position{1, 23, 23}, "Statement is a number, not an array"},
		"no_effect":              {`{"Statement":{}}`, Position{1, 14, 13}, "a statement without Effect"},
		"unknown_effect":         {`{"Statement":{"Effect":"May"}}`, Position{1, 24, 23}, `unknown effect "May"`},
		"effect_not_a_string":    {`{"Statement":{"Effect":true}}`, Position{1, 24, 23}, "Effect is a boolean, not a string"},
		"sid_not_a_string":       {one(`"Sid":[]`), Position{1, 38, 37}, "Sid is an array, not a string"},
		"both_actions":           {one(`"Action":[],"NotAction":[]`), Position{1, 14, 13}, "both Action and NotAction"},
		"both_resources":         {one(`"Resource":"*","NotResource":[]`), Position{1, 14, 13}, "both Resource and NotResource"},
		"both_principals":        {one(`"Principal":"*","NotPrincipal":"*"`), Position{1, 14, 13}, "both Principal and NotPrincipal"},
		"action_null":            {one(`"Action":null`), Position{1, 41, 40}, "Action holds null, not a string"},
		"action_of_lists":        {one(`"Action":[[]]`), Position{1, 42, 41}, "Action holds an array, not a string"},
		"not_resource_an_object": {one(`"NotResource":{}`), Position{1, 46, 45}, "NotResource holds an object, not a string"},
		"principal_number":       {one(`"Principal":7`), Position{1, 44, 43}, `Principal is neither "*" nor an object`},
		"principal_kind":         {one(`"Principal":{"Aws":"*"}`), Position{1, 45, 44}, `unknown kind of principal "Aws"`},
		"principal_value":        {one(`"NotPrincipal":{"AWS":7}`), Position{1, 54, 53}, "NotPrincipal holds a number, not a string"},
		"condition_a_list":       {one(`"Condition":[]`), Position{1, 44, 43}, "Condition is an array, not an object"},
		"operator_not_an_object": {one(`"Condition":{"Bool":"b"}`), Position{1, 52, 51}, "Bool is a string, not an object"},
		"unknown_operator":       {one(`"Condition":{"x":{"a":"1"}}`), Position{1, 45, 44}, `unknown condition operator "x"`},
		"condition_value":        {one(`"Condition":{"Bool":{"a":{}}}`), Position{1, 57, 56}, `the value of condition key "a" is an object`},
		"key_without_quotes":     {`{a:1}`, Position{1, 2, 1}, "expected a key in quotes"},
		"key_broken":             {"{\"a\n", Position{1, 4, 3}, "control character in a string"},
		"no_colon":               {`{"a" 1}`, Position{1, 6, 5}, `expected a colon after key "a"`},
		"no_value":               {`{"a":}`, Position{1, 6, 5}, "expected a JSON value"},
		"no_comma":               {`{"a":1 "b":2}`, Position{1, 8, 7}, `expected a comma or "}"`},
		"comma_at_the_end":       {`{"a":[1,]}`, Position{1, 9, 8}, "expected a JSON value"},
		"object_comma_at_end":    {`{"a":1,}`, Position{1, 8, 7}, "expected a key in quotes"},
		"no_end_of_list":         {`{"a":[1`, Position{1, 8, 7}, `expected a comma or "]"`},
		"no_end_of_string":       {`{"a":"b`, Position{1, 8, 7}, "string without end"},
		"no_end_after_escape":    {`{"a":"\n`, Position{1, 9, 8}, "string without end"},
		"control_after_escape":   {"{\"a\":\"\\n\x01", Position{1, 9, 8}, "control character in a string"},
		"unknown_escape":         {`{"a":"\x"}`, Position{1, 7, 6}, "malformed escape"},
		"escape_at_the_end":      {`{"a":"\`, Position{1, 7, 6}, "malformed escape"},
		"short_escape":           {`{"a":"\u12"`, Position{1, 7, 6}, "malformed escape"},
		"lone_surrogate":         {`{"a":"\ud800x"}`, Position{1, 7, 6}, "lone surrogate"},
		"low_surrogate_first":    {`{"a":"\udc00\ud800"}`, Position{1, 7, 6}, "lone surrogate"},
		"invalid_utf8":           {"{\"a\":\"\xff\"}", Position{1, 7, 6}, "invalid UTF-8"},
		"invalid_after_escape":   {"{\"a\":\"\\n\xff\"}", Position{1, 9, 8}, "invalid UTF-8"},
		"leading_zero":           {`{"a":01}`, Position{1, 8, 7}, "malformed number"},
		"minus_alone":            {`{"a":-}`, Position{1, 7, 6}, "malformed number"},
		"point_alone":            {`{"a":1.}`, Position{1, 8, 7}, "malformed number"},
		"exponent_alone":         {`{"a":1e+}`, Position{1, 9, 8}, "malformed number"},
		"half_a_word":            {`{"a":tru}`, Position{1, 6, 5}, "expected a JSON value"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(tt.text)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want an *Error", err)
			}
			if e.Reason != ReasonSyntax || e.At != tt.at || e.Detail != tt.detail {
				t.Errorf("got %q at %+v (%s), want %q at %+v (%s)", e.Reason, e.At, e.Detail, ReasonSyntax, tt.at, tt.detail)
			}
		})
	}
}

func TestParse_names_both_places_of_a_duplicate(t *testing.T) {
	t.Parallel()
	_, err := Parse("{\n  \"Statement\": {\"Effect\": \"Allow\",\n    \"\\u0045ffect\": \"Deny\"}}")
	var e *Error
	if !errors.As(err, &e) || e.First == nil {
		t.Fatalf("got %v, want an *Error with a first place", err)
	}
	if e.At != (Position{3, 5, 41}) || *e.First != (Position{2, 17, 18}) {
		t.Errorf("got %+v and %+v", e.At, *e.First)
	}
	want := `line 3, column 5: Syntax errors in policy. (duplicate key "Effect", first at line 2, column 17)`
	if got := err.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParse_reads_json_as_the_standard_says(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ json, want string }{
		"escapes":         {`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		"unicode_escape":  {`"a\u00e9b"`, "aéb"},
		"surrogate_pair":  {`"\ud83d\ude00!"`, "😀!"},
		"beyond_ascii":    {`"é\n世界"`, "é\n世界"},
		"negative_number": {`-0.5e-3`, "-0.5e-3"},
		"large_exponent":  {`1E+9`, "1E+9"},
		"true":            {`true`, "true"},
		"false":           {`false`, "false"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := must(t, one(`"Condition":{"StringEquals":{"k":[`+tt.json+`]}}`))
			if got := d.Statements[0].Conditions[0].Values[0]; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestParse_bounds_depth(t *testing.T) {
	t.Parallel()
	for _, bracket := range []string{"[", `{"a":`} {
		text := `{"Statement":` + strings.Repeat(bracket, 1<<20/len(bracket))
		_, err := Parse(text)
		var e *Error
		if !errors.As(err, &e) || e.Detail != "nested more than 32 levels deep" {
			t.Errorf("%s...: got %v", bracket, err)
		}
	}
}

func TestEffect_String(t *testing.T) {
	t.Parallel()
	for effect, want := range map[Effect]string{NoEffect: "", Allow: "Allow", Deny: "Deny"} {
		if got := effect.String(); got != want {
			t.Errorf("%d: got %q, want %q", effect, got, want)
		}
	}
}

func TestPrincipals_Everyone(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		principals *Principals
		want       bool
	}{
		"absent":         {nil, false},
		"star":           {&Principals{Any: true}, true},
		"star_in_aws":    {&Principals{Groups: []PrincipalGroup{{PrincipalAWS, []string{"111122223333", "*"}}}}, true},
		"star_elsewhere": {&Principals{Groups: []PrincipalGroup{{PrincipalService, []string{"*"}}}}, false},
		"account":        {&Principals{Groups: []PrincipalGroup{{PrincipalAWS, []string{"111122223333"}}}}, false},
	}
	for name, tt := range tests {
		if got := tt.principals.Everyone(); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

func TestOperator(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		want    Operator
		ok      bool
		negated bool
	}{
		"StringEquals":                        {Operator{Test: "StringEquals"}, true, false},
		"ForAnyValue:StringNotLikeIfExists":   {Operator{ForAnyValue, "StringNotLike", true}, true, true},
		"ForAllValues:ArnLike":                {Operator{ForAllValues, "ArnLike", false}, true, false},
		"NotIpAddress":                        {Operator{Test: "NotIpAddress"}, true, true},
		"Null":                                {Operator{Test: "Null"}, true, false},
		"NullIfExists":                        {Operator{Test: "Null", IfExists: true}, false, false},
		"ForAnyValues:StringEquals":           {Operator{Test: "ForAnyValues:StringEquals"}, false, false},
		"ForAnyValue::StringEqualsIfExists":   {Operator{ForAnyValue, ":StringEquals", true}, false, false},
		"stringequals":                        {Operator{Test: "stringequals"}, false, false},
		"NumericGreaterThanEquals":            {Operator{Test: "NumericGreaterThanEquals"}, true, false},
		"ForAllValues:StringEqualsIgnoreCase": {Operator{ForAllValues, "StringEqualsIgnoreCase", false}, true, false},
	}
	for text, tt := range tests {
		op, ok := ParseOperator(text)
		if op != tt.want || ok != tt.ok || op.Negated() != tt.negated {
			t.Errorf("%s: got %+v %v negated %v, want %+v %v %v", text, op, ok, op.Negated(), tt.want, tt.ok, tt.negated)
		}
		if got := op.String(); got != text {
			t.Errorf("%s: written as %q", text, got)
		}
	}
}
