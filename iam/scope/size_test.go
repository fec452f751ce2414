package scope

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
)

// used returns every n-th action of the services.
func used(n int, services ...string) Usage {
	var u Usage
	for _, s := range services {
		all, _ := catalog.Embedded().Expand(s + ":*")
		for i, a := range all {
			if i%n == 0 {
				u.Actions = append(u.Actions, a)
			}
		}
	}
	return u
}

func TestNarrow_fits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		entry  string
		usage  Usage
		kind   policy.Kind
		limit  int
		docs   int
		broad  int
		refuse bool
		folded bool
	}{
		{name: "as_it_is", entry: `"glue:*"`, usage: used(3, "glue"), docs: 1},
		{name: "folded", entry: `"ec2:*"`, usage: Usage{Actions: matching("ec2:Describe*", "ec2:Get*", "ec2:Modify*")}, docs: 1, folded: true, limit: 1500},
		{name: "split", entry: `["ec2:*","glue:*"]`, usage: used(4, "ec2", "glue"), docs: 2},
		{name: "split_with_denials", entry: `["ec2:*","glue:*"],"Resource":"*"},{"Effect":"Deny","Action":"ec2:Stop*"`, usage: used(4, "ec2", "glue"), docs: 2},
		{name: "broad", entry: `["ec2:*","glue:*"]`, usage: used(2, "ec2", "glue"), docs: 1, limit: 5000, broad: 1},
		{name: "a_boundary_is_not_split", entry: `["ec2:*","glue:*"]`, usage: used(2, "ec2", "glue"), kind: policy.Boundary, docs: 1, broad: 1},
		{name: "everything", entry: `"*"`, usage: used(2, "ec2", "glue", "s3", "iam", "rds"), docs: 2, broad: 1},
		{name: "hopeless", entry: `["ec2:StopInstances","ec2:StartInstances","ec2:RebootInstances"]`, usage: Usage{Actions: []string{"ec2:StopInstances"}}, limit: 60, refuse: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := Input{Policy: parse(t, allow(test.entry)), Usage: []Usage{test.usage}, Kind: test.kind, Limit: test.limit}
			r, err := Narrow(in)
			if err != nil {
				t.Fatal(err)
			}
			if test.refuse {
				if r.Outcome != Refused {
					t.Errorf("got %v", r.Outcome)
				}
				return
			}
			t.Logf("%d documents, %d characters, broad %v, %d removed", len(r.Documents), r.Size, r.Broad, len(r.Removed))
			if len(r.Documents) != test.docs || len(r.Broad) < test.broad || test.broad == 0 && len(r.Broad) > 0 {
				t.Errorf("got %d documents, broad %v", len(r.Documents), r.Broad)
			}
			if r.Size > r.Limit {
				t.Errorf("got %d characters, limit %d", r.Size, r.Limit)
			}
			if text := r.Documents[0].Text(); test.folded && !strings.Contains(text, "ec2:Describe*") {
				t.Errorf("not folded: %s", text)
			}
			sound(t, in, r)
		})
	}
}

func matching(entries ...string) []string {
	var out []string
	for _, e := range entries {
		all, _ := catalog.Embedded().Expand(e)
		out = append(out, all...)
	}
	return out
}

