package eval

import (
	"fmt"
	"strings"
	"testing"

	"dera.example/dera/iam/policy"
)

// typical is a policy of the usual size: 15 actions, prefixes, one variable,
// three conditions, one Deny.
const typical = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:GetBucketLocation"],
     "Resource": ["arn:aws:s3:::app-data", "arn:aws:s3:::app-data/*"]},
    {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem"],
     "Resource": "arn:aws:dynamodb:*:111122223333:table/app-*",
     "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["${aws:username}"]}}},
    {"Effect": "Allow", "Action": ["ec2:Describe*", "logs:*", "cloudwatch:PutMetricData"], "Resource": "*"},
    {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::111122223333:role/app-*",
     "Condition": {"StringEquals": {"iam:PassedToService": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}}},
    {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*",
     "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}}
  ]
}`

// requests are what such a principal does, allowed and denied.
func requests() []Request {
	context := Context{
		"aws:username": {"alice"}, "aws:requestedregion": {"eu-west-1"}, "aws:sourceip": {"203.0.113.7"},
		"aws:securetransport": {"true"}, "aws:principalaccount": {"111122223333"}, "aws:useragent": {"aws-cli/2"},
		"dynamodb:leadingkeys": {"alice"}, "iam:passedtoservice": {"lambda.amazonaws.com"},
	}
	elsewhere := Context{"aws:requestedregion": {"ap-south-1"}}
	who := Principal{ARN: "arn:aws:iam::111122223333:user/alice"}
	return []Request{
		{who, "s3:GetObject", "arn:aws:s3:::app-data/2026/11/23/report.csv", context},
		{who, "dynamodb:Query", "arn:aws:dynamodb:eu-west-1:111122223333:table/app-orders", context},
		{who, "ec2:DescribeInstances", "*", context},
		{who, "iam:PassRole", "arn:aws:iam::111122223333:role/app-worker", context},
		{who, "s3:DeleteBucket", "arn:aws:s3:::app-data", context},
		{who, "logs:PutLogEvents", "arn:aws:logs:eu-west-1:111122223333:log-group:app:log-stream:1", elsewhere},
	}
}

func BenchmarkDecide(b *testing.B) {
	set := compile(b, typical)
	for _, r := range requests() {
		b.Run(strings.ReplaceAll(r.Action, ":", "_"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				set.Decide(r, Reading{})
			}
		})
	}
}

func BenchmarkDecide_parallel(b *testing.B) {
	set, all := compile(b, typical), requests()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			set.Decide(all[i%len(all)], Reading{})
		}
	})
}

// BenchmarkDecide_large asks a policy of 4,000 actions.
func BenchmarkDecide_large(b *testing.B) {
	var actions []string
	for i := range 4000 {
		actions = append(actions, fmt.Sprintf("service%d:Action%d", i%200, i))
	}
	set := Compile(&policy.Document{Version: policy.Version2012, Statements: []policy.Statement{
		{Effect: policy.Allow, Actions: actions, Resources: []string{"*"}},
	}})
	r := Request{Action: "service199:Action3999", Resource: "*"}
	b.ReportAllocs()
	for b.Loop() {
		set.Decide(r, Reading{})
	}
}

func BenchmarkEvaluate_all_layers(b *testing.B) {
	in := everyLayer(b)
	b.ReportAllocs()
	for b.Loop() {
		in.Decide()
	}
}

func BenchmarkCompile(b *testing.B) {
	d, err := policy.Parse(typical)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		Compile(d)
	}
}

// everyLayer is an allowed request to which every layer has something to say.
func everyLayer(tb testing.TB) Input {
	tb.Helper()
	full := compile(tb, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	return Input{
		Request:  requests()[0],
		Identity: compile(tb, typical), Boundary: full, Session: full,
		Resource: compile(tb, `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"arn:aws:s3:::app-data/*"},
			{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`),
		SCPs: []*Set{full, full, full}, RCPs: []*Set{full},
	}
}

func TestDecide_does_not_allocate(t *testing.T) {
	set := compile(t, typical)
	for _, r := range requests() {
		for _, reading := range Readings() {
			if n := testing.AllocsPerRun(100, func() { set.Decide(r, reading) }); n != 0 {
				t.Errorf("%s under %+v: got %v allocations, want none", r.Action, reading, n)
			}
		}
	}
	in := everyLayer(t)
	if got := in.Decide(); got != Allowed {
		t.Fatalf("every layer: got %v, want %v", got, Allowed)
	}
	if n := testing.AllocsPerRun(100, func() { in.Decide() }); n != 0 {
		t.Errorf("every layer: got %v allocations, want none", n)
	}
}

// compile parses and compiles documents that have to be right.
func compile(tb testing.TB, texts ...string) *Set {
	tb.Helper()
	var docs []*policy.Document
	for _, text := range texts {
		d, err := policy.Parse(text)
		if err != nil {
			tb.Fatalf("%v\n%s", err, text)
		}
		docs = append(docs, d)
	}
	return Compile(docs...)
}
