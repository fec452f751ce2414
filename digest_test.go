package dera

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// TestCanonicalJSON holds the canonical form against RFC 8785 as far as its
// values are integers.
func TestCanonicalJSON(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"null", `null`, `null`},
		{"literals", `[true, false, null]`, `[true,false,null]`},
		{"blanks", " { \"b\" : [ 1 , 2 ] ,\n\t\"a\" : { } } ", `{"a":{},"b":[1,2]}`},
		{"empty_array", `[]`, `[]`},
		{"nested_order", `{"b":{"d":1,"c":2},"a":[{"z":1,"y":2}]}`, `{"a":[{"y":2,"z":1}],"b":{"c":2,"d":1}}`},
		{"minus_zero", `-0`, `0`},
		{"largest_integer", `[9007199254740991,-9007199254740991]`, `[9007199254740991,-9007199254740991]`},
		// RFC 8785, section 3.2.2: the string of the sample object.
		{"rfc_sample_string", `"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/"`, "\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\""},
		{"short_escapes", `"\b\t\n\f\r\u0000\u001f"`, `"\b\t\n\f\r\u0000\u001f"`},
		{"no_html_escapes", `"<&>"`, `"<&>"`},
		{"line_separators_and_delete", "\"\\u2028\\u2029\\u007f\"", "\"\u2028\u2029\u007f\""},
		// RFC 8785, section 3.2.3: order by UTF-16 code units.
		{"rfc_sample_order", `{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",` +
			`"\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
			"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\"," +
				"\"€\":\"Euro Sign\",\"\U0001F600\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}"},
		// The sample object of section 3.2.2 without its numbers, and objects as in the test data that the RFC names.
		{"rfc_sample_object", "{\n  \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\n  \"literals\": [null, true, false]\n}",
			"{\"literals\":[null,true,false],\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"},
		{"rfc_arrays", `[ 56, { "d": true, "10": null, "1": [ ] } ]`, `[56,{"1":[],"10":null,"d":true}]`},
		{"rfc_structures", `{"1": {"f": {"f": "hi", "F": 5}, "\n": 56}, "10": { }, "": "empty", "a": { }, "111": [ {"e": "yes", "E": "no"} ], "A": { }}`,
			`{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}`},
		{"rfc_unnormalized", `{"Unnormalized Unicode":"A\u030a"}`, "{\"Unnormalized Unicode\":\"A\u030a\"}"},
		{"rfc_order_of_accents", `{"peach":"p","péché":"q","pêche":"r","sin":"s"}`, `{"peach":"p","péché":"q","pêche":"r","sin":"s"}`},
		{"half_a_surrogate_pair", `["\ud800","\udc00x"]`, "[\"\ufffd\",\"\ufffdx\"]"},
		{"not_utf8", "{\"b\xff\":\"\xed\xa0\x80\",\"a\":\"\xc3\"}", "{\"a\":\"\ufffd\",\"b\ufffd\":\"\ufffd\ufffd\ufffd\"}"},
		{"equal_keys_that_are_not_utf8", "{\"a\xff\":1,\"b\":[],\"a\xfe\":{\"d\":1,\"c\":2}}", "{\"a\ufffd\":{\"c\":2,\"d\":1},\"b\":[]}"},
		{"equal_keys_inside", `[{"a":{"c":1,"b":2,"c":{"e":1,"d":{"f":1,"f":2}}}}]`, `[{"a":{"b":2,"c":{"d":{"f":2},"e":1}}}]`},
		{"empty_key", `{"a":1,"":2}`, `{"":2,"a":1}`},
		{"last_of_equal_keys", `{"b":1,"a":2,"b":3}`, `{"a":2,"b":3}`},
		{"equal_keys_by_escape", `{"a":1,"\u0061":2}`, `{"a":2}`},
		{"prefix_first", `{"aa":1,"a":2}`, `{"a":2,"aa":1}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := CanonicalJSON(json.RawMessage(tt.in))
			if err != nil || string(got) != tt.want {
				t.Fatalf("canonical form of %s:\n got %s, %v\nwant %s", tt.in, got, err, tt.want)
			}
			if again, err := CanonicalJSON(json.RawMessage(got)); err != nil || string(again) != string(got) {
				t.Errorf("canonical form of itself: got %s, %v", again, err)
			}
		})
	}
}

