package awssim

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

const iamAllow = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`

// TestIAM_events: each change is an event in us-east-1, whichever Region the client is
// in, with the parameters as CloudTrail spells them.
func TestIAM_events(t *testing.T) {
	t.Parallel()
	c := New(Config{Now: func() time.Time { return time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC) }})
	r := c.Account("111122223333").Region("eu-west-1")
	for _, call := range []struct {
		operation  string
		parameters map[string]string
		request    string
		answer     string // what responseElements has
	}{
		{"CreatePolicy", map[string]string{"PolicyName": "app", "Path": "/team/", "PolicyDocument": iamAllow, "Tags.member.1.Key": "a", "Tags.member.1.Value": "b"},
			`{"path":"/team/","policyDocument":` + quoteJSON(iamAllow) + `,"policyName":"app","tags":[{"key":"a","value":"b"}]}`,
			`"arn":"arn:aws:iam::111122223333:policy/team/app"`},
		{"CreatePolicyVersion", map[string]string{"PolicyArn": "arn:aws:iam::111122223333:policy/team/app", "PolicyDocument": iamAllow, "SetAsDefault": "true"},
			`{"policyArn":"arn:aws:iam::111122223333:policy/team/app","policyDocument":` + quoteJSON(iamAllow) + `,"setAsDefault":true}`,
			`"versionId":"v2","isDefaultVersion":true`},
		{"CreateRole", map[string]string{"RoleName": "web", "AssumeRolePolicyDocument": iamAllow, "MaxSessionDuration": "7200"},
			`{"assumeRolePolicyDocument":` + quoteJSON(iamAllow) + `,"maxSessionDuration":7200,"roleName":"web"}`, `"roleName":"web"`},
		{"AttachRolePolicy", map[string]string{"RoleName": "web", "PolicyArn": "arn:aws:iam::111122223333:policy/team/app"},
			`{"policyArn":"arn:aws:iam::111122223333:policy/team/app","roleName":"web"}`, ""},
	} {
		if err := r.IAM(t.Context(), call.operation, call.parameters); err != nil {
			t.Fatalf("%s: %v", call.operation, err)
		}
		events := c.Events()
		e := events[len(events)-1]
		var got struct {
			AwsRegion                           string
			RequestParameters, ResponseElements json.RawMessage
		}
		if err := json.Unmarshal(e.Record, &got); err != nil {
			t.Fatal(err)
		}
		if e.Name != call.operation || e.Source != "iam.amazonaws.com" || got.AwsRegion != "us-east-1" || string(got.RequestParameters) != call.request {
			t.Errorf("%s: got %s in %s with\n%s\nwant\n%s", call.operation, e.Name, got.AwsRegion, got.RequestParameters, call.request)
		}
		if !strings.Contains(string(got.ResponseElements), call.answer) || call.answer == "" && string(got.ResponseElements) != "null" {
			t.Errorf("%s: got the answer %s, want %q in it", call.operation, got.ResponseElements, call.answer)
		}
	}
	shot := c.Snapshot()
	p, ok := shot.Policy("arn:aws:iam::111122223333:policy/team/app")
	web, there := shot.Identity("arn:aws:iam::111122223333:role/web")
	if !ok || !there || len(p.Versions) != 2 || p.InForce != iamAllow || p.Tags["a"] != "b" || len(web.Attached) != 1 || web.Kind != "role" {
		t.Errorf("snapshot: got %+v, %+v", p, web)
	}
}

func quoteJSON(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always marshals
	}
	return string(b)
}

// TestIAM_lag: a read may see what was, and a caller needs the permission on the very
// resource.
func TestIAM_lag(t *testing.T) {
	t.Parallel()
	c := New(Config{})
	a := c.Account("111122223333")
	r := a.Region("us-east-1")
	arn := "arn:aws:iam::111122223333:policy/app"
	if err := r.IAM(t.Context(), "CreatePolicy", map[string]string{"PolicyName": "app", "PolicyDocument": iamAllow}); err != nil {
		t.Fatal(err)
	}
	lag := c.Inject(Fault{Kind: StaleRead, Behind: 1, Match: Match{Service: "iam"}})
	var e *Error
	if err := r.IAM(t.Context(), "GetPolicy", map[string]string{"PolicyArn": arn}); !errors.As(err, &e) || e.Code != "NoSuchEntity" {
		t.Errorf("a read that is behind: got %v, want nothing there yet", err)
	}
	if err := r.IAM(t.Context(), "CreatePolicyVersion", map[string]string{"PolicyArn": arn, "PolicyDocument": iamAllow}); err != nil {
		t.Errorf("a change sees the present: got %v", err)
	}
	lag.Remove()
	some := r.As(a.AddUser("reader", "iam:Get*"))
	if err := some.IAM(t.Context(), "DeletePolicy", map[string]string{"PolicyArn": arn}); !errors.As(err, &e) || e.Code != "AccessDenied" {
		t.Errorf("without the permission: got %v", err)
	}
	if err := r.IAM(t.Context(), "CreatePolicyVersion", map[string]string{"PolicyArn": c.AddAWSPolicy("ReadOnlyAccess", iamAllow), "PolicyDocument": iamAllow}); !errors.As(err, &e) || e.Code != "AccessDenied" {
		t.Errorf("a policy of AWS: got %v, want it denied", err)
	}
	if err := r.IAM(t.Context(), "GetPolicy", map[string]string{"PolicyArn": arn, "Colour": "red"}); !errors.As(err, &e) || e.Status != 501 {
		t.Errorf("a parameter that is not simulated: got %v", err)
	}
}

// TestIAM_policies_of_AWS: AWS's own policies are listed where they are attached, read and attached as others, and can
// be changed by AWS alone, which puts new versions in force.
func TestIAM_policies_of_AWS(t *testing.T) {
	t.Parallel()
	c := New(Config{})
	r := c.Account("111122223333").Region("eu-west-1")
	arn := c.AddAWSPolicy("service-role/AWSLambdaRole", iamAllow)
	if want := "arn:aws:iam::aws:policy/service-role/AWSLambdaRole"; arn != want {
		t.Errorf("got %s, want %s", arn, want)
	}
	does := func(want, operation string, parameters ...string) {
		t.Helper()
		given := map[string]string{}
		for i := 0; i < len(parameters); i += 2 {
			given[parameters[i]] = parameters[i+1]
		}
		err := r.IAM(t.Context(), operation, given)
		var e *Error
		if want == "" && err != nil || want != "" && (!errors.As(err, &e) || e.Code != want) {
			t.Errorf("%s %v: got %v, want %q", operation, parameters, err, want)
		}
	}
	does("", "CreateRole", "RoleName", "web", "AssumeRolePolicyDocument", iamAllow)
	does("", "AttachRolePolicy", "RoleName", "web", "PolicyArn", arn)
	does("", "AttachRolePolicy", "RoleName", "web", "PolicyArn", arn) // again
	does("NoSuchEntity", "AttachRolePolicy", "RoleName", "web", "PolicyArn", arn+"x")
	c.AddAWSPolicy("service-role/AWSLambdaRole", strings.ReplaceAll(iamAllow, "Get", "Put"))
	does("", "GetPolicyVersion", "PolicyArn", arn, "VersionId", "v2")
	does("NoSuchEntity", "GetPolicyVersion", "PolicyArn", arn, "VersionId", "v3")
	for operation, more := range map[string][]string{
		"CreatePolicyVersion": {"PolicyDocument", iamAllow}, "DeletePolicyVersion": {"VersionId", "v1"}, "SetDefaultPolicyVersion": {"VersionId", "v1"}, "DeletePolicy": nil,
		"TagPolicy": {"Tags.member.1.Key", "a", "Tags.member.1.Value", "b"},
	} {
		does("AccessDenied", operation, append(more, "PolicyArn", arn)...)
	}
	for i := range mostAttached - 1 {
		does("", "AttachRolePolicy", "RoleName", "web", "PolicyArn", c.AddAWSPolicy(strings.Repeat("x", i+1), iamAllow))
	}
	does("LimitExceeded", "AttachRolePolicy", "RoleName", "web", "PolicyArn", c.AddAWSPolicy("more", iamAllow))
	does("", "DetachRolePolicy", "RoleName", "web", "PolicyArn", arn)
	does("NoSuchEntity", "DetachRolePolicy", "RoleName", "web", "PolicyArn", arn)
	does("", "AttachRolePolicy", "RoleName", "web", "PolicyArn", arn)
}