func TestFold(t *testing.T) {
	t.Parallel()
	all := func(string) bool { return true }
	no := func(string) bool { return false }
	deep := func(p string) bool { return strings.HasSuffix(p, "PutBucket*") || strings.HasSuffix(p, "Get*") }
	for _, test := range []struct {
		name string
		in   string
		ok   func(string) bool
		want string
	}{
		{"nothing_allowed", "s3:GetA s3:GetB", no, "s3:GetA s3:GetB"},
		{"all_allowed", "s3:GetA s3:GetB sqs:A", all, "s3:* sqs:A"},
		{"alone", "s3:GetA", all, "s3:GetA"},
		{"by_word", "s3:GetA s3:GetB s3:PutBucketAcl s3:PutBucketCORS s3:PutObject", deep, "s3:Get* s3:PutBucket* s3:PutObject"},
		{"empty", "", all, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(fold(strings.Fields(test.in), test.ok), " "); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]string{
		"s3:GetObject":         "s3: s3:Get",
		"rds:DescribeDBProxy":  "rds: rds:Describe rds:DescribeDB",
		"apigateway:GET":       "apigateway:",
		"s3:PutBucketCORS":     "s3: s3:Put s3:PutBucket",
		"iot:CreateOTAUpdate":  "iot: iot:Create iot:CreateOTA",
		"lambda:InvokeFunctio": "lambda: lambda:Invoke",
	} {
		if got := strings.Join(words(action), " "); got != want {
			t.Errorf("%s: got %s, want %s", action, got, want)
		}
	}
}

func TestOverlap_and_covers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b           string
		overlap, cover bool // a covers b
	}{
		{"*", "s3:Get*", true, true},
		{"s3:Get*", "*", true, false},
		{"s3:*", "S3:Get*", true, true},
		{"s3:Get*", "s3:Put*", false, false},
		{"s3:*Acl", "s3:Get*", true, false},
		{"s3:Get?*", "s3:Get*", true, false},
		{"s3:Get??", "s3:Get*", true, false},
		{"s3:Get*", "s3:GetBucket*", true, true},
		{"s3:G*t*", "s3:Get*", true, true},
		{"s3:*", "sqs:*", false, false},
		{"s3", "s3", false, false},
		{"s3:A", "s3:a", true, true},
		{"s3:A*B*C", "s3:A*C", true, false},
		{"s3:", "s3:", true, true},
	} {
		if got := overlap(test.a, test.b); got != test.overlap {
			t.Errorf("overlap(%s, %s) = %v", test.a, test.b, got)
		}
		if got := overlap(test.b, test.a); got != test.overlap {
			t.Errorf("overlap(%s, %s) = %v", test.b, test.a, got)
		}
		if got := covers(test.a, test.b); got != test.cover {
			t.Errorf("covers(%s, %s) = %v", test.a, test.b, got)
		}
	}
}

// FuzzNarrow narrows whatever can be parsed.
func FuzzNarrow(f *testing.F) {
	f.Add(allow(`["s3:*","ec2:Describe*","iam:PassRole"]`), "s3:GetObject\nec2:DescribeInstances", 6144)
	f.Add(allow(`["sqs:*","ec2:*Vpc*"]`), "ec2:RunInstances", 300)
	c := catalog.Embedded()
	f.Fuzz(func(t *testing.T, text, used string, limit int) {
		doc, err := policy.Parse(text)
		if err != nil {
			return
		}
		in := Input{Policy: doc, Catalogue: c, Usage: []Usage{{Actions: strings.Fields(used)}}, Limit: max(1, limit%10000)}
		r, err := Narrow(in)
		if err != nil || r.Outcome != Narrowed {
			return
		}
		sound(t, in, r)
		for _, d := range r.Documents {
			if _, err := policy.Parse(d.Text()); err != nil {
				t.Errorf("the result cannot be parsed: %v", err)
			}
		}
	})
}

func BenchmarkNarrow(b *testing.B) {
	doc, c := parse(b, allow(`["s3:*","ec2:Describe*","iam:PassRole","sqs:*"]`)), catalog.Embedded()
	for b.Loop() {
		if _, err := Narrow(Input{Policy: doc, Catalogue: c, Usage: []Usage{{Actions: []string{"s3:GetBucketPolicy"}}}}); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleNarrow() {
	doc, err := policy.Parse(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:St*Instances", "Resource": "*"}]}`)
	if err != nil {
		panic(err)
	}
	r, err := Narrow(Input{Policy: doc, Usage: []Usage{{Principal: "reader", Actions: []string{"ec2:StopInstances"}}}})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Documents[0].Text())
	for _, reason := range r.Reasons {
		fmt.Println(reason.Entry, reason.Fate, slices.Collect(slices.Values(reason.Why)))
	}
	// Output:
	// {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:StopInstances", "Resource": "*"}]}
	// ec2:St*Instances replaced [kept, used: ec2:StopInstances dropped, not used: each call is a management event, after https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitor-with-cloudtrail.html (read 2026-11-28), and nothing stays that it is used with: ec2:StartInstances]
}
