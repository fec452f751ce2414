package catalog

import (
	"slices"
	"strings"
	"testing"
)

func TestEvent(t *testing.T) {
	t.Parallel()
	c := Embedded()
	for _, test := range []struct {
		name, source, event string
		want, maybe         string
		unknown             bool
	}{
		{name: "same_name", source: "ec2.amazonaws.com", event: "DescribeInstances", want: "ec2:DescribeInstances"},
		{name: "china", source: "ec2.amazonaws.com.cn", event: "DescribeInstances", want: "ec2:DescribeInstances"},
		{name: "other_name", source: "s3.amazonaws.com", event: "ListObjectsV2", want: "s3:ListBucket"},
		{name: "other_prefix", source: "monitoring.amazonaws.com", event: "PutMetricAlarm", want: "cloudwatch:PutMetricAlarm"},
		{name: "several", source: "s3.amazonaws.com", event: "UploadPartCopy", want: "s3:PutObject s3:GetObject", maybe: "s3:GetObjectVersion"},
		{name: "maybe", source: "ec2.amazonaws.com", event: "RunInstances", want: "ec2:RunInstances", maybe: "ec2:CreateTags iam:PassRole"},
		{name: "dated", source: "lambda.amazonaws.com", event: "ListFunctions20150331", want: "lambda:ListFunctions"},
		{name: "dated_and_versioned", source: "lambda.amazonaws.com", event: "GetFunction20150331v2", want: "lambda:GetFunction"},
		{name: "dated_exception", source: "lambda.amazonaws.com", event: "CreateFunction20150331", want: "lambda:CreateFunction", maybe: "iam:PassRole lambda:TagResource"},
		{name: "dated_with_lines", source: "cloudfront.amazonaws.com", event: "GetDistribution2020_05_31", want: "cloudfront:GetDistribution"},
		{name: "verb", source: "apigateway.amazonaws.com", event: "GetRestApis", want: "apigateway:GET"},
		{name: "verb_exception", source: "apigateway.amazonaws.com", event: "PutIntegration", want: "apigateway:PUT", maybe: "iam:PassRole"},
		{name: "nothing_needed", source: "sts.amazonaws.com", event: "GetCallerIdentity"},
		{name: "unknown_event", source: "s3.amazonaws.com", event: "Frobnicate", unknown: true},
		{name: "unknown_service", source: "frob.amazonaws.com", event: "Frobnicate", unknown: true},
		{name: "only_a_date", source: "lambda.amazonaws.com", event: "20150331", unknown: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, known := c.Event(test.source, test.event)
			if known == test.unknown || strings.Join(got.Actions, " ") != test.want || strings.Join(got.Maybe, " ") != test.maybe {
				t.Errorf("got %v %v, want %q %q", got, known, test.want, test.maybe)
			}
		})
	}
}

func TestEvents_table_is_sound(t *testing.T) {
	t.Parallel()
	c := Embedded()
	check := func(action string) {
		if _, ok := c.Action(action); !ok {
			t.Errorf("%s: no such action", action)
		}
	}
	exceptions := 0
	for words := range lines(eventsText) {
		if strings.HasPrefix(words[0], "@") {
			if len(words) != 2 || !c.Known(words[1]) || words[0] == "@"+words[1] {
				t.Errorf("%v: no such service, or no exception", words)
			}
			continue
		}
		exceptions++
		if len(words) < 3 || !c.Known(words[0]) {
			t.Errorf("%v: no such service", words)
			continue
		}
		if len(words) == 3 && words[2] == words[0]+":"+words[1] {
			t.Errorf("%v: that is no exception", words)
		}
		for _, w := range words[2:] {
			if w != "+" && w != "-" {
				check(w)
			}
		}
	}
	if exceptions < 110 {
		t.Errorf("got %d exceptions, want 110 at least", exceptions)
	}
}

func TestClass(t *testing.T) {
	t.Parallel()
	c := Embedded()
	for _, test := range []struct {
		name, action string
		want         Class
		companion    string
	}{
		{"management", "ec2:DescribeInstances", Management, ""},
		{"data", "s3:GetObject", Data, ""},
		{"data_other_case", "S3:GETOBJECT", Data, ""},
		{"hidden", "ssmmessages:OpenDataChannel", Hidden, ""},
		{"hidden_with_others", "ec2:CreateTags", Hidden, "ec2:RunInstances"},
		{"pass_role", "iam:PassRole", Hidden, "lambda:CreateFunction"},
		{"unknown_action", "s3:Nothing", Unknown, ""},
		{"unknown_service", "s4:GetObject", Unknown, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, with := c.Class(test.action)
			if got != test.want || test.companion != "" && !slices.Contains(with, test.companion) || test.companion == "" && len(with) > 0 {
				t.Errorf("got %v %v, want %v %v", got, with, test.want, test.companion)
			}
		})
	}
	if got := []string{Unknown.String(), Management.String(), Data.String(), Hidden.String()}; !slices.Equal(got, []string{"O4", "O1", "O2", "O3"}) {
		t.Errorf("got names %v", got)
	}
	if got := Level('x').String(); got != "unknown level" {
		t.Errorf("got %q", got)
	}
	for _, l := range []Level{Read, List, Write, Tagging, Permissions} {
		if l.String() == "unknown level" {
			t.Errorf("level %c has no name", l)
		}
	}
}

func TestClasses_table_is_sound(t *testing.T) {
	t.Parallel()
	c := Embedded()
	check := func(entry string) {
		if got, known := c.Expand(entry); !known || len(got) == 0 {
			t.Errorf("%s: no such action", entry)
		}
	}
	for words := range lines(classesText) {
		if words[0] != "data" && words[0] != "hidden" {
			t.Errorf("%v: neither data nor hidden", words)
		}
		for _, w := range words[1:] {
			if w != "with" {
				check(w)
			}
		}
	}
	for words := range lines(passRoleText) {
		for _, w := range words {
			check(w)
		}
	}
}
