package policy

import (
	"errors"
	"strings"
	"testing"
)

// edited is a document in the layout of the IAM console.
const edited = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "A",
      "Effect": "Allow",
      "Action": [
        "s3:GetObject",
        "s3:*",
        "s3:PutObject"
      ],
      "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::b" , "arn:aws:s3:::c"]
    },
    { "Effect": "Allow", "Action": "ec2:*", "Resource": "*" },
    {
      "Effect": "Deny",
      "Principal": { "AWS": ["111122223333", "444455556666"], "Service": "sns.amazonaws.com" },
      "Action": ["iam:*", "iam:*"], "Resource": "*"
    }
  ]
}
`

func TestApply_changes_only_what_it_must(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text  string
		edits []Edit
		cut   string // the part of the text that changes
		paste string
	}{
		"nothing":         {edited, nil, "", ""},
		"first_action":    {edited, []Edit{RemoveAction(0, "s3:GetObject")}, "\"s3:GetObject\",\n        ", ""},
		"middle_action":   {edited, []Edit{RemoveAction(0, "s3:*")}, ",\n        \"s3:*\"", ""},
		"last_action":     {edited, []Edit{RemoveAction(0, "s3:PutObject")}, ",\n        \"s3:PutObject\"", ""},
		"first_two":       {edited, []Edit{RemoveAction(0, "s3:GetObject"), RemoveAction(0, "s3:*")}, "\"s3:GetObject\",\n        \"s3:*\",\n        ", ""},
		"last_two":        {edited, []Edit{RemoveAction(0, "s3:PutObject"), RemoveAction(0, "s3:*")}, ",\n        \"s3:*\",\n        \"s3:PutObject\"", ""},
		"replace":         {edited, []Edit{ReplaceAction(0, "s3:*", "s3:GetBucketAcl", "s3:List*")}, `"s3:*"`, "\"s3:GetBucketAcl\",\n        \"s3:List*\""},
		"replace_by_one":  {edited, []Edit{ReplaceAction(1, "ec2:*", "ec2:Describe*")}, `"ec2:*"`, `"ec2:Describe*"`},
		"replace_scalar":  {edited, []Edit{ReplaceAction(1, "ec2:*", "ec2:A", "ec2:B")}, `"ec2:*"`, "[\n      \"ec2:A\",\n      \"ec2:B\"\n    ]"},
		"replace_by_none": {edited, []Edit{ReplaceAction(0, "s3:*")}, ",\n        \"s3:*\"", ""},
		"replace_and_remove_around": {
			edited, []Edit{RemoveAction(0, "s3:GetObject"), ReplaceAction(0, "s3:*", "s3:X"), RemoveAction(0, "s3:PutObject")},
			"\"s3:GetObject\",\n        \"s3:*\",\n        \"s3:PutObject\"", `"s3:X"`,
		},
		"entry_listed_twice":    {edited, []Edit{ReplaceAction(2, "iam:*", "iam:Get*")}, `"iam:*", "iam:*"`, `"iam:Get*"`},
		"resource":              {edited, []Edit{RemoveResource(0, "arn:aws:s3:::b")}, `, "arn:aws:s3:::b"`, ""},
		"first_resource":        {edited, []Edit{RemoveResource(0, "arn:aws:s3:::a")}, `"arn:aws:s3:::a", `, ""},
		"replace_resource":      {edited, []Edit{ReplaceResource(0, "arn:aws:s3:::b", "arn:aws:s3:::c", "arn:aws:s3:::d")}, `"arn:aws:s3:::b"`, `"arn:aws:s3:::c", "arn:aws:s3:::d"`},
		"drop_resource":         {edited, []Edit{ReplaceResource(0, "arn:aws:s3:::b")}, `, "arn:aws:s3:::b"`, ""},
		"replace_all_resources": {edited, []Edit{ReplaceResource(1, "*", "arn:aws:s3:::c")}, `"Resource": "*"`, `"Resource": "arn:aws:s3:::c"`},
		"principal":             {edited, []Edit{RemovePrincipal(2, PrincipalAWS, "111122223333")}, `"111122223333", `, ""},
		"last_of_its_kind":      {edited, []Edit{RemovePrincipal(2, PrincipalService, "sns.amazonaws.com")}, `, "Service": "sns.amazonaws.com"`, ""},
		"first_kind":            {edited, []Edit{RemovePrincipal(2, PrincipalAWS, "111122223333"), RemovePrincipal(2, PrincipalAWS, "444455556666")}, `"AWS": ["111122223333", "444455556666"], `, ""},
		"statement":             {edited, []Edit{RemoveStatement(1)}, ",\n    { \"Effect\": \"Allow\", \"Action\": \"ec2:*\", \"Resource\": \"*\" }", ""},
		"first_statement":       {edited, []Edit{RemoveStatement(0)}, edited[strings.Index(edited, "{\n      \"Sid\""):strings.Index(edited, "{ \"Effect\"")], ""},
		"statement_with_edits":  {edited, []Edit{RemoveAction(1, "ec2:*"), RemoveStatement(1), RemoveResource(1, "none")}, ",\n    { \"Effect\": \"Allow\", \"Action\": \"ec2:*\", \"Resource\": \"*\" }", ""},
		"one_line_list":         {`{"Statement":[{"Effect":"Allow","Action":["a:B"]}]}`, []Edit{ReplaceAction(0, "a:B", "a:C", "a:D")}, `"a:B"`, `"a:C", "a:D"`},
		"list_of_one_on_lines":  {"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":[\n\t\"a:B\"\n]}}", []Edit{ReplaceAction(0, "a:B", "a:C", "a:D")}, `"a:B"`, "\"a:C\",\n\t\"a:D\""},
		"one_line_scalar":       {`{"Statement":{"Effect":"Allow","Action":"a:B"}}`, []Edit{ReplaceAction(0, "a:B", "a:C", "a:D")}, `"a:B"`, `["a:C", "a:D"]`},
		"scalar_no_indentation": {"{\"Statement\":{\"Effect\":\"Allow\",\n\"Action\":\"a:B\"}}", []Edit{ReplaceAction(0, "a:B", "a:C", "a:D")}, `"a:B"`, "[\n    \"a:C\",\n    \"a:D\"\n]"},
		"escaped_entry":         {`{"Statement":{"Effect":"Allow","Action":["a:\u0042","a:C"]}}`, []Edit{RemoveAction(0, "a:B")}, `"a:\u0042",`, ""},
		"null_stays":            {`{"Statement":{"Effect":"Allow","Action":["a:B",null,"a:C"]}}`, []Edit{RemoveAction(0, "a:B")}, `"a:B",`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := must(t, tt.text)
			after, err := before.Apply(tt.edits...)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(tt.text, tt.cut, tt.paste, 1)
			if got := after.Text(); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if before.Text() != tt.text {
				t.Error("the document before the edit has changed")
			}
		})
	}
}

func TestApply_refuses(t *testing.T) {
	t.Parallel()
	const single = `{"Statement":{"Effect":"Allow","Principal":"*","Action":["a:B",null],"Resource":"*"}}`
	tests := map[string]struct {
		text  string
		edits []Edit
		want  error
		words string
	}{
		"no_such_statement":    {edited, []Edit{RemoveStatement(3)}, ErrNotFound, "remove statement 3: no such entry"},
		"negative_statement":   {edited, []Edit{RemoveAction(-1, "a:B")}, ErrNotFound, `remove Action "a:B" of statement -1: no such entry`},
		"no_such_action":       {edited, []Edit{ReplaceAction(0, "s3:Get*", "s3:A")}, ErrNotFound, `replace Action "s3:Get*" of statement 0 by ["s3:A"]: no such entry`},
		"no_such_list":         {`{"Statement":{"Effect":"Allow"}}`, []Edit{RemoveResource(0, "*")}, ErrNotFound, `remove Resource "*" of statement 0: no such entry`},
		"no_principal":         {edited, []Edit{RemovePrincipal(0, PrincipalAWS, "*")}, ErrNotFound, `remove Principal "*" of statement 0: no such entry`},
		"no_such_kind":         {edited, []Edit{RemovePrincipal(2, PrincipalFederated, "*")}, ErrNotFound, `remove Principal "*" of statement 2: no such entry`},
		"not_everybody":        {single, []Edit{RemovePrincipal(0, PrincipalService, "*")}, ErrNotFound, `remove Principal "*" of statement 0: no such entry`},
		"everybody":            {single, []Edit{RemovePrincipal(0, PrincipalAWS, "*")}, ErrLast, `remove Principal "*" of statement 0: nothing would be left`},
		"bare_principal":       {strings.Replace(single, `"*"`, `"111122223333"`, 1), []Edit{RemovePrincipal(0, PrincipalAWS, "111122223333")}, ErrLast, `remove Principal "111122223333" of statement 0: nothing would be left`},
		"last_action":          {single, []Edit{RemoveAction(0, "a:B")}, ErrLast, `remove Action "a:B" of statement 0: nothing would be left`},
		"last_scalar":          {edited, []Edit{RemoveAction(1, "ec2:*")}, ErrLast, `remove Action "ec2:*" of statement 1: nothing would be left`},
		"last_by_none":         {single, []Edit{ReplaceResource(0, "*")}, ErrLast, `remove Resource "*" of statement 0: nothing would be left`},
		"last_resource":        {single, []Edit{RemoveResource(0, "*")}, ErrLast, `remove Resource "*" of statement 0: nothing would be left`},
		"single_statement":     {single, []Edit{RemoveStatement(0)}, ErrLast, "remove statement 0: nothing would be left"},
		"all_statements":       {edited, []Edit{RemoveStatement(0), RemoveStatement(1), RemoveStatement(2)}, ErrLast, "edit policy: nothing would be left"},
		"statement_twice":      {edited, []Edit{RemoveStatement(0), RemoveStatement(0)}, errTwice, "remove statement 0: edited twice"},
		"action_twice":         {edited, []Edit{RemoveAction(0, "s3:*"), ReplaceAction(0, "s3:*", "s3:A")}, errTwice, `replace Action "s3:*" of statement 0 by ["s3:A"]: edited twice`},
		"all_principals":       {edited, []Edit{RemovePrincipal(2, PrincipalAWS, "111122223333"), RemovePrincipal(2, PrincipalAWS, "444455556666"), RemovePrincipal(2, PrincipalService, "sns.amazonaws.com")}, ErrLast, `remove Principal "sns.amazonaws.com" of statement 2: nothing would be left`},
		"nothing_of_a_failure": {edited, []Edit{RemoveStatement(0), RemoveAction(1, "a:B")}, ErrNotFound, `remove Action "a:B" of statement 1: no such entry`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after, err := must(t, tt.text).Apply(tt.edits...)
			if !errors.Is(err, tt.want) || after != nil {
				t.Fatalf("got %v, want %v and no document", err, tt.want)
			}
			if err.Error() != tt.words {
				t.Errorf("got %q, want %q", err, tt.words)
			}
		})
	}
}

func TestApply_edits_a_literal_in_its_text(t *testing.T) {
	t.Parallel()
	d := &Document{Version: Version2012, Statements: []Statement{{Effect: Allow, Actions: []string{"a:B", "a:C"}, Resources: []string{"*"}}}}
	after, err := d.Apply(RemoveAction(0, "a:B"))
	if err != nil {
		t.Fatal(err)
	}
	if got := after.Statements[0].Actions; len(got) != 1 || got[0] != "a:C" {
		t.Errorf("got %q", got)
	}
	if _, err := (&Document{}).Apply(); err == nil {
		t.Error("a document without statements was edited")
	}
}

func TestText_writes_a_literal_so_that_it_reads_the_same(t *testing.T) {
	t.Parallel()
	d := must(t, sample)
	built := *d
	built.root = nil
	built.Statements = append([]Statement(nil), d.Statements...)
	for i := range built.Statements {
		built.Statements[i].node = nil
	}
	if built.Statements[0].Span() != (Span{}) {
		t.Error("a literal has a span")
	}
	again := must(t, built.Text())
	if got, want := again.Canon(), d.Canon(); got != want {
		t.Errorf("got  %s\nwant %s\n%s", got, want, built.Text())
	}
	if !strings.Contains(built.Text(), "\n    \"Version\": \"2012-10-17\",\n    \"Id\": \"sample\",\n") {
		t.Errorf("layout: %s", built.Text())
	}
}

func TestText_of_odd_literals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		document Document
		want     string
	}{
		"nothing":      {Document{}, "{\n    \"Statement\": []\n}"},
		"empty_list":   {Document{Statements: []Statement{{Effect: Allow, Actions: []string{}}}}, "{\n    \"Statement\": [\n        {\n            \"Effect\": \"Allow\",\n            \"Action\": []\n        }\n    ]\n}"},
		"quoted":       {Document{ID: "a\"\\\n\x01é"}, "{\n    \"Id\": \"a\\\"\\\\\\u000a\\u0001é\",\n    \"Statement\": []\n}"},
		"invalid_utf8": {Document{ID: "a\xff"}, "{\n    \"Id\": \"a\ufffd\",\n    \"Statement\": []\n}"},
	}
	for name, tt := range tests {
		if got := tt.document.Text(); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
	d := Document{Version: Version2012, Statements: []Statement{{
		Effect: Deny, Principals: &Principals{Groups: []PrincipalGroup{{PrincipalAWS, nil}}}, Actions: []string{"*"},
		Conditions: []Condition{{"Bool", "a", []string{"true"}}, {"Null", "b", nil}, {"Bool", "c", []string{"false", "true"}}},
	}}}
	if again := must(t, d.Text()); again.Canon() != d.Canon() {
		t.Errorf("got  %s\nwant %s", again.Canon(), d.Canon())
	}
}
