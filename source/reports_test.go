package source

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services"
)

const home = "eu-west-1"

// reported is an envelope of EventBridge that a service sends to the hub's account and region.
func reported(kind, source, detail string) string {
	return fmt.Sprintf(`{"version":"0","id":"e-1","detail-type":%q,"source":%q,"account":"999999999999","region":"us-east-2","time":"2026-11-30T00:00:00Z","resources":["x"],"detail":%s}`, kind, source, detail)
}

// asff is a finding of Security Hub with more members, on one resource.
func asff(generator, typ, id, more string) string {
	return fmt.Sprintf(`{"SchemaVersion":"2018-10-08","Id":"arn:aws:securityhub:eu-west-1:111122223333:subscription/x/finding/%s","AwsAccountId":%q,"Region":%q,"GeneratorId":%q,`+
		`"UpdatedAt":"2026-11-29T10:00:00Z","Compliance":{"Status":"FAILED"},"Resources":[{"Type":%q,"Id":%q,"Region":%q}]%s}`, id, ours, home, generator, typ, id, home, more)
}

func imported(findings ...string) string {
	return reported(cloudtrail.ImportedKind, "aws.securityhub", `{"findings":[`+strings.Join(findings, ",")+`]}`)
}

// ocsf is a finding in the format of Security Hub V2.
func ocsf(control, uid, comment string) string {
	return reported(cloudtrail.ImportedV2Kind, "aws.securityhub", fmt.Sprintf(`{"findings":[{"class_uid":2003,"cloud":{"account":{"uid":%q},"region":%q,"provider":"AWS"},"comment":%q,`+
		`"compliance":{"control":%q,"status":"Fail"},"finding_info":{"uid":"f-1","modified_time_dt":"2026-11-29T10:00:00Z"},"metadata":{"version":"1.6.0"},"resources":[{"uid":%q,"type":"AWS::EC2::SecurityGroup","region":%q}]}]}`,
		ours, home, comment, control, uid, home))
}

// threat is a finding of GuardDuty.
func threat(typ, resource, service string) string {
	return reported(cloudtrail.GuardDutyKind, "aws.guardduty", fmt.Sprintf(`{"schemaVersion":"2.0","accountId":%q,"region":%q,"id":"g-1","type":%q,"resource":%s,"service":{"count":1%s},"severity":8,"updatedAt":"2026-11-29T10:00:00Z"}`,
		ours, home, typ, resource, service))
}

const groupARN = "arn:aws:ec2:eu-west-1:" + ours + ":security-group/sg-1"