func TestCanonicalJSONErrors(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]any{
		"fraction": 1.5, "exponent": json.RawMessage(`1e2`), "integral_fraction": json.RawMessage(`1.0`),
		"too_large": json.RawMessage(`9007199254740992`), "too_small": json.RawMessage(`-9007199254740992`),
		"rounded_in": json.RawMessage(`9007199254740991.4`), "rounded_out": json.RawMessage(`9007199254740993`), "beyond_floats": json.RawMessage(`1e400`),
		"rfc_numbers":              json.RawMessage(`[333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001]`),
		"replaced_by_an_equal_key": json.RawMessage(`{"a":1.5,"a":1}`), "long_integer": json.RawMessage(`295147905179352830000`),
		"deep": map[string]any{"a": []any{0.1}}, "no_json": json.RawMessage(`{`), "function": func() {},
	} {
		if got, err := CanonicalJSON(v); err == nil {
			t.Errorf("canonical form of %s: got %s, want an error", name, got)
		}
	}
}

// TestCanonicalJSONHostileText: text that is not UTF-8 makes a record, not an
// error.
func TestCanonicalJSONHostileText(t *testing.T) {
	t.Parallel()
	got, err := CanonicalJSON(map[string]string{"a": "x\xff\xfey"})
	if want := "{\"a\":\"x\ufffd\ufffdy\"}"; err != nil || string(got) != want {
		t.Errorf("canonical form: got %q, %v, want %q", got, err, want)
	}
}

