package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	rulestypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
)

// provider are the credentials of the account, for a client that is not dera's.
func (w *motoWorld) provider() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken)
}

// newTrail makes a bucket and a trail that logs.
func (w *motoWorld) newTrail(name string) *cloudtrail.Client {
	w.t.Helper()
	ctx := w.t.Context()
	buckets := s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()), Credentials: w.provider(), UsePathStyle: true})
	if _, err := buckets.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(name + "-logs")}); err != nil {
		w.t.Fatal(err)
	}
	api := cloudtrail.New(cloudtrail.Options{Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()), Credentials: w.provider()})
	if _, err := api.CreateTrail(ctx, &cloudtrail.CreateTrailInput{Name: &name, S3BucketName: aws.String(name + "-logs"), IsMultiRegionTrail: aws.Bool(true), IncludeGlobalServiceEvents: aws.Bool(true)}); err != nil {
		w.t.Fatal(err)
	}
	if _, err := api.StartLogging(ctx, &cloudtrail.StartLoggingInput{Name: &name}); err != nil {
		w.t.Fatal(err)
	}
	return api
}

// TestMotoTrail: a trail that was stopped is found, started, stopped by the rollback and found
// again; and so is one without validation. The account has no trail that logs meanwhile.
func TestMotoTrail(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	t.Run("logging", func(t *testing.T) {
		w := newSettingWorld(t, server, "cloudtrail-trail-logging-stopped")
		api := w.newTrail("stopped")
		logs := func() bool {
			t.Helper()
			out, err := api.GetTrailStatus(t.Context(), &cloudtrail.GetTrailStatusInput{Name: aws.String("stopped")})
			if err != nil {
				t.Fatal(err)
			}
			return *out.IsLogging
		}
		if _, err := api.StopLogging(t.Context(), &cloudtrail.StopLoggingInput{Name: aws.String("stopped")}); err != nil {
			t.Fatal(err)
		}
		w.settingLoop(finding{"logging", "cloudtrail-trail-logging-stopped", "auto", "resolved"}, "stopped", logs)
		if r := w.scan(exitNo, "--mode", "observe", "--no-exemptions"); len(findingsOf(r, "stopped")) != 1 {
			t.Errorf("after the rollback: got %+v, want it found again", r.Findings)
		}
	})
	t.Run("validation", func(t *testing.T) {
		w := newSettingWorld(t, server, "cloudtrail-trail-validation-off")
		api := w.newTrail("plain")
		described := func() trailtypes.Trail {
			t.Helper()
			out, err := api.DescribeTrails(t.Context(), &cloudtrail.DescribeTrailsInput{TrailNameList: []string{"plain"}})
			if err != nil || len(out.TrailList) == 0 {
				t.Fatal(out, err)
			}
			return out.TrailList[0]
		}
		w.settingLoop(finding{"log_file_validation", "cloudtrail-trail-validation-off", "auto", "resolved"}, "plain", func() bool { return *described().LogFileValidationEnabled })
		if d := described(); *d.S3BucketName != "plain-logs" || !*d.IsMultiRegionTrail || !*d.IncludeGlobalServiceEvents {
			t.Errorf("got %+v, want the rest as it was", d)
		}
	})
	t.Run("events", func(t *testing.T) {
		w := newSettingWorld(t, server, "cloudtrail-trail-events-narrowed, cloudtrail-account-no-trail")
		api := w.newTrail("narrow")
		put := &cloudtrail.PutEventSelectorsInput{TrailName: aws.String("narrow"), EventSelectors: []trailtypes.EventSelector{{ReadWriteType: trailtypes.ReadWriteTypeWriteOnly, IncludeManagementEvents: aws.Bool(true)}}}
		if _, err := api.PutEventSelectors(t.Context(), put); err != nil {
			t.Fatal(err)
		}
		r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
		if got := findingsOf(r, "narrow"); len(got) != 1 || got[0] != (finding{"management-events", "cloudtrail-trail-events-narrowed", "review", "open"}) {
			t.Errorf("got %v, want that it waits", got)
		}
		if i := slices.IndexFunc(r.Findings, func(f app.FindingView) bool { return f.Control == "cloudtrail-account-no-trail" }); i < 0 || r.Findings[i].Disposition != dera.Alert {
			t.Errorf("got %+v, want that no trail records the account", r.Findings)
		}
		w.approveAll(r, "narrow")
		out, err := api.GetEventSelectors(t.Context(), &cloudtrail.GetEventSelectorsInput{TrailName: aws.String("narrow")})
		if err != nil || len(out.EventSelectors) != 1 || out.EventSelectors[0].ReadWriteType != trailtypes.ReadWriteTypeAll {
			t.Errorf("after the approval: got %+v, %v", out, err)
		}
		w.rollBackAll()
		out, err = api.GetEventSelectors(t.Context(), &cloudtrail.GetEventSelectorsInput{TrailName: aws.String("narrow")})
		if err != nil || len(out.EventSelectors) != 1 || out.EventSelectors[0].ReadWriteType != trailtypes.ReadWriteTypeWriteOnly {
			t.Errorf("after the rollback: got %+v, %v", out, err)
		}
	})
}

