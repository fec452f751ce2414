package services

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
)

const (
	groupType  = "AWS::EC2::SecurityGroup"
	bucketType = "AWS::S3::Bucket"
	targetsOf  = "arn:aws:%s:us-east-1:111122223333:%s"
	ownQueue   = "arn:*:sqs:us-east-1:999988887777:dera-events"
)

func at(service, resource string) string { return fmt.Sprintf(targetsOf, service, resource) }

// TestTriggers: which rules of EventBridge fix what, by the patterns that tools make and people
// write.
func TestTriggers(t *testing.T) {
	t.Parallel()
	judge := NewTriggers(ownQueue)
	lambda := at("lambda", "function:fix-it")
	machine := at("states", "stateMachine:SO0111-ASR-Orchestrator")
	topic := at("sns", "alerts")
	hub := func(detail string) string {
		return `{"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Imported"],"detail":{"findings":` + detail + `}}`
	}
	compliance := func(detail string) string {
		return `{"source":["aws.config"],"detail-type":["Config Rules Compliance Change"],"detail":` + detail + `}`
	}
	calls := func(detail string) string {
		return `{"source":["aws.ec2"],"detail-type":["AWS API Call via CloudTrail"],"detail":` + detail + `}`
	}
	tests := []struct {
		name    string
		rule    Trigger
		want    []string // types that must be among those; nil: no fixer
		without []string // types that must not
		tool    string
		any     bool
		byHand  bool
	}{
		// Automated Security Response on AWS 2 (source/lib/ssmplaybook.ts, Trigger).
		{name: "security_response_afsbp", tool: ToolSecurityResponse, want: []string{groupType}, without: []string{bucketType, "AWS::EC2::Snapshot"}, rule: Trigger{
			Name: "AFSBP_1.0.0_EC2.2_AutoTrigger", Targets: []string{machine},
			Pattern: hub(`{"GeneratorId":["aws-foundational-security-best-practices/v/1.0.0/EC2.2"],"Workflow":{"Status":["NEW"]},"Compliance":{"Status":["FAILED","WARNING"]},"RecordState":["ACTIVE"]}`),
		}},
		{name: "security_response_consolidated", tool: ToolSecurityResponse, want: []string{groupType}, without: []string{bucketType}, rule: Trigger{
			Name: "SC_2.0.0_EC2.13_AutoTrigger", Targets: []string{machine},
			Pattern: hub(`{"GeneratorId":["security-control/EC2.13"],"Workflow":{"Status":["NEW"]},"Compliance":{"Status":["FAILED","WARNING"]},"RecordState":["ACTIVE"]}`),
		}},
		{name: "security_response_cis", tool: ToolSecurityResponse, want: []string{"AWS::CloudTrail::Trail"}, without: []string{bucketType, groupType}, rule: Trigger{
			Name: "CIS_1.2.0_2.2_AutoTrigger", Targets: []string{machine},
			Pattern: hub(`{"GeneratorId":["arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0/rule/2.2"],"Workflow":{"Status":["NEW"]},"Compliance":{"Status":["FAILED","WARNING"]}}`),
		}},
		// 3 and later: one rule, and a queue that a function reads (pre-processor-construct.ts).
		{name: "security_response_queue", tool: ToolSecurityResponse, want: []string{groupType, bucketType, "AWS::KMS::Key"}, rule: Trigger{
			Name: "asr-admin-FindingsRule1A2B", Targets: []string{at("sqs", "asr-admin-PreProcessorQueue0F1E-x7Yz")},
			Pattern: hub(`{"Workflow":{"Status":["NEW"]},"RecordState":["ACTIVE"]}`),
		}},
		{name: "security_response_by_hand", tool: ToolSecurityResponse, byHand: true, rule: Trigger{
			Name: "Remediate_with_SHARR_CustomAction", Targets: []string{machine},
			Pattern: `{"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Custom Action"],"resources":["arn:aws:securityhub:us-east-1:111122223333:action/custom/ASRRemediation"],"detail":{"findings":{"Compliance":{"Status":["FAILED","WARNING"]}}}}`,
		}},
		// What people write.
		{name: "by_control", want: []string{groupType}, without: []string{bucketType}, rule: Trigger{Name: "sg", Targets: []string{lambda}, Pattern: hub(`{"Compliance":{"SecurityControlId":["EC2.19"],"Status":["FAILED"]}}`)}},
		{name: "by_type_of_asff", want: []string{bucketType}, without: []string{groupType}, rule: Trigger{Name: "s3", Targets: []string{lambda}, Pattern: hub(`{"Resources":{"Type":["AwsS3Bucket"]},"RecordState":["ACTIVE"]}`)}},
		{name: "every_finding", want: []string{groupType, bucketType}, rule: Trigger{Name: "all", Targets: []string{topic, lambda}, Pattern: hub(`{"Severity":{"Label":["CRITICAL"]}}`)}},
		{name: "of_another_product", rule: Trigger{Name: "cs", Targets: []string{lambda}, Pattern: hub(`{"ProductName":[{"wildcard":"*CrowdStrike*"}]}`)}},
		{name: "of_archived_findings", rule: Trigger{Name: "old", Targets: []string{lambda}, Pattern: hub(`{"RecordState":["ARCHIVED"]}`)}},
		{name: "of_resolved_findings", rule: Trigger{Name: "done", Targets: []string{lambda}, Pattern: hub(`{"Workflow":{"Status":["RESOLVED","SUPPRESSED"]}}`)}},
		{name: "of_vulnerabilities_v2", rule: Trigger{Name: "cve", Targets: []string{lambda}, Pattern: `{"source":["aws.securityhub"],"detail-type":["Findings Imported V2"],"detail":{"findings":{"class_uid":[2002]}}}`}},
		{name: "v2", want: []string{groupType}, rule: Trigger{Name: "v2", Targets: []string{machine}, Pattern: `{"source":["aws.securityhub"],"detail-type":["Findings Imported V2"],"detail":{"findings":{"class_uid":[2003]}}}`}, tool: ToolSecurityResponse},
		{name: "a_topic", rule: Trigger{Name: "mail", Targets: []string{topic, at("logs", "log-group:/aws/events/x"), at("firehose", "deliverystream/siem"), at("events", "api-destination/slack/1")}, Pattern: hub(`{}`)}},
		{name: "a_queue_of_others", rule: Trigger{Name: "siem", Targets: []string{at("sqs", "siem")}, Pattern: hub(`{}`)}},
		{name: "config_by_type", want: []string{groupType}, without: []string{bucketType}, rule: Trigger{Name: "c", Targets: []string{lambda}, Pattern: compliance(`{"messageType":["ComplianceChangeNotification"],"resourceType":["AWS::EC2::SecurityGroup"],"newEvaluationResult":{"complianceType":["NON_COMPLIANT"]}}`)}},
		{name: "config_by_managed_rule", want: []string{groupType}, without: []string{bucketType}, rule: Trigger{Name: "c", Targets: []string{lambda}, Pattern: compliance(`{"configRuleName":["restricted-ssh"]}`)}},
		{name: "config_by_organisation_rule", want: []string{groupType}, without: []string{bucketType}, rule: Trigger{Name: "c", Targets: []string{lambda}, Pattern: compliance(`{"configRuleName":["OrgConfigRule-restricted-ssh-1a2b3c4d"]}`)}},
		{name: "config_by_own_name", want: []string{groupType, bucketType}, rule: Trigger{Name: "c", Targets: []string{lambda}, Pattern: compliance(`{"configRuleName":["no-open-doors"]}`)}},
		{name: "config_that_complies", rule: Trigger{Name: "c", Targets: []string{lambda}, Pattern: compliance(`{"newEvaluationResult":{"complianceType":["COMPLIANT"]}}`)}},
		{name: "config_item_of_a_type", want: []string{groupType}, without: []string{bucketType}, rule: Trigger{Name: "i", Targets: []string{lambda}, Pattern: `{"source":["aws.config"],"detail-type":["Config Configuration Item Change"],"detail":{"configurationItem":{"resourceType":["AWS::EC2::SecurityGroup"]}}}`}},
		{name: "config_items_for_an_inventory", rule: Trigger{Name: "i", Targets: []string{lambda}, Pattern: `{"source":["aws.config"],"detail-type":["Config Configuration Item Change"]}`}},
		{name: "access_analyzer", want: []string{bucketType}, without: []string{groupType}, rule: Trigger{Name: "aa", Targets: []string{lambda}, Pattern: `{"source":["aws.access-analyzer"],"detail-type":["Access Analyzer Finding"],"detail":{"resourceType":["AWS::S3::Bucket"],"status":["ACTIVE"]}}`}},
		{name: "guardduty_port_probe", want: []string{groupType}, without: []string{bucketType}, rule: Trigger{Name: "gd", Targets: []string{lambda}, Pattern: `{"source":["aws.guardduty"],"detail-type":["GuardDuty Finding"],"detail":{"type":["Recon:EC2/PortProbeUnprotectedPort"]}}`}},
		{name: "guardduty_of_buckets", want: []string{bucketType}, without: []string{groupType, "AWS::IAM::AccessKey"}, rule: Trigger{Name: "gd", Targets: []string{lambda}, Pattern: `{"source":["aws.guardduty"],"detail-type":["GuardDuty Finding"],"detail":{"resource":{"resourceType":["S3Bucket"]}}}`}},
		{name: "guardduty_in_security_hub", want: []string{"AWS::EC2::Instance", "AWS::IAM::AccessKey"}, without: []string{"AWS::KMS::Key", "AWS::RDS::DBInstance"}, rule: Trigger{Name: "gd", Targets: []string{lambda}, Pattern: hub(`{"ProductArn":["arn:aws:securityhub:us-east-1::product/aws/guardduty"]}`)}},
		{name: "guardduty_all_by_prefix", want: []string{groupType, bucketType}, rule: Trigger{Name: "gd", Targets: []string{lambda}, Pattern: `{"source":[{"prefix":"aws.guard"}],"detail":{"severity":[{"numeric":[">=",7]}]}}`}},
		// Findings of those that no control of ours takes as a hint.
		{name: "macie_of_a_policy", want: []string{bucketType}, without: []string{groupType}, rule: Trigger{Name: "m", Targets: []string{lambda}, Pattern: `{"source":["aws.macie"],"detail-type":["Macie Finding"],"detail":{"type":["Policy:IAMUser/S3BucketPublic"]}}`}},
		{name: "macie_of_data", rule: Trigger{Name: "m", Targets: []string{lambda}, Pattern: `{"source":["aws.macie"],"detail-type":["Macie Finding"],"detail":{"type":[{"prefix":"SensitiveData"}]}}`}},
		{name: "macie_in_security_hub", want: []string{bucketType}, without: []string{groupType}, rule: Trigger{Name: "m", Targets: []string{lambda}, Pattern: hub(`{"ProductName":["Macie"]}`)}},
		{name: "trusted_advisor", want: []string{groupType, bucketType}, rule: Trigger{Name: "ta", Targets: []string{lambda}, Pattern: `{"source":["aws.trustedadvisor"],"detail-type":["Trusted Advisor Check Item Refresh Notification"],"detail":{"status":["ERROR","WARN"]}}`}},
		{name: "trusted_advisor_by_check", want: []string{"AWS::IAM::AccessKey"}, without: []string{groupType, bucketType}, rule: Trigger{Name: "ta", Targets: []string{machine}, Pattern: `{"source":["aws.trustedadvisor"],"detail":{"check-name":["Exposed Access Keys"]}}`}, tool: ToolSecurityResponse},
		{name: "trusted_advisor_of_cost", rule: Trigger{Name: "ta", Targets: []string{lambda}, Pattern: `{"source":["aws.trustedadvisor"],"detail":{"check-name":["Low Utilization Amazon EC2 Instances"]}}`}},
		{name: "trusted_advisor_of_what_is_well", rule: Trigger{Name: "ta", Targets: []string{lambda}, Pattern: `{"source":["aws.trustedadvisor"],"detail":{"status":["OK"]}}`}},
		{name: "health_of_an_exposed_key", want: []string{"AWS::IAM::AccessKey"}, without: []string{groupType}, rule: Trigger{Name: "h", Targets: []string{lambda}, Pattern: `{"source":["aws.health"],"detail-type":["AWS Health Event"],"detail":{"service":["RISK"],"eventTypeCode":["AWS_RISK_CREDENTIALS_EXPOSED"]}}`}},
		{name: "health_for_people", rule: Trigger{Name: "h", Targets: []string{lambda}, Pattern: `{"source":["aws.health"],"detail-type":["AWS Health Event"]}`}},
		{name: "health_of_instances", rule: Trigger{Name: "h", Targets: []string{lambda}, Pattern: `{"source":["aws.health"],"detail":{"eventTypeCode":[{"prefix":"AWS_EC2_"}]}}`}},
		{name: "a_call_by_name", want: []string{groupType}, without: []string{bucketType, "AWS::EC2::Instance"}, rule: Trigger{Name: "sg", Targets: []string{lambda}, Pattern: calls(`{"eventSource":["ec2.amazonaws.com"],"eventName":["AuthorizeSecurityGroupIngress"]}`)}},
		{name: "a_call_by_prefix", want: []string{groupType}, rule: Trigger{Name: "sg", Targets: []string{lambda}, Pattern: calls(`{"eventName":[{"prefix":"AuthorizeSecurityGroup"}]}`)}},
		{name: "a_call_by_wildcard", want: []string{groupType}, rule: Trigger{Name: "sg", Targets: []string{lambda}, Pattern: calls(`{"eventName":[{"wildcard":"*SecurityGroupIngress"}]}`)}},
		{name: "a_call_in_an_alternative", want: []string{groupType}, rule: Trigger{Name: "sg", Targets: []string{lambda}, Pattern: calls(`{"$or":[{"eventName":["RunInstances"]},{"eventName":["AuthorizeSecurityGroupIngress"]}]}`)}},
		{name: "a_call_and_nothing_else", want: []string{groupType}, without: []string{bucketType}, rule: Trigger{Name: "sg", Targets: []string{lambda}, Pattern: `{"detail":{"eventName":["AuthorizeSecurityGroupIngress"]}}`}},
		{name: "a_call_that_only_names_groups", want: []string{"AWS::EC2::Instance"}, without: []string{groupType}, rule: Trigger{Name: "tagger", Targets: []string{lambda}, Pattern: calls(`{"eventName":["RunInstances"]}`)}},
		{name: "every_call", rule: Trigger{Name: "siem", Targets: []string{lambda}, Pattern: `{"source":[{"prefix":"aws."}],"detail-type":["AWS API Call via CloudTrail"]}`}},
		{name: "every_call_but_reads", rule: Trigger{Name: "siem", Targets: []string{lambda}, Pattern: calls(`{"eventName":[{"anything-but":{"prefix":["Describe","List"]}}]}`)}},
		{name: "calls_of_another_service", rule: Trigger{Name: "x", Targets: []string{lambda}, Pattern: `{"source":["aws.codecommit"],"detail":{"eventName":["PutFile"]}}`}},
		{name: "all_but_findings", rule: Trigger{Name: "x", Targets: []string{lambda}, Pattern: `{"detail-type":[{"exists":false}]}`}},
		{name: "anything_but_a_source", want: []string{bucketType}, rule: Trigger{Name: "x", Targets: []string{lambda}, Pattern: `{"source":[{"anything-but":["aws.ec2"]}]}`}},
		{name: "a_state", rule: Trigger{Name: "x", Targets: []string{lambda}, Pattern: `{"source":["aws.ec2"],"detail-type":["EC2 Instance State-change Notification"]}`}},
		{name: "the_clock", rule: Trigger{Name: "nightly", Schedule: "rate(1 day)", Targets: []string{lambda}}},
		{name: "that_cannot_be_read", any: true, want: []string{}, rule: Trigger{Name: "x", Targets: []string{lambda}, Pattern: `{"source":`}},
		// Systems Manager.
		{name: "a_document_of_aws", want: []string{groupType}, without: []string{"AWS::EC2::Instance", bucketType}, rule: Trigger{Name: "ssh", Targets: []string{at("ssm", "automation-definition/AWS-DisablePublicAccessForSecurityGroup:$DEFAULT")}, Pattern: compliance(`{"configRuleName":["no-open-doors"]}`)}},
		{name: "a_document_of_aws_on_every_call", want: []string{bucketType}, without: []string{groupType}, rule: Trigger{Name: "s3", Targets: []string{at("ssm", "automation-definition/AWS-DisableS3BucketPublicReadWrite")}, Pattern: `{"source":["aws.s3"]}`}},
		{name: "a_document_that_notifies", rule: Trigger{Name: "mail", Targets: []string{at("ssm", "automation-definition/AWS-PublishSNSNotification")}, Pattern: compliance(`{}`)}},
		{name: "a_document_of_their_own", want: []string{groupType}, without: []string{bucketType}, rule: Trigger{Name: "own", Targets: []string{at("ssm", "automation-definition/Close-It:1")}, Pattern: calls(`{"eventName":["AuthorizeSecurityGroupIngress"]}`)}},
		// Cloud Custodian (c7n/mu.py, CloudWatchEventSource).
		{name: "custodian_call", tool: ToolCustodian, want: []string{groupType}, without: []string{bucketType}, rule: Trigger{Name: "custodian-sg-open", Targets: []string{at("lambda", "function:custodian-sg-open")}, Pattern: `{"detail-type":["AWS API Call via CloudTrail"],"detail":{"eventSource":["ec2.amazonaws.com"],"eventName":["AuthorizeSecurityGroupIngress"]}}`}},
		{name: "custodian_state", tool: ToolCustodian, want: []string{"AWS::EC2::Instance"}, without: []string{groupType}, rule: Trigger{Name: "custodian-ec2", Targets: []string{at("lambda", "function:custodian-ec2")}, Pattern: `{"source":["aws.ec2"],"detail":{"state":["pending"]},"detail-type":["EC2 Instance State-change Notification"]}`}},
		{name: "custodian_clock", tool: ToolCustodian, any: true, want: []string{}, rule: Trigger{Name: "custodian-nightly", Schedule: "rate(1 day)", Targets: []string{at("lambda", "function:custodian-nightly")}}},
		{name: "custodian_of_nothing_of_ours", tool: "", rule: Trigger{Name: "custodian-asg", Targets: []string{at("lambda", "function:custodian-asg")}, Pattern: `{"source":["aws.autoscaling"],"detail-type":["EC2 Instance Launch Unsuccessful"]}`}},
		{name: "custodian_findings", tool: ToolCustodian, want: []string{groupType}, rule: Trigger{Name: "custodian-hub", Targets: []string{at("lambda", "function:custodian-hub")}, Pattern: `{"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Imported"]}`}},
		{name: "custodian_by_hand", tool: ToolCustodian, byHand: true, rule: Trigger{Name: "custodian-act", Targets: []string{at("lambda", "function:custodian-act")}, Pattern: `{"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Custom Action","Security Hub Insight Results"],"resources":["arn:aws:securityhub:us-east-1:111122223333:action/custom/act"]}`}},
		{name: "a_custom_action_for_a_topic", rule: Trigger{Name: "act", Targets: []string{topic}, Pattern: `{"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Custom Action"]}`}},
		// Lookalikes.
		{name: "a_function_called_dera", want: []string{groupType}, rule: Trigger{Name: "dera-ec2", Targets: []string{lambda}, Pattern: calls(`{"eventName":["AuthorizeSecurityGroupIngress"]}`)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := judge.Judge(tt.rule)
			if want := tt.want != nil || tt.byHand; ok != want || got.Tool != tt.tool || got.Any != tt.any || got.ByHand != tt.byHand {
				t.Fatalf("got %+v, %t, want fixer %t by %q, any %t, by hand %t", got, ok, want, tt.tool, tt.any, tt.byHand)
			}
			for _, typ := range tt.want {
				if !slices.Contains(got.Types, typ) {
					t.Errorf("got %v, want %s among them", got.Types, typ)
				}
			}
			for _, typ := range tt.without {
				if slices.Contains(got.Types, typ) {
					t.Errorf("got %v, want them without %s", got.Types, typ)
				}
			}
			if tt.byHand && len(got.Types) > 0 {
				t.Errorf("by hand: got types %v, want none", got.Types)
			}
			if ok && !judge.Matters(Trigger{Name: tt.rule.Name, Pattern: tt.rule.Pattern, Schedule: tt.rule.Schedule}) {
				t.Error("its targets would not be read")
			}
		})
	}
}