// FuzzCanonicalJSON holds the canonical form against what encoding/json reads:
// the same value, and the same text from whatever way of writing it.
func FuzzCanonicalJSON(f *testing.F) {
	read := func(t *testing.T, text []byte) any {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			t.Fatalf("read %q: %v", text, err)
		}
		return v
	}
	for _, s := range []string{`{"b":1,"a":[true,null,"x\u0000"]}`, `{"b":[{}],"a":{"c":"\\\"","b":"\ud800"},"b":[]}`, "\"\xff\"", `"\ud83d\ude00"`, `-1`, `1.5`, `{"a":{"":{}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := CanonicalJSON(json.RawMessage(in))
		if err != nil {
			return
		}
		if !json.Valid(got) {
			t.Fatalf("canonical form of %q is no JSON: %q", in, got)
		}
		if v := read(t, in); !strings.Contains(string(in), "-0") && !reflect.DeepEqual(read(t, got), v) {
			t.Fatalf("canonical form of %q: got %q, which is another value", in, got)
		} else if other, err := CanonicalJSON(v); err != nil || string(other) != string(got) {
			t.Fatalf("canonical form of %q: got %q, and %q, %v once it was read", in, got, other, err)
		}
		if again, err := CanonicalJSON(json.RawMessage(got)); err != nil || string(again) != string(got) {
			t.Fatalf("canonical form of itself: got %q, %v, want %q", again, err, got)
		}
	})
}

func samplePlan() Plan {
	return Plan{
		Partition: "aws", Account: "111122223333", Region: "eu-central-1", Resource: "arn:aws:ec2:eu-central-1:111122223333:security-group/sg-1",
		Type: "AWS::EC2::SecurityGroup", Control: "ec2-securitygroup-admin-ports-open", Keys: []string{"tcp/22"},
		Changes: []Change{
			{Operation: "ec2:AuthorizeSecurityGroupIngress", Version: 1, Input: json.RawMessage(`{"group_id":"sg-1"}`), After: json.RawMessage(`{}`),
				Undo: &Undo{Operation: "ec2:RevokeSecurityGroupIngress", Version: 1, Input: json.RawMessage(`{}`)}, Diff: []string{"+ a"}},
			{Operation: "ec2:RevokeSecurityGroupIngress", Version: 1, Input: json.RawMessage(`{"group_id":"sg-1","rule_id":"sgr-1"}`), Before: json.RawMessage(`{"id":"sgr-1"}`), Diff: []string{"- b", "- c"}},
		},
	}
}

// TestDigest: the digest moves with everything that is done, and with nothing
// else. Its value is fixed: approvals outlive an upgrade.
func TestDigest(t *testing.T) {
	t.Parallel()
	digest := func(p Plan) string {
		d, err := p.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	base := digest(samplePlan())
	if want := "7d0726c40cca904f8fde0f1dfb3fa16966c975c29f8d765f4024bedf7e13e74f"; base != want {
		t.Errorf("digest: got %s, want %s", base, want)
	}
	tests := []struct {
		name   string
		change func(*Plan)
		same   bool
	}{
		{"nothing", func(*Plan) {}, true},
		{"blanks_in_an_input", func(p *Plan) { p.Changes[0].Input = json.RawMessage(" { \"group_id\" : \"sg-1\" } ") }, true},
		{"order_of_members", func(p *Plan) { p.Changes[1].Input = json.RawMessage(`{"rule_id":"sgr-1","group_id":"sg-1"}`) }, true},
		{"diff_for_people", func(p *Plan) { p.Changes[0].Diff = nil }, true},
		{"partition", func(p *Plan) { p.Partition = "aws-cn" }, false},
		{"account", func(p *Plan) { p.Account = "444455556666" }, false},
		{"region", func(p *Plan) { p.Region = "eu-west-1" }, false},
		{"resource", func(p *Plan) { p.Resource += "2" }, false},
		{"control", func(p *Plan) { p.Control = "x" }, false},
		{"operation", func(p *Plan) { p.Changes[0].Operation = "x" }, false},
		{"version", func(p *Plan) { p.Changes[0].Version = 2 }, false},
		{"input", func(p *Plan) { p.Changes[0].Input = json.RawMessage(`{"group_id":"sg-2"}`) }, false},
		{"before", func(p *Plan) { p.Changes[1].Before = json.RawMessage(`{"id":"sgr-2"}`) }, false},
		{"before_gone", func(p *Plan) { p.Changes[1].Before = nil }, false},
		{"order_of_changes", func(p *Plan) { p.Changes[0], p.Changes[1] = p.Changes[1], p.Changes[0] }, false},
		{"change_gone", func(p *Plan) { p.Changes = p.Changes[:1] }, false},
		{"no_changes", func(p *Plan) { p.Changes = nil }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := samplePlan()
			tt.change(&p)
			d, err := p.Digest()
			if err != nil || (d == base) != tt.same {
				t.Errorf("digest: got %s, %v, want the same as %s: %t", d, err, base, tt.same)
			}
		})
	}
	bad := samplePlan()
	bad.Changes[0].Input = json.RawMessage(`{"n":1.5}`)
	if d, err := bad.Digest(); err == nil || !strings.Contains(err.Error(), string(bad.Resource)) {
		t.Errorf("digest of a fraction: got %s, %v, want an error that names the resource", d, err)
	}
	if got := strings.Join(samplePlan().Diff(), "; "); got != "+ a; - b; - c" {
		t.Errorf("diff: got %q", got)
	}
}

func TestEvidence(t *testing.T) {
	t.Parallel()
	claim := func(v Verdict) Claim { return Claim{Name: "nothing_new", Says: "x", Verdict: v} }
	tests := []struct {
		name   string
		claims []Claim
		want   bool
	}{
		{"none", nil, false},
		{"proved", []Claim{claim(Proved), claim(Proved)}, true},
		{"one_refuted", []Claim{claim(Proved), claim(Refuted)}, false},
		{"one_unknown", []Claim{claim(Unknown), claim(Proved)}, false},
		{"no_verdict", []Claim{claim("")}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := (Evidence{Claims: tt.claims}).Proved(); got != tt.want {
				t.Errorf("proved: got %t, want %t", got, tt.want)
			}
		})
	}
	ev := Evidence{Kind: "network/1", Claims: []Claim{claim(Proved)}, Body: json.RawMessage(`{"b":1,"a":2}`), Control: "c"}
	text, hash, err := ev.Blob()
	if want := `{"body":{"a":2,"b":1},"claims":[{"name":"nothing_new","says":"x","verdict":"proved"}],"control":"c","kind":"network/1"}`; err != nil || string(text) != want {
		t.Errorf("blob: got %s, %v, want %s", text, err, want)
	}
	if len(hash) != 64 {
		t.Errorf("hash: got %q, want 64 hex digits", hash)
	}
	if _, _, err := (Evidence{Body: json.RawMessage(`1.5`)}).Blob(); err == nil {
		t.Errorf("blob of a fraction: got no error")
	}
}
