package scope

import (
	"strings"
	"testing"
	"time"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
)

// TestNarrow_keeps_what_it_could_not_see are policies from which too much was
// dropped once.
func TestNarrow_keeps_what_it_could_not_see(t *testing.T) {
	t.Parallel()
	c := catalog.Embedded()
	for _, test := range []struct {
		name, policy, used string
		days               int
		keep               string
		refused            string
	}{
		{name: "the_ecs_agent_polls_without_an_event", policy: `["ecs:Poll","ecs:StartTelemetrySession","ecs:RegisterContainerInstance"]`, used: "ecs:RegisterContainerInstance", days: 90, keep: "ecs:Poll ecs:StartTelemetrySession"},
		{name: "a_parameter_is_tagged_while_it_is_made", policy: `["ssm:PutParameter","ssm:AddTagsToResource"]`, used: "ssm:PutParameter", days: 365, keep: "ssm:AddTagsToResource"},
		{name: "a_queue_is_tagged_while_it_is_made", policy: `["sqs:CreateQueue","sqs:TagQueue"]`, used: "sqs:CreateQueue", days: 90, keep: "sqs:TagQueue"},
		{name: "a_table_is_tagged_while_it_is_made", policy: `["dynamodb:CreateTable","dynamodb:TagResource"]`, used: "dynamodb:CreateTable", days: 90, keep: "dynamodb:TagResource"},
		{name: "a_role_is_tagged_while_it_is_made", policy: `["iam:CreateRole","iam:TagRole"]`, used: "iam:CreateRole", days: 400, keep: "iam:TagRole"},
		{name: "a_web_acl_is_set_within_the_call_of_another_service", policy: `["wafv2:AssociateWebACL","elasticloadbalancing:SetWebAcl"]`, used: "wafv2:AssociateWebACL", days: 90, keep: "elasticloadbalancing:SetWebAcl"},
		{name: "a_layer_is_read_within_another_call", policy: `["lambda:CreateFunction","lambda:GetLayerVersion"]`, used: "lambda:CreateFunction", days: 90, keep: "lambda:GetLayerVersion"},
		{name: "an_event_source_that_is_no_prefix", policy: `["appstream:DescribeFleets","ec2:DescribeInstances"]`, used: "ec2:DescribeInstances ?appstream2", days: 90, keep: "appstream:DescribeFleets"},
		{name: "a_service_that_the_catalogue_lacks", policy: `["*"]`, used: "s3:GetObject ?newservice", days: 90, keep: "*"},
		{name: "a_backup_plan_passes_a_role", policy: `["iam:PassRole","backup:CreateBackupPlan"]`, used: "backup:CreateBackupPlan", days: 90, keep: "iam:PassRole"},
		{name: "secrets_are_listed_by_a_filter", policy: `["secretsmanager:BatchGetSecretValue","secretsmanager:ListSecrets"]`, used: "secretsmanager:BatchGetSecretValue", days: 90, keep: "secretsmanager:ListSecrets"},
		{name: "verbs_of_the_api_gateway", policy: `["apigateway:PUT","apigateway:POST"]`, used: "?apigateway", days: 90, keep: "apigateway:PUT apigateway:POST"},
		{name: "a_misspelt_action_is_refused", policy: `["s3:GetObject","s3:PutObject"]`, used: "s3:GetObjct", days: 90, refused: "the nearest are s3:GetObject"},
		{name: "an_event_is_refused_and_translated", policy: `["s3:ListAllMyBuckets"]`, used: "s3:ListBuckets", days: 90, refused: "write s3:ListAllMyBuckets"},
		// Others of these kinds.
		{name: "agents_of_systems_manager", policy: `["ssm:UpdateInstanceInformation","ssmmessages:*","ec2messages:*","ssm:SendCommand"]`, used: "ssm:SendCommand", days: 400, keep: "ssm:UpdateInstanceInformation ssmmessages:* ec2messages:*"},
		{name: "metrics_logs_and_traces", policy: `["cloudwatch:PutMetricData","logs:PutLogEvents","xray:PutTraceSegments","ec2:StopInstances"]`, used: "ec2:StopInstances", days: 400, keep: "cloudwatch:PutMetricData logs:PutLogEvents xray:PutTraceSegments"},
		{name: "reads_of_iot_are_not_logged", policy: `["iot:ListThings","iot:DescribeThing","iot:CreateThing"]`, used: "iot:CreateThing", days: 400, keep: "iot:ListThings iot:DescribeThing"},
		{name: "lambda_logs_what_it_lists", policy: `["lambda:ListTags","lambda:ListVersionsByFunction","lambda:GetFunction"]`, used: "lambda:GetFunction", days: 400, keep: "lambda:ListTags lambda:ListVersionsByFunction"},
		{name: "a_bus_takes_events_without_an_event", policy: `["events:PutEvents","events:PutRule"]`, used: "events:PutRule", days: 400, keep: "events:PutEvents"},
		{name: "a_certificate_is_tagged_while_it_is_made", policy: `["acm:RequestCertificate","acm:AddTagsToCertificate"]`, used: "acm:RequestCertificate", days: 400, keep: "acm:AddTagsToCertificate"},
		{name: "a_topic_is_tagged_while_it_is_made", policy: `["sns:CreateTopic","sns:TagResource"]`, used: "sns:CreateTopic", days: 400, keep: "sns:TagResource"},
		{name: "a_bucket_is_tagged_while_it_is_made", policy: `["s3:CreateBucket","s3:PutBucketTagging"]`, used: "s3:CreateBucket", days: 400, keep: "s3:PutBucketTagging"},
		{name: "a_job_passes_a_role", policy: `["iam:PassRole","batch:RegisterJobDefinition"]`, used: "batch:RegisterJobDefinition", days: 400, keep: "iam:PassRole"},
		{name: "a_trail_passes_a_role", policy: `["iam:PassRole","cloudtrail:UpdateTrail"]`, used: "cloudtrail:UpdateTrail", days: 400, keep: "iam:PassRole"},
		{name: "an_environment_passes_a_role", policy: `["iam:PassRole","elasticbeanstalk:UpdateEnvironment"]`, used: "elasticbeanstalk:UpdateEnvironment", days: 400, keep: "iam:PassRole"},
		{name: "a_crawler_passes_a_role", policy: `["iam:PassRole","glue:UpdateCrawler"]`, used: "glue:UpdateCrawler", days: 400, keep: "iam:PassRole"},
		{name: "a_task_passes_a_role", policy: `["iam:PassRole","ecs:RunTask"]`, used: "ecs:RunTask", days: 400, keep: "iam:PassRole"},
		{name: "a_service_of_which_no_source_speaks_may_pass_a_role", policy: `["iam:PassRole","aws-marketplace:StartChangeSet"]`, days: 400, keep: "iam:PassRole"},
		{name: "an_identity_is_carried_on", policy: `["sts:SetContext","ec2:StopInstances"]`, used: "ec2:StopInstances", days: 400, keep: "sts:SetContext"},
		{name: "a_launch_template_is_tried", policy: `["autoscaling:CreateAutoScalingGroup","ec2:RunInstances"]`, used: "autoscaling:CreateAutoScalingGroup", days: 400, keep: "ec2:RunInstances"},
		{name: "objects_are_tagged_by_a_data_event", policy: `["s3:PutObjectTagging","s3:GetObjectVersion","s3:DeleteObjectVersion"]`, days: 400, keep: "s3:PutObjectTagging s3:GetObjectVersion s3:DeleteObjectVersion"},
		{name: "broker_events_come_from_amazonmq", policy: `["mq:DescribeBroker"]`, used: "?amazonmq", days: 90, keep: "mq:DescribeBroker"},
		{name: "workers_come_from_mturk_requester", policy: `["mechanicalturk:GetHIT"]`, used: "?mturk-requester", days: 90, keep: "mechanicalturk:GetHIT"},
		{name: "a_database_is_restored_with_inner_writes", policy: `["dynamodb:RestoreTableFromBackup","dynamodb:BatchWriteItem"]`, used: "dynamodb:RestoreTableFromBackup", days: 400, keep: "dynamodb:BatchWriteItem"},
		{name: "a_table_is_read_within_its_database", policy: `["glue:GetTable","glue:GetDatabase"]`, used: "glue:GetTable", days: 400, keep: "glue:GetDatabase"},
		{name: "a_service_without_a_row_keeps_everything", policy: `["wisdom:*","ec2:StopInstances"]`, used: "ec2:StopInstances", days: 400, keep: "wisdom:*"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := Usage{Principal: "me"}
			for _, w := range strings.Fields(test.used) {
				if source, ok := strings.CutPrefix(w, "?"); ok {
					u.Unclear = append(u.Unclear, source)
				} else {
					u.Actions = append(u.Actions, w)
				}
			}
			in := Input{
				Policy: parse(t, allow(test.policy)), Catalogue: c, Usage: []Usage{u}, Window: time.Duration(test.days) * 24 * time.Hour,
				DataEvents: func(action string) bool { return strings.HasPrefix(action, "dynamodb:") },
			}
			r, err := Narrow(in)
			if test.refused != "" {
				if err == nil || !strings.Contains(err.Error(), test.refused) {
					t.Errorf("got %v, want %q", err, test.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var left []string
			for _, doc := range r.Documents {
				for i := range doc.Statements {
					if doc.Statements[i].Effect == policy.Allow {
						left = append(left, doc.Statements[i].Actions...)
					}
				}
			}
			for keep := range strings.FieldsSeq(test.keep) {
				actions, _ := c.Expand(keep)
				for _, a := range actions {
					if !overlaps(left, a) {
						t.Fatalf("%s is lost: %v, %+v", a, r.Outcome, r.Reasons)
					}
				}
			}
			for _, reason := range r.Reasons {
				if len(reason.Why) == 0 {
					t.Errorf("%s: no reason", reason.Entry)
				}
			}
		})
	}
}

func overlaps(entries []string, action string) bool {
	for _, e := range entries {
		if catalog.MatchAction(e, action) {
			return true
		}
	}
	return false
}