// TestSieve_reports: the shapes of Security Hub, GuardDuty and Config, and their traps. Looks are
// type, region where it is another, and ID; "*" is all of the type.
func TestSieve_reports(t *testing.T) {
	t.Parallel()
	const group, groups = "AWS::EC2::SecurityGroup sg-1", "AWS::EC2::SecurityGroup *"
	sg := func(generator string) string { return asff(generator, "AwsEc2SecurityGroup", groupARN, "") }
	instance := `{"resourceType":"Instance","instanceDetails":{"instanceId":"i-1","networkInterfaces":[{"securityGroups":[{"groupId":"sg-1"}]}]}}`
	key := `{"resourceType":"AccessKey","accessKeyDetails":{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"ann","userType":"IAMUser"}}`
	role := `{"resourceType":"AccessKey","accessKeyDetails":{"accessKeyId":"ASIAIOSFODNN7EXAMPLE","userName":"app","userType":"Role"}}`
	const itself = "AWS::GuardDuty::Finding g-1"
	note := func(by, at string) string {
		return fmt.Sprintf(`,"Note":{"Text":"fixed","UpdatedBy":%q,"UpdatedAt":%q}`, by, at)
	}
	for name, tc := range map[string]struct {
		body  string
		want  Counts
		looks []string
		tally string
	}{
		"consolidated":            {imported(asff("security-control/EC2.13", "AwsEc2SecurityGroup", groupARN, `,"Severity":{}`)), Counts{Hinted: 1}, []string{group}, ""},
		"one_of_each_standard":    {imported(sg("aws-foundational-security-best-practices/v/1.0.0/EC2.13"), sg("arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0/rule/4.1"), sg("pci-dss/v/3.2.1/PCI.EC2.5"), sg("nist-800-53/v/5.0.0/EC2.13")), Counts{Hinted: 1}, []string{group}, ""},
		"control_tower":           {imported(sg("service-managed-aws-control-tower/v/1.0.0/SH.EC2.13")), Counts{Hinted: 1}, []string{group}, ""},
		"cis_3":                   {imported(sg("cis-aws-foundations-benchmark/v/3.0.0/5.2")), Counts{Hinted: 1}, []string{group}, ""},
		"passed_is_a_hint":        {imported(strings.Replace(sg("security-control/EC2.13"), "FAILED", "PASSED", 1)), Counts{Hinted: 1}, []string{group}, ""},
		"archived_is_a_hint":      {imported(asff("security-control/EC2.13", "AwsEc2SecurityGroup", groupARN, `,"RecordState":"ARCHIVED"`)), Counts{Hinted: 1}, []string{group}, ""},
		"many_findings":           {imported(sg("security-control/EC2.13"), asff("security-control/S3.2", "AwsS3Bucket", "arn:aws:s3:::files", "")), Counts{Hinted: 1}, []string{group, "AWS::S3::Bucket files"}, ""},
		"unknown_rule_our_type":   {imported(sg("acme/rule-7")), Counts{Hinted: 1}, []string{group}, ""},
		"known_rule_no_id":        {imported(asff("security-control/EC2.13", "AwsEc2SecurityGroup", "acme-7", "")), Counts{Hinted: 1}, []string{"AWS::EC2::SecurityGroup acme-7"}, ""},
		"known_rule_strange_arn":  {imported(asff("security-control/RDS.2", "AwsRdsDbInstance", "arn:aws:rds:eu-west-1:"+ours+":dbinstance:db-1", "")), Counts{Hinted: 1}, []string{"AWS::RDS::DBInstance *"}, ""},
		"known_rule_of_account":   {imported(asff("security-control/EC2.7", "AwsAccount", "AWS::::Account:"+ours, "")), Counts{Hinted: 1}, []string{"AWS::EC2::EBSEncryptionByDefault *"}, ""},
		"global_of_account":       {imported(asff("security-control/IAM.15", "AwsAccount", "AWS::::Account:"+ours, "")), Counts{Hinted: 1}, []string{"AWS::IAM::AccountPasswordPolicy aws-global *"}, ""},
		"user_by_unique_id":       {imported(asff("security-control/IAM.2", "AwsIamUser", "arn:aws:iam::"+ours+":user/AIDACKCEVSQ6C2EXAMPLE", "")), Counts{Hinted: 1}, []string{"AWS::IAM::User aws-global *"}, ""},
		"role_with_a_path":        {imported(asff("acme", "AwsIamRole", "arn:aws:iam::"+ours+":role/team/app", "")), Counts{Hinted: 1}, []string{"AWS::IAM::Role aws-global app"}, ""},
		"neither":                 {imported(asff("security-control/Kinesis.1", "AwsKinesisStream", "arn:aws:kinesis:eu-west-1:"+ours+":stream/s", "")), Counts{Unmapped: 1}, nil, UnmappedPrefix + "securityhub Kinesis.1"},
		"of_another_account":      {strings.ReplaceAll(imported(sg("security-control/EC2.13")), ours, theirs), Counts{Foreign: 1}, nil, ""},
		"own_echo":                {imported(asff("security-control/EC2.13", "AwsEc2SecurityGroup", groupARN, note(dera.NoteAuthor, "2026-11-29T10:00:01Z"))), Counts{Left: 1}, nil, LeftPrefix + cloudtrail.LeftEcho},
		"observed_after_our_note": {imported(asff("security-control/EC2.13", "AwsEc2SecurityGroup", groupARN, note(dera.NoteAuthor, "2026-11-29T09:00:00Z"))), Counts{Hinted: 1}, []string{group}, ""},
		"note_without_time":       {imported(asff("security-control/EC2.13", "AwsEc2SecurityGroup", groupARN, `,"Note":{"UpdatedBy":"dera"}`)), Counts{Hinted: 1}, []string{group}, ""},
		"note_of_a_person":        {imported(asff("security-control/EC2.13", "AwsEc2SecurityGroup", groupARN, note("dera-team", "2026-11-29T10:00:01Z"))), Counts{Hinted: 1}, []string{group}, ""},
		"v2":                      {ocsf("EC2.13", groupARN, ""), Counts{Hinted: 1}, []string{group}, ""},
		"v2_own_echo":             {ocsf("EC2.13", groupARN, dera.Comment(time.Date(2026, 11, 29, 10, 0, 5, 0, time.UTC), "fixed")), Counts{Left: 1}, nil, LeftPrefix + cloudtrail.LeftEcho},
		"v2_after_our_comment":    {ocsf("EC2.13", groupARN, dera.Comment(time.Date(2026, 11, 28, 10, 0, 5, 0, time.UTC), "fixed")), Counts{Hinted: 1}, []string{group}, ""},
		"v2_comment_of_a_person":  {ocsf("EC2.13", groupARN, "dera did it"), Counts{Hinted: 1}, []string{group}, ""},
		"insight":                 {reported(cloudtrail.InsightKind, "aws.securityhub", `{"insightName":"n","insightResults":[]}`), Counts{Foreign: 1}, nil, ""},
		"forged":                  {strings.Replace(imported(sg("x")), "aws.securityhub", "custom", 1), Counts{Malformed: 1}, nil, ""},
		"no_findings":             {imported(), Counts{Malformed: 1}, nil, ""},
		"port_probe":              {threat("Recon:EC2/PortProbeUnprotectedPort", instance, ""), Counts{Hinted: 1}, []string{group, itself}, ""},
		"trail_stopped":           {threat("Stealth:IAMUser/CloudTrailLoggingDisabled", key, ""), Counts{Hinted: 1}, []string{"AWS::CloudTrail::AccountTrails aws-global *", "AWS::CloudTrail::Trail *", itself}, ""},
		"malicious_caller":        {threat("UnauthorizedAccess:IAMUser/MaliciousIPCaller", key, ""), Counts{Hinted: 1}, []string{itself, "AWS::IAM::AccessKey aws-global ann#AKIAIOSFODNN7EXAMPLE"}, ""},
		"session_of_a_role":       {threat("UnauthorizedAccess:IAMUser/MaliciousIPCaller", role, ""), Counts{Hinted: 1}, []string{itself}, ""},
		"role_used_elsewhere":     {threat("UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", role, ""), Counts{Hinted: 1}, []string{itself}, ""},
		"coins":                   {threat("CryptoCurrency:EC2/BitcoinTool.B!DNS", instance, ""), Counts{Hinted: 1}, []string{"AWS::EC2::Instance i-1", itself}, ""},
		"coins_at_run_time":       {threat("CryptoCurrency:Runtime/BitcoinTool.B", instance, ""), Counts{Hinted: 1}, []string{"AWS::EC2::Instance i-1", itself}, ""},
		"sequence":                {threat("AttackSequence:IAM/CompromisedCredentials", `{"resourceType":"AttackSequence"}`, ""), Counts{Hinted: 1}, []string{itself}, ""},
		"type_of_next_year":       {threat("Novel:Thing/Odd", `{"resourceType":"Thing"}`, ""), Counts{Hinted: 1}, []string{itself}, ""},
		"sample":                  {threat("Recon:EC2/PortProbeUnprotectedPort", instance, `,"additionalInfo":{"sample":true}`), Counts{Left: 1}, nil, LeftPrefix + cloudtrail.LeftSample},
		"sample_in_a_text":        {threat("Recon:EC2/PortProbeUnprotectedPort", instance, `,"additionalInfo":{"value":"{\"sample\":true}","type":"default"}`), Counts{Left: 1}, nil, LeftPrefix + cloudtrail.LeftSample},
		"archived":                {threat("Recon:EC2/PortProbeUnprotectedPort", instance, `,"archived":true`), Counts{Left: 1}, nil, LeftPrefix + cloudtrail.LeftArchived},
		"config_item":             {reported(cloudtrail.ItemKind, "aws.config", `{"configurationItem":{"awsAccountId":"`+ours+`","awsRegion":"eu-west-1","resourceType":"AWS::SQS::Queue","resourceId":"https://sqs.eu-west-1.amazonaws.com/1/jobs","ARN":"arn:aws:sqs:eu-west-1:`+ours+`:jobs"}}`), Counts{Hinted: 1}, []string{"AWS::SQS::Queue jobs"}, ""},
		"config_item_of_others":   {reported(cloudtrail.ItemKind, "aws.config", `{"configurationItem":{"awsAccountId":"`+ours+`","awsRegion":"eu-west-1","resourceType":"AWS::Kinesis::Stream","resourceId":"s"}}`), Counts{Unmapped: 1}, nil, UnmappedPrefix + "config AWS::Kinesis::Stream"},
		"test":                    {TestEvent("t-1"), Counts{Test: 1}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newSieve("sqs", services.Watch(), []string{ours}, true).sift([]Message{{ID: "m-1", Body: tc.body}}, time.Unix(0, 0))
			tc.want.Received = 1
			if d.Counts != tc.want {
				t.Errorf("counts: got %+v, want %+v (kept %+v)", d.Counts, tc.want, d.Kept)
			}
			var got []string
			for _, e := range d.Events {
				at := e.Scope.Type
				if e.Scope.Region != home {
					at += " " + e.Scope.Region
				}
				if e.Scope.Account != ours || e.Now || !e.Authenticated || e.Actor != "" {
					t.Errorf("got %+v, want an authenticated hint in the account of the resource, by nobody", e)
				}
				got = append(got, at+" "+orElse(strings.Join(e.Scope.IDs, ","), "*"))
			}
			if !slices.Equal(got, tc.looks) {
				t.Errorf("looks: got %q, want %q", got, tc.looks)
			}
			if tc.tally != "" && d.Tallies[tc.tally] != 1 {
				t.Errorf("tallies: got %v, want one of %q", d.Tallies, tc.tally)
			}
		})
	}
}

