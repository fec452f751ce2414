package policy

import (
	"errors"
	"strings"
	"testing"
)

func TestRemoveConditionValue(t *testing.T) {
	t.Parallel()
	const text = `{"Statement":[{"Effect":"Allow","Condition":{"IpAddress":{"aws:SourceIp":["203.0.113.0/24", "0.0.0.0/0"]},"Bool":{"a:b":true}}}]}`
	after, err := must(t, text).Apply(RemoveConditionValue(0, "IpAddress", "aws:SourceIp", "0.0.0.0/0"))
	if err != nil || after.Text() != strings.Replace(text, `, "0.0.0.0/0"`, "", 1) {
		t.Errorf("got %v, %v", after, err)
	}
	for name, tt := range map[string]struct {
		edit Edit
		want error
	}{
		"no_condition": {RemoveConditionValue(0, "StringLike", "aws:SourceIp", "0.0.0.0/0"), ErrNotFound},
		"no_key":       {RemoveConditionValue(0, "IpAddress", "aws:sourceip", "0.0.0.0/0"), ErrNotFound},
		"no_value":     {RemoveConditionValue(0, "IpAddress", "aws:SourceIp", "::/0"), ErrNotFound},
		"no_text":      {RemoveConditionValue(0, "Bool", "a:b", "true"), ErrNotFound},
	} {
		if _, err := must(t, text).Apply(tt.edit); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	if _, err := after.Apply(RemoveConditionValue(0, "IpAddress", "aws:SourceIp", "203.0.113.0/24")); !errors.Is(err, ErrLast) {
		t.Errorf("the last value: got %v, want %v", err, ErrLast)
	}
}

// TestRestrict: the condition is added, and every other byte stays.
func TestRestrict(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, add string }{
		"without_condition":      {`{"Statement":{"Effect":"Allow","Action":"a:B"^}}`, `,"Condition":{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`},
		"over_lines":             {"{\n \"Statement\": [\n  {\n   \"Effect\": \"Allow\",\n   \"Action\": \"a:B\"^\n  }\n ]\n}", ",\n   \"Condition\": {\"StringEquals\": {\"aws:PrincipalAccount\": \"111122223333\"}}"},
		"with_another_operator":  {`{"Statement":{"Effect":"Allow","Condition":{"Bool":{"a:b":"true"}^}}}`, `,"StringEquals":{"aws:PrincipalAccount":"111122223333"}`},
		"with_the_operator":      {`{"Statement":{"Effect":"Allow","Condition":{"StringEquals":{"a:b":"c"^}}}}`, `,"aws:PrincipalAccount":"111122223333"`},
		"with_an_empty_element":  {`{"Statement":{"Effect":"Allow","Condition":{^}}}`, `"StringEquals":{"aws:PrincipalAccount":"111122223333"}`},
		"with_an_empty_operator": {`{"Statement":{"Effect":"Allow","Condition":{"StringEquals":{^}}}}`, `"aws:PrincipalAccount":"111122223333"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := must(t, strings.Replace(tt.text, "^", "", 1))
			st, c, err := before.Statements[0].Restricted("aws:PrincipalAccount", "111122223333")
			if err != nil {
				t.Fatal(err)
			}
			after, err := before.Restrict(0, c)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.Replace(tt.text, "^", tt.add, 1); after.Text() != want {
				t.Errorf("got  %s\nwant %s", after.Text(), want)
			}
			same := &Document{Statements: []Statement{st}}
			if got := (&Document{Statements: after.Statements}).Canon(); got != same.Canon() {
				t.Errorf("text and statement differ: %s, %s", got, same.Canon())
			}
		})
	}
	taken := Statement{Conditions: []Condition{{"StringEquals", "AWS:principalaccount", []string{"1"}}}}
	if _, c, err := taken.Restricted("aws:PrincipalAccount", "2"); err != nil || c.Operator != "StringLike" {
		t.Errorf("a key that is taken: got %v, %v", c, err)
	}
	if _, _, err := taken.Restricted("aws:PrincipalAccount", "*"); err == nil {
		t.Error("a wildcard: got no error")
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	const one, two = `{"Effect":"Allow"}`, `{"Effect":"Deny"}`
	after, err := must(t, `{"Statement":[ `+one+`, `+one+` ]}`).Replace(map[int]string{0: two})
	if err != nil || after.Text() != `{"Statement":[ `+two+`, `+one+` ]}` {
		t.Errorf("got %v, %v", after, err)
	}
	line, err := must(t, "{\"Statement\": {\n\"Effect\": \"Allow\",\n\"Principal\": \"*\"}}").Statements[0].Line()
	if err != nil || line != `{"Effect":"Allow","Principal":"*"}` {
		t.Errorf("line: got %s, %v", line, err)
	}
}
