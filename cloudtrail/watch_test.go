package cloudtrail

import (
	"slices"
	"strings"
	"testing"

	"dera.example/dera"

	"github.com/google/go-cmp/cmp"
)

// The types of testWatch.
const (
	groups    = "AWS::EC2::SecurityGroup"
	buckets   = "AWS::S3::Bucket"
	rootUsers = "AWS::IAM::RootUser"
	accounts  = "AWS::S3::AccountPublicAccessBlock"
	anAccount = "AWS::::Account"
)

// testWatch is what three types listen to, two of them to one call.
func testWatch() Watch {
	sweep := func(typ string) func(Call) []dera.Scope {
		return func(c Call) []dera.Scope { return c.Sweep(typ) }
	}
	named := func(typ, name string) func(Call) []dera.Scope {
		return func(c Call) []dera.Scope {
			if id := c.Parameters.Text(name); id != "" {
				return c.Scopes(typ, []string{id})
			}
			return c.Sweep(typ)
		}
	}
	config := func(typ, region string, names ...string) (out []Configured) {
		for _, n := range names {
			out = append(out, Configured{n, func(r Record, id string) []dera.Scope {
				if region != "" {
					return r.In(region).Scopes(typ, []string{r.Account})
				}
				return r.Scopes(typ, []string{id})
			}})
		}
		return out
	}
	authorize := Watched{Source: "ec2.amazonaws.com", Name: "AuthorizeSecurityGroupIngress", Find: named(groups, "groupId"), Reveals: "InvalidPermission.Duplicate"}
	policy := Watched{Source: "s3.amazonaws.com", Name: "PutBucketPolicy", Find: named(buckets, "bucketName"), Document: func(c Call) string { return c.Parameters.Text("bucketPolicy") }}
	distributions := Calls("cloudfront.amazonaws.com", sweep(buckets), "CreateDistribution", "DeleteDistribution")
	for i := range distributions {
		distributions[i].Region = "us-east-1"
	}
	const block = "PutAccountPublicAccessBlock"
	return NewWatch(
		Events{Type: groups, Calls: append(Calls("ec2.amazonaws.com", sweep(groups), "CreateVpc", "CreateDefaultVpc"), authorize), Config: config(groups, "", groups)},
		Events{Type: buckets, Calls: slices.Concat([]Watched{policy}, distributions, Calls("s3.amazonaws.com", sweep(buckets), block)), Config: config(buckets, "", buckets)},
		Events{Type: accounts, Calls: Calls("s3.amazonaws.com", func(c Call) []dera.Scope { return c.Scopes(accounts, []string{c.Account}) }, block), Config: config(accounts, dera.GlobalRegion, accounts, anAccount)},
		Events{Type: rootUsers, Root: func(r Record) []dera.Scope { return r.In(dera.GlobalRegion).Sweep(rootUsers) }},
	)
}

// TestWatch_of_several_types: a call is a hint for each type that listens to it,
// what is named first, and is watched once.
func TestWatch_of_several_types(t *testing.T) {
	t.Parallel()
	w := testWatch()
	r := Record{Source: "s3.amazonaws.com", Name: "PutAccountPublicAccessBlock", Account: "111122223333", Region: "eu-west-1", Partition: "aws"}
	want := []dera.Scope{
		{Partition: "aws", Account: "111122223333", Region: "eu-west-1", Type: accounts, IDs: []string{"111122223333"}},
		{Partition: "aws", Account: "111122223333", Region: "eu-west-1", Type: buckets},
	}
	if d := cmp.Diff(want, w.Hints(r)); d != "" {
		t.Errorf("hints (-want +got):\n%s", d)
	}
	n := 0
	for _, c := range w.Calls() {
		if c.Name == r.Name {
			n++
			if !slices.Equal(c.Types, []string{buckets, accounts}) {
				t.Errorf("types: got %v, want both", c.Types)
			}
		}
	}
	if n != 1 {
		t.Errorf("got the call %d times, want it once", n)
	}
	if (Watch{}).Hints(r) != nil || (Watch{}).Triage([]byte(authorize)) {
		t.Error("the zero value listens to something")
	}
}