// TestSieve_one_unreadable: a finding that cannot be read is kept, and the others of its message
// are hints all the same.
func TestSieve_one_unreadable(t *testing.T) {
	t.Parallel()
	s := newSieve("sqs", services.Watch(), []string{ours}, true)
	good := asff("security-control/EC2.13", "AwsEc2SecurityGroup", groupARN, "")
	for bad, body := range map[string]string{
		"no format":  imported(`{"Id":"x"}`, good),
		"no account": imported(good, strings.ReplaceAll(asff("security-control/EC2.13", "AwsEc2SecurityGroup", groupARN, ""), ours, "12")),
	} {
		d := s.sift([]Message{{ID: "m", Body: body}}, time.Unix(0, 0))
		if want := (Counts{Received: 1, Hinted: 1}); d.Counts != want || len(d.Events) != 1 || len(d.Kept) != 1 {
			t.Errorf("%s: got %+v, %d events, %d kept; want the hint, and what could not be read kept", bad, d.Counts, len(d.Events), len(d.Kept))
		}
	}
	d := s.sift([]Message{{ID: "m", Body: imported(`{"Id":"x"}`)}}, time.Unix(0, 0))
	if want := (Counts{Received: 1, Malformed: 1}); d.Counts != want || len(d.Kept) != 1 {
		t.Errorf("got %+v, %d kept; want it malformed and kept", d.Counts, len(d.Kept))
	}
}