// TestMotoRecorder: a recorder that was stopped is started, and stopped by the rollback. The
// other settings stay.
func TestMotoRecorder(t *testing.T) {
	w := newSettingWorld(t, moto.Start(t, moto.Config{}), "config-recorder-stopped")
	api := configservice.New(configservice.Options{Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()), Credentials: w.provider()})
	name := aws.String("default")
	if _, err := api.PutConfigurationRecorder(t.Context(), &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &configtypes.ConfigurationRecorder{
		Name: name, RoleARN: aws.String("arn:aws:iam::111122223333:role/config"), RecordingGroup: &configtypes.RecordingGroup{ResourceTypes: []configtypes.ResourceType{"AWS::S3::Bucket"}},
	}}); err != nil {
		t.Fatal(err)
	}
	if r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions"); len(r.Findings) != 1 || r.Findings[0].Disposition != dera.Review {
		t.Errorf("without a channel: got %+v, want that it waits", r.Findings)
	}
	buckets := s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()), Credentials: w.provider(), UsePathStyle: true})
	if _, err := buckets.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("config-logs")}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.PutDeliveryChannel(t.Context(), &configservice.PutDeliveryChannelInput{DeliveryChannel: &configtypes.DeliveryChannel{Name: name, S3BucketName: aws.String("config-logs")}}); err != nil {
		t.Fatal(err)
	}
	w.settingLoop(finding{"recording", "config-recorder-stopped", "auto", "resolved"}, "us-east-1", func() bool {
		t.Helper()
		out, err := api.DescribeConfigurationRecorderStatus(t.Context(), &configservice.DescribeConfigurationRecorderStatusInput{})
		if err != nil || len(out.ConfigurationRecordersStatus) != 1 {
			t.Fatal(out, err)
		}
		return out.ConfigurationRecordersStatus[0].Recording
	})
	out, err := api.DescribeConfigurationRecorders(t.Context(), &configservice.DescribeConfigurationRecordersInput{})
	if err != nil || len(out.ConfigurationRecorders) != 1 || len(out.ConfigurationRecorders[0].RecordingGroup.ResourceTypes) != 1 {
		t.Errorf("got %+v, %v, want one recorder as it was", out, err)
	}
}

// TestMotoDetector: a detector that was suspended is enabled, and suspended by the rollback;
// that of a member is its administrator's.
func TestMotoDetector(t *testing.T) {
	w := newSettingWorld(t, moto.Start(t, moto.Config{}), "guardduty-detector-off")
	api := guardduty.New(guardduty.Options{Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()), Credentials: w.provider()})
	made, err := api.CreateDetector(t.Context(), &guardduty.CreateDetectorInput{Enable: aws.Bool(false), FindingPublishingFrequency: "ONE_HOUR"})
	if err != nil {
		t.Fatal(err)
	}
	w.settingLoop(finding{"enabled", "guardduty-detector-off", "auto", "resolved"}, "us-east-1", func() bool {
		t.Helper()
		out, err := api.GetDetector(t.Context(), &guardduty.GetDetectorInput{DetectorId: made.DetectorId})
		if err != nil || out.FindingPublishingFrequency != "ONE_HOUR" {
			t.Fatalf("got %+v, %v, want the frequency as it was", out, err)
		}
		return out.Status == "ENABLED"
	})
	if _, err := api.EnableOrganizationAdminAccount(t.Context(), &guardduty.EnableOrganizationAdminAccountInput{AdminAccountId: aws.String("444455556666")}); err != nil {
		t.Fatal(err)
	}
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	if len(r.Findings) != 1 || r.Findings[0].Disposition != dera.Review || r.Findings[0].State != "open" {
		t.Errorf("of a member: got %+v, want that it waits", r.Findings)
	}
}

