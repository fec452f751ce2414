package awssim

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestGlob(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, pattern, text string
		want                bool
	}{
		{"equal", "ec2:CreateVpc", "ec2:CreateVpc", true},
		{"other_case", "ec2:createvpc", "ec2:CreateVpc", false},
		{"all", "*", "anything", true},
		{"all_of_nothing", "*", "", true},
		{"suffix", "ec2:Describe*", "ec2:DescribeTags", true},
		{"suffix_of_nothing", "ec2:Describe*", "ec2:Describe", true},
		{"infix", "ec2:*Ingress", "ec2:RevokeSecurityGroupIngress", true},
		{"infix_goes_back", "a*ab", "aaab", true},
		{"two_stars", "*Group*", "ec2:SecurityGroupRules", true},
		{"one_character", "sg-?", "sg-1", true},
		{"one_character_is_needed", "sg-?", "sg-", false},
		{"text_goes_on", "ec2:Create", "ec2:CreateVpc", false},
		{"pattern_goes_on", "ec2:CreateVpc", "ec2:Create", false},
		{"empty_pattern", "", "x", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := glob(tt.pattern, tt.text); got != tt.want {
				t.Errorf("glob(%q, %q): got %t, want %t", tt.pattern, tt.text, got, tt.want)
			}
		})
	}
}

// FuzzEncoder shows that any text comes back from both kinds of document.
func FuzzEncoder(f *testing.F) {
	for _, s := range []string{"", "plain", `"quoted" \ <tag> & 'more'`, "line\r\nbreak\t", "\x00\x1f", "\xff\xfe", "naïve \u2028 \U0001F600", "]]>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		j := &encoder{json: true, buf: []byte{'{'}}
		writeSample(j, s)
		var document struct {
			Text string
			List struct{ Items []struct{ Text string } }
			None map[string]any
		}
		if err := json.Unmarshal(append(j.buf, '}'), &document); err != nil {
			t.Fatalf("JSON: %v\n%s", err, j.buf)
		}
		if want := strings.ToValidUTF8(s, "\uFFFD"); utf8.ValidString(s) && (document.Text != want || document.List.Items[1].Text != want) {
			t.Errorf("JSON: got %q, want %q", document.Text, want)
		}
		if document.None == nil || len(document.None) != 0 {
			t.Errorf("an empty list: got %v, want {}", document.None)
		}
		x := &encoder{}
		x.begin("d")
		writeSample(x, s)
		x.end("d")
		decoder := xml.NewDecoder(bytes.NewReader(x.buf))
		var texts []string
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("XML: %v\n%s", err, x.buf)
			}
			if text, ok := token.(xml.CharData); ok {
				texts = append(texts, string(text))
			}
		}
		clean := strings.Map(func(r rune) rune {
			if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
				return 0xFFFD
			}
			return r
		}, s)
		if s != "" && utf8.ValidString(s) && (len(texts) != 5 || texts[0] != clean) {
			t.Errorf("XML: got %q, want %q first of five", texts, clean)
		}
	})
}

func writeSample(e *encoder, s string) {
	e.text("text", s)
	e.number("number", -1)
	e.flag("flag", true)
	e.optional("absent", "")
	e.beginList("none")
	e.endList("none")
	e.beginList("list")
	for range 2 {
		e.item()
		e.text("text", s)
		e.endItem()
	}
	e.endList("list")
}

// FuzzParameters shows that no form makes the reader of parameters or the writer of events fail.
func FuzzParameters(f *testing.F) {
	for _, s := range []string{
		"GroupId=sg-1&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0",
		"Filter.1.Name=group-id&Filter.1.Value.1=sg-1&Filter.2.Name=x", "A.1=x&A.1.B=y&A=z", "..=1&.=2&=3", "Tag.2.Key=b&Tag.1.Key=a&Tag.1.Value=",
		"SecurityGroupRule.1.SecurityGroupRule.FromPort=x&SecurityGroupRule.1.SecurityGroupRuleId=sgr-1", "IpPermissions=7", "Tag.01.Key=a&Tag.1.Key=b", "IpPermissions.00",
	} {
		f.Add(s)
	}
	operations := newEC2().operations
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		p := parseParameters(form)
		for name, op := range operations {
			k := &call{Call: Call{Operation: name}, op: op, p: p}
			e := &encoder{json: true, buf: []byte{'{'}}
			op.request(k, e)
			if event := append(e.buf, '}'); !json.Valid(event) {
				t.Fatalf("%s: requestParameters are no JSON: %s", name, event)
			}
		}
	})
}

func TestSessionPolicyErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, policy, code string }{
		{"not_json", "{", "MalformedPolicyDocument"},
		{"no_statement", `{"Version":"2012-10-17"}`, "MalformedPolicyDocument"},
		{"empty_statement_list", `{"Statement":[]}`, "MalformedPolicyDocument"},
		{"action_is_a_number", `{"Statement":{"Effect":"Allow","Action":7,"Resource":"*"}}`, "MalformedPolicyDocument"},
		{"effect_is_neither", `{"Statement":{"Effect":"Maybe","Action":"*","Resource":"*"}}`, "MalformedPolicyDocument"},
		{"no_resource", `{"Statement":{"Effect":"Allow","Action":"*"}}`, "MalformedPolicyDocument"},
		{"not_action", `{"Statement":{"Effect":"Allow","NotAction":"*","Resource":"*"}}`, "NotImplemented"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			statements, err := parseSessionPolicy(tt.policy)
			if err == nil || asError(err).Code != tt.code {
				t.Errorf("got %+v, error %v; want %s", statements, err, tt.code)
			}
		})
	}
}