// TestPosted_is_no_queue: what comes by the webhook tells nothing of the queue.
func TestPosted_is_no_queue(t *testing.T) {
	t.Parallel()
	s := newSieve("webhook", services.Watch(), []string{ours}, false)
	for _, body := range []string{imported(asff("security-control/EC2.13", "AwsEc2SecurityGroup", groupARN, "")), TestEvent("t-1"), `{"eventSource":"ec2.amazonaws.com","eventName":"RunInstances"}`} {
		if d := s.posted(Message{ID: "m", Body: body}, time.Unix(0, 0)); !slices.Equal(d.Kinds, []string{KindWebhook}) || len(d.Tests)+len(d.Raw) > 0 {
			t.Errorf("%.60s: got kinds %v, tests %v, %d records", body, d.Kinds, d.Tests, len(d.Raw))
		}
	}
}

// TestSieve_keeps_one_example: each finding without a control is counted, and one of each rule is
// kept a day.
func TestSieve_keeps_one_example(t *testing.T) {
	t.Parallel()
	s := newSieve("sqs", services.Watch(), []string{ours}, true)
	stream := func(n int) string {
		return asff("security-control/Kinesis.1", "AwsKinesisStream", fmt.Sprintf("arn:aws:kinesis:eu-west-1:%s:stream/s%d", ours, n), "")
	}
	d := s.sift([]Message{{ID: "m-1", Body: imported(stream(1), stream(2))}, {ID: "m-2", Body: imported(stream(3))}}, time.Unix(0, 0))
	ids := map[string]bool{}
	for _, k := range d.Kept {
		ids[k.ID] = true
	}
	if n := d.Tallies[UnmappedPrefix+"securityhub Kinesis.1"]; n != 3 || len(ids) != 1 || d.Counts.Unmapped != 2 {
		t.Errorf("got %d counted, kept under %v and %+v, want 3 counted and one kept", n, ids, d.Counts)
	}
	again := s.sift([]Message{{Body: imported(stream(4))}}, time.Unix(90_000, 0))
	if ids[again.Kept[0].ID] {
		t.Errorf("the example of the next day is kept under the same ID %q", again.Kept[0].ID)
	}
}