// TestMotoRule: a rule that brings dera its events is enabled again, and disabled by the
// rollback; a rule of others is no matter.
func TestMotoRule(t *testing.T) {
	w := newSettingWorld(t, moto.Start(t, moto.Config{}), "events-rule-disabled")
	api := eventbridge.New(eventbridge.Options{Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()), Credentials: w.provider()})
	for _, name := range []string{"dera-ec2", "nightly"} {
		if _, err := api.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: &name, EventPattern: aws.String(`{"source":["aws.ec2"],"detail-type":["AWS API Call via CloudTrail"]}`), State: "DISABLED"}); err != nil {
			t.Fatal(err)
		}
	}
	leads := rulestypes.Target{Id: aws.String("dera"), Arn: aws.String("arn:aws:sqs:us-east-1:" + w.creds.Account + ":dera-events")}
	if _, err := api.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("dera-ec2"), Targets: []rulestypes.Target{leads}}); err != nil {
		t.Fatal(err)
	}
	is := func(name string) bool {
		t.Helper()
		out, err := api.DescribeRule(t.Context(), &eventbridge.DescribeRuleInput{Name: &name})
		if err != nil {
			t.Fatal(err)
		}
		return out.State == "ENABLED"
	}
	w.settingLoop(finding{"enabled", "events-rule-disabled", "auto", "resolved"}, "dera-ec2", func() bool { return is("dera-ec2") })
	if _, err := api.RemoveTargets(t.Context(), &eventbridge.RemoveTargetsInput{Rule: aws.String("dera-ec2"), Ids: []string{"dera"}}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte("version: 1\nsettle: 10ms\ncontrols: [events-rule-leads-nowhere]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := findingsOf(w.scan(exitNo, "--mode", "observe"), "dera-ec2"); len(got) == 0 || got[len(got)-1] != (finding{"targets", "events-rule-leads-nowhere", "alert", "open"}) {
		t.Errorf("without a target: got %v", got)
	}
	if is("nightly") {
		t.Error("a rule of others was enabled")
	}
}

// TestMotoTrailByEvent: of two trails that are stopped, an event of each says who did it: that
// of somebody is started again, and that of a principal who may stop it waits for a person.
func TestMotoTrailByEvent(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	w := newSettingWorld(t, server, "cloudtrail-trail-logging-stopped")
	api := w.newTrail("stolen")
	w.newTrail("moved")
	queues := sqs.New(sqs.Options{Region: "us-east-1", BaseEndpoint: aws.String(server.URL()), Credentials: w.provider()})
	made, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("dera-events")})
	if err != nil {
		t.Fatal(err)
	}
	c := startConfigured(t, "controls: [cloudtrail-trail-logging-stopped]\nqueue_is_ours: true\nwatchers: {principals: [\"arn:aws:iam::*:role/audit-admin\"]}\n", "--queue", *made.QueueUrl, "--sweep", "1h")
	c.eventually(t, "it runs", func() bool { return strings.Contains(c.errOut.String(), "dera runs") })
	account := w.creds.Account
	for name, role := range map[string]string{"moved": "audit-admin", "stolen": "dev"} {
		if _, err := api.StopLogging(t.Context(), &cloudtrail.StopLoggingInput{Name: &name}); err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"version":"0","id":"e-%[1]s","detail-type":"AWS API Call via CloudTrail","source":"aws.cloudtrail","account":%[2]q,"time":%[4]q,"region":"us-east-1","detail":{"eventVersion":"1.09",`+
			`"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::%[2]s:assumed-role/%[3]s/eve","accountId":%[2]q,"sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::%[2]s:role/%[3]s"}}},`+
			`"eventTime":%[4]q,"eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","awsRegion":"us-east-1","requestParameters":{"name":"arn:aws:cloudtrail:us-east-1:%[2]s:trail/%[1]s"},`+
			`"eventID":"e-%[1]s","readOnly":false,"eventType":"AwsApiCall","recipientAccountId":%[2]q}}`, name, account, role, time.Now().UTC().Format(time.RFC3339))
		if _, err := queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: made.QueueUrl, MessageBody: &body}); err != nil {
			t.Fatal(err)
		}
	}
	logs := func(name string) bool {
		t.Helper()
		out, err := api.GetTrailStatus(t.Context(), &cloudtrail.GetTrailStatusInput{Name: &name})
		if err != nil {
			t.Fatal(err)
		}
		return *out.IsLogging
	}
	shown := func() string {
		var out, errOut bytes.Buffer
		run(t.Context(), []string{"findings", "--output", "json", "--data", c.data}, strings.NewReader(""), &out, &errOut)
		return out.String()
	}
	c.eventually(t, "the stolen trail logs again", func() bool { return logs("stolen") })
	c.eventually(t, "the other is found", func() bool { return strings.Contains(shown(), "trail/moved") })
	c.stop(t)
	if text := shown(); logs("moved") || !strings.Contains(text, "assumed-role/audit-admin/eve") || !strings.Contains(text, `"disposition": "review"`) {
		t.Errorf("logs %t, want that it waits for a person who knows who did it:\n%s", logs("moved"), text)
	}
}