func TestWatch_reveals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		call, code string
		want       bool
	}{
		"with_its_side":    {"AuthorizeSecurityGroupIngress", "Client.InvalidPermission.Duplicate", true},
		"without_side":     {"AuthorizeSecurityGroupIngress", "InvalidPermission.Duplicate", true},
		"succeeded":        {"AuthorizeSecurityGroupIngress", "", false},
		"another_code":     {"AuthorizeSecurityGroupIngress", "Client.DryRunOperation", false},
		"longer_code":      {"AuthorizeSecurityGroupIngress", "Client.NotInvalidPermission.Duplicate", false},
		"another_call":     {"CreateVpc", "Client.InvalidPermission.Duplicate", false},
		"call_not_watched": {"DescribeVpcs", "Client.InvalidPermission.Duplicate", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := testWatch().Reveals(Record{Source: "ec2.amazonaws.com", Name: tc.call, ErrorCode: tc.code}); got != tc.want {
				t.Errorf("got %t, want %t", got, tc.want)
			}
		})
	}
}

func TestWatch_document(t *testing.T) {
	t.Parallel()
	r := Record{Source: "s3.amazonaws.com", Name: "PutBucketPolicy", Request: []byte(`{"bucketPolicy":"{}"}`)}
	for name, tc := range map[string]struct{ source, call, code, want string }{
		"written":         {r.Source, r.Name, "", "{}"},
		"failed":          {r.Source, r.Name, "AccessDenied", ""},
		"another_call":    {r.Source, "PutAccountPublicAccessBlock", "", ""},
		"another_service": {"sqs.amazonaws.com", r.Name, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := r
			r.Source, r.Name, r.ErrorCode = tc.source, tc.call, tc.code
			if got := testWatch().Document(r); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestScopes bounds how many resources of one event are looked at one by one.
func TestScopes(t *testing.T) {
	t.Parallel()
	r := Record{Partition: "aws", Account: "111122223333", Region: "eu-west-1"}
	for name, tc := range map[string]struct {
		ids  []string
		want []string
	}{
		"none":      {nil, []string{"*"}},
		"several":   {[]string{"b", "a", "b"}, []string{"a", "b"}},
		"very_many": {strings.Split(strings.Repeat("x,", maxIDs)+"y", ","), []string{"x", "y"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tc.want, found(r.Scopes(groups, tc.ids))); d != "" {
				t.Errorf("IDs (-want +got):\n%s", d)
			}
		})
	}
	many := make([]string, maxIDs+1)
	for i := range many {
		many[i] = strings.Repeat("x", i+1)
	}
	if got := found(r.Scopes(groups, many)); !slices.Equal(got, []string{"*"}) {
		t.Errorf("more than %d: got %v, want a sweep", maxIDs, got)
	}
}

// found are the IDs of scopes; "*" is a sweep.
func found(scopes []dera.Scope) (out []string) {
	for _, s := range scopes {
		if s.Sweep() {
			out = append(out, "*")
		}
		out = append(out, s.IDs...)
	}
	return out
}

// TestOfRoot: whatever a root user calls is a hint, but what a service calls in its name.
func TestOfRoot(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		caller Caller
		call   string
		failed string
		want   int
	}{
		"a_read":              {Caller{Type: "Root"}, "GetObject", "", 1},
		"denied":              {Caller{Type: "Root"}, "GetObject", "AccessDenied", 1},
		"a_watched_call":      {Caller{Type: "Root"}, "CreateVpc", "", 2},
		"in_the_console":      {Caller{Type: "Root", InvokedBy: "signin.amazonaws.com"}, "GetObject", "", 1},
		"by_what_is_no_name":  {Caller{Type: "Root", InvokedBy: "AWS Internal"}, "GetObject", "", 1},
		"by_a_service":        {Caller{Type: "Root", InvokedBy: "cloudformation.amazonaws.com"}, "GetObject", "", 0},
		"by_a_service_in_cn":  {Caller{Type: "Root", InvokedBy: "cloudformation.amazonaws.com.cn"}, "GetObject", "", 0},
		"somebody_else":       {Caller{Type: "IAMUser", ARN: "arn:aws:iam::111122223333:user/Root"}, "GetObject", "", 0},
		"nobody_in_the_event": {Caller{}, "GetObject", "", 0},
	} {
		r := Record{Source: "ec2.amazonaws.com", Name: tc.call, Account: "111122223333", Region: "eu-west-1", Partition: "aws", ErrorCode: tc.failed, Caller: tc.caller}
		got := testWatch().Hints(r)
		if len(got) != tc.want || tc.want > 0 && got[len(got)-1].Type != rootUsers {
			t.Errorf("%s: got %v, want %d", name, got, tc.want)
		}
	}
	rules := testWatch().Rules([]string{rootUsers})
	if len(rules) != 2 || rules[0].Pattern.Text() != `{"source":[{"prefix":"aws."}],"detail-type":[{"suffix":" via CloudTrail"}],"detail":{"userIdentity":{"type":["Root"]}}}` || rules[0].State != StateAllCalls {
		t.Errorf("rules: got %+v, want one for root users and the ledger's", rules)
	}
}
