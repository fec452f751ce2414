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
		{name: "verb_of_version_two", source: "apigatewayv2.amazonaws.com", event: "CreateRoute", want: "apigateway:POST"},
		{name: "verb_by_its_method", source: "apigateway.amazonaws.com", event: "PutMethod", want: "apigateway:PUT"},
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
			for _, prefix := range words[1:] {
				if !c.Known(prefix) || len(words) == 2 && words[0] == "@"+prefix {
					t.Errorf("%v: no such service, or no exception", words)
				}
				if !slices.Contains(c.Prefixes(words[0][1:]), prefix) {
					t.Errorf("%v: the table gives %v: run scripts/iam-catalog", words, c.Prefixes(words[0][1:]))
				}
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

func TestPrefixes(t *testing.T) {
	t.Parallel()
	c := Embedded()
	for source, want := range map[string]string{
		"ec2.amazonaws.com": "ec2", "ec2": "ec2", "EC2.amazonaws.com.cn": "ec2",
		"monitoring.amazonaws.com": "cloudwatch", "email.amazonaws.com": "ses", "ses": "ses", "streams.dynamodb.amazonaws.com": "dynamodb",
		"appstream2.amazonaws.com": "appstream", "appstream": "appstream", "amazonmq.amazonaws.com": "mq", "rdsdata.amazonaws.com": "rds-data",
		"mturk-requester.amazonaws.com": "mechanicalturk", "servicecatalog-appregistry.amazonaws.com": "servicecatalog",
		"pinpoint.amazonaws.com": "mobiletargeting", "catalog.marketplace.amazonaws.com": "aws-marketplace",
		"entitlement-marketplace.amazonaws.com": "aws-marketplace", "metering-marketplace.amazonaws.com": "aws-marketplace",
		"agreement-marketplace.amazonaws.com": "aws-marketplace", "applicationautoscaling.amazonaws.com": "application-autoscaling",
		"networkfirewall.amazonaws.com": "network-firewall", "wafregional.amazonaws.com": "waf-regional", "inspector2.amazon.aws": "inspector2",
		"apigatewayv2.amazonaws.com": "apigateway", "docdb.amazonaws.com": "rds", "neptune.amazonaws.com": "rds", "tagging.amazonaws.com": "tag",
		"cloudcontrolapi.amazonaws.com": "cloudformation", "identitystore-scim.amazonaws.com": "identitystore", "lexmodelsv2.amazonaws.com": "lex",
		"timestreamquery.amazonaws.com": "timestream", "opensearch.amazonaws.com": "es opensearch", "billingconsole.amazonaws.com": "aws-portal billing",
		"newservice.amazonaws.com": "", "newservice": "", "": "",
	} {
		if got := strings.Join(c.Prefixes(source), " "); got != want {
			t.Errorf("%s: got %q, want %q", source, got, want)
		}
	}
	for _, prefix := range c.Services() {
		if !slices.Contains(c.Prefixes(prefix), prefix) {
			t.Errorf("%s does not stand for itself", prefix)
		}
	}
}