// TestSieve_doubled: a linked region and the one that aggregates both send a finding; what says
// something else of it later is another hint.
func TestSieve_doubled(t *testing.T) {
	t.Parallel()
	first := asff("security-control/EC2.13", "AwsEc2SecurityGroup", groupARN, "")
	linked := strings.Replace(first, "arn:aws:securityhub:eu-west-1", "arn:aws:securityhub:us-east-2", 1)
	later := strings.Replace(first, "2026-11-29T10", "2026-11-29T11", 1)
	d := newSieve("sqs", services.Watch(), []string{ours}, true).sift([]Message{{Body: imported(first)}, {Body: imported(linked)}, {Body: imported(later)}}, time.Unix(0, 0))
	if want := (Counts{Received: 3, Hinted: 2, Left: 1}); d.Counts != want || d.Tallies[LeftPrefix+"doubled"] != 1 {
		t.Errorf("got %+v and %v, want %+v", d.Counts, d.Tallies, want)
	}
}

// TestSieve_custom_action: it means now where only our rules can have sent it, and is not lost
// behind another event on the same resource.
func TestSieve_custom_action(t *testing.T) {
	t.Parallel()
	action := reported(cloudtrail.ActionKind, "aws.securityhub", `{"actionName":"Fix now","findings":[`+asff("security-control/EC2.13", "AwsEc2SecurityGroup", groupARN, `,"Note":{"UpdatedBy":"dera","UpdatedAt":"2026-11-30T00:00:00Z"}`)+`]}`)
	for _, authenticated := range []bool{true, false} {
		d := newSieve("sqs", services.Watch(), []string{ours}, authenticated).sift([]Message{{Body: action}, {Body: imported(asff("acme", "AwsEc2SecurityGroup", groupARN, ""))}}, time.Unix(0, 0))
		now := slices.DeleteFunc(slices.Clone(d.Events), func(e dera.Event) bool { return !e.Now })
		if len(now) == 1 != authenticated || d.Counts.Hinted != 2 {
			t.Errorf("authenticated %t: got %+v", authenticated, d.Events)
		}
		if authenticated && now[0].Name != "the custom action Fix now of Security Hub" {
			t.Errorf("got the name %q", now[0].Name)
		}
	}
}

// TestReports_of_organisation: a rule of an organisation sends compliance changes like any other.
func TestReports_of_organisation(t *testing.T) {
	t.Parallel()
	body := strings.Replace(compliance(ours, "AWS::EC2::SecurityGroup", "sg-1"), `"configRuleName":"any name"`, `"configRuleName":"OrgConfigRule-ssh-abc","configRuleARN":"arn:aws:config:eu-west-1:`+ours+`:config-rule/aws-service-rule/config-multiaccountsetup.amazonaws.com/config-rule-x"`, 1)
	if d := newSieve("sqs", services.Watch(), []string{ours}, true).sift([]Message{{Body: body}}, time.Unix(0, 0)); d.Counts.Hinted != 1 {
		t.Errorf("got %+v", d.Counts)
	}
}

// FuzzReports: whatever comes, each message is counted once, and no look leaves our accounts.
func FuzzReports(f *testing.F) {
	f.Add(imported(asff("security-control/EC2.13", "AwsEc2SecurityGroup", groupARN, "")))
	f.Add(ocsf("EC2.13", groupARN, "dera: x"))
	f.Add(threat("Policy:S3/X", `{"s3BucketDetails":[{"arn":"arn:aws:s3:::files"}]}`, ""))
	f.Add(reported(cloudtrail.ItemKind, "aws.config", `{"configurationItem":{"awsAccountId":"`+ours+`"}}`))
	f.Add(reported(cloudtrail.ActionKind, "aws.securityhub", `{"findings":[{"AwsAccountId":"`+ours+`"}]}`))
	watch := services.Watch()
	f.Fuzz(func(t *testing.T, body string) {
		d := newSieve("sqs", watch, []string{ours}, true).sift([]Message{{Body: body}}, time.Unix(0, 0))
		c := d.Counts
		if c.Irrelevant+c.Failed+c.Foreign+c.Malformed+c.Hinted+c.Unmapped+c.Left+c.Test != 1 {
			t.Errorf("got %+v, want one", c)
		}
		for _, e := range d.Events {
			if e.Scope.Account != ours || e.Scope.Type == "" {
				t.Errorf("got the look %+v", e.Scope)
			}
		}
		if _, err := json.Marshal(d.Events); err != nil {
			t.Error(err)
		}
		_, _ = cloudtrail.DecodeFinding([]byte(body)) // it must not break
	})
}