// TestTriggersOfDera: the rules of this dera are no fixer, those of another one are, for
// the types that it listens to.
func TestTriggersOfDera(t *testing.T) {
	t.Parallel()
	var types []string
	for _, typ := range Types().Types() {
		types = append(types, typ.Name)
	}
	rules := Watch().Rules(types)
	target := func(arn string, queue string) map[string]bool {
		out := map[string]bool{}
		for _, r := range rules {
			got, ok := NewTriggers(queue).Judge(Trigger{Name: r.Name, Pattern: r.Pattern.Text(), Targets: []string{arn}})
			if ok && got.Tool != ToolDera {
				t.Errorf("%s: got %+v, want another dera", r.Name, got)
			}
			for _, typ := range got.Types {
				out[typ] = true
			}
		}
		return out
	}
	own, bus := "arn:aws:sqs:us-east-1:999988887777:dera-events", "arn:aws:events:us-east-1:999988887777:event-bus/dera"
	for name, arn := range map[string]string{"queue": own, "bus beside it": bus} {
		if got := target(arn, ownQueue); len(got) > 0 {
			t.Errorf("own %s: got %v, want no fixer", name, got)
		}
	}
	for name, arn := range map[string]string{"queue": at("sqs", "dera-events"), "bus": at("events", "event-bus/default")} {
		if got := target(arn, ownQueue); !got[groupType] || !got[bucketType] {
			t.Errorf("another %s: got %v, want it named for what it fixes", name, got)
		}
	}
	if got := target(own, ""); !got[groupType] {
		t.Errorf("where this dera has no queue: got %v, want it named", got)
	}
}

// TestDocuments: the table names types that there are, each document once.
func TestDocuments(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, typ := range Types().Types() {
		known[typ.Name] = true
	}
	seen := map[string]bool{}
	for i, line := range strings.Split(strings.TrimSpace(documents), "\n") {
		name, _, ok := strings.Cut(line, ",")
		if !ok || seen[name] {
			t.Errorf("line %d: %q is no line, or a second one", i+1, line)
		}
		seen[name] = true
		types, _ := DocumentTypes(name)
		for _, typ := range types {
			if i > 0 && !known[typ] {
				t.Errorf("%s: there is no type %s", name, typ)
			}
		}
	}
	if _, ok := DocumentTypes("Close-It"); ok || len(seen) < 30 {
		t.Errorf("got %d documents, and one of a customer known: %t", len(seen), ok)
	}
	if got := started(dera.ARN(at("states", "stateMachine:x"))); got != "the state machine x" {
		t.Errorf("got %q", got)
	}
}

// TestTriggersElsewhere: what is told in another region or account than that of the resource.
func TestTriggersElsewhere(t *testing.T) {
	t.Parallel()
	got, _ := NewTriggers(ownQueue).Judge(Trigger{Name: "ta", Targets: []string{at("lambda", "function:fix-it")}, Pattern: `{"source":["aws.trustedadvisor"]}`})
	if !slices.Contains(got.Central, groupType) {
		t.Errorf("got %v, want %s: Trusted Advisor tells of it in us-east-1 alone", got.Central, groupType)
	}
}
