package services_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/cloudtrail"
	"dera.example/dera/control/controltest"
	"dera.example/dera/services"
)

// attack is a changing event of a technique, written by hand after what Stratus Red Team
// documents (Apache-2.0; DataDog/stratus-red-team), or after the shape of AWS's own example.
type attack struct {
	technique, source, call  string
	request, response, extra string // JSON; empty is null
	// names is the ID that the hint has to have; "*" is any, or a sweep.
	names string
	// answers is the control that finds what the event leaves, as far as dera can tell; it can
	// be one that does not exist yet.
	answers string
}

func attacks() []attack {
	return []attack{
		{"defense-evasion.cloudtrail-delete", "cloudtrail", "DeleteTrail", `{"name":"main"}`, "", "", "*", "cloudtrail-account-no-trail"},
		{"defense-evasion.cloudtrail-event-selectors", "cloudtrail", "PutEventSelectors", `{"trailName":"main","eventSelectors":[{"readWriteType":"ReadOnly","includeManagementEvents":false}]}`, "", "", "*", "cloudtrail-trail-events-narrowed"},
		{"defense-evasion.cloudtrail-lifecycle-rule", "s3", "PutBucketLifecycle", `{"bucketName":"trail-logs","lifecycle":""}`, "", "", "*", "cloudtrail-trail-logs-expire-early"},
		{"defense-evasion.cloudtrail-stop", "cloudtrail", "StopLogging", `{"name":"arn:aws:cloudtrail:us-east-1:111122223333:trail/main"}`, "", "", "*", "cloudtrail-trail-logging-stopped"},
		{"defense-evasion.dns-delete-logs", "route53resolver", "DeleteResolverQueryLogConfig", `{"resolverQueryLogConfigId":"rqlc-1"}`, "", "", "", ""},
		{"defense-evasion.organizations-leave", "organizations", "LeaveOrganization", "", "", "", "*", "organizations-account-left"},
		{"defense-evasion.vpc-remove-flow-logs", "ec2", "DeleteFlowLogs", `{"DeleteFlowLogsRequest":{"FlowLogId":{"tag":1,"content":"fl-1"}}}`, "", "", "*", "ec2-vpc-no-flow-logs"},
		{"execution.ec2-launch-unusual-instances", "ec2", "RunInstances", `{"instanceType":"p2.xlarge","instancesSet":{"items":[{"imageId":"ami-1"}]}}`, `{"instancesSet":{"items":[{"instanceId":"i-0123456789abcdef0"}]}}`, "", "*", "ec2-instance-imdsv1-allowed"},
		{"execution.ec2-user-data", "ec2", "ModifyInstanceAttribute", `{"instanceId":"i-0123456789abcdef0","userData":"<sensitiveDataRemoved>"}`, "", "", "*", ""},
		{"execution.sagemaker-update-lifecycle-config", "sagemaker", "UpdateNotebookInstance", `{"notebookInstanceName":"n","lifecycleConfigName":"l"}`, "", "", "", ""},
		{"exfiltration.ec2-security-group-open-port-22-ingress", "ec2", "AuthorizeSecurityGroupIngress", `{"groupId":"sg-003dc7f1f1c686164","cidrIp":"0.0.0.0/0","fromPort":22,"toPort":22,"ipProtocol":"tcp","ipPermissions":{}}`, "", "", "sg-003dc7f1f1c686164", "ec2-securitygroup-admin-ports-open"},
		{"exfiltration.ec2-share-ami", "ec2", "ModifyImageAttribute", `{"imageId":"ami-0123456789abcdef0","launchPermission":{"add":{"items":[{"userId":"012345678912"}]}},"attributeType":"launchPermission"}`, "", "", "*", "ec2-image-external-access"},
		{"exfiltration.ec2-share-ebs-snapshot", "ec2", "ModifySnapshotAttribute", `{"attributeType":"CREATE_VOLUME_PERMISSION","createVolumePermission":{"add":{"items":[{"userId":"012345678912"}]}},"snapshotId":"snap-041993b54a9b3af6f"}`, "", "", "*", "ec2-snapshot-external-access"},
		{"exfiltration.rds-share-snapshot", "rds", "ModifyDBSnapshotAttribute", `{"dBSnapshotIdentifier":"exfiltration","attributeName":"restore","valuesToAdd":["012345678912"]}`, "", "", "*", "rds-snapshot-external-access"},
		{"exfiltration.s3-backdoor-bucket-policy", "s3", "PutBucketPolicy", `{"bucketName":"files","bucketPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::193672423079:root"},"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::files/*"]}]}}`, "", "", "files", "s3-bucket-external-access"},
		{"impact.bedrock-invoke-model", "bedrock", "PutFoundationModelEntitlement", `{"modelId":"anthropic.m"}`, "", "", "", ""},
		{"impact.ec2-deregister-ami", "ec2", "DeregisterImage", `{"imageId":"ami-0123456789abcdef0"}`, "", "", "*", ""},
		{"initial-access.console-login-without-mfa", "signin", "ConsoleLogin", "", `{"ConsoleLogin":"Success"}`, `"additionalEventData":{"MFAUsed":"No","LoginTo":"https://console.aws.amazon.com/"}`, "ann", "iam-signin-no-mfa"},
		{"lateral-movement.ec2-serial-console-send-ssh-public-key", "ec2", "EnableSerialConsoleAccess", `{"EnableSerialConsoleAccessRequest":""}`, "", "", "*", "ec2-serialconsole-on"},
		{"persistence.iam-backdoor-role", "iam", "UpdateAssumeRolePolicy", `{"roleName":"backdoored","policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::193672423079:root\"},\"Action\":\"sts:AssumeRole\"}]}"}`, "", "", "backdoored", "iam-role-external-trust"},
		{"persistence.iam-backdoor-user", "iam", "CreateAccessKey", `{"userName":"ann"}`, `{"accessKey":{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","status":"Active","userName":"ann"}}`, "", "ann#AKIAIOSFODNN7EXAMPLE", "iam-accesskey-second"},
		{"persistence.iam-create-admin-user", "iam", "CreateUser", `{"userName":"malicious-iam-user"}`, "", "", "malicious-iam-user", "iam-user-direct-policies"},
		{"persistence.iam-create-admin-user", "iam", "AttachUserPolicy", `{"userName":"malicious-iam-user","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`, "", "", "malicious-iam-user", "iam-user-administrator"},
		{"persistence.iam-create-backdoor-role", "iam", "CreateRole", `{"roleName":"backdoor","assumeRolePolicyDocument":"{}"}`, "", "", "backdoor", "iam-role-external-trust"},
		{"persistence.iam-create-backdoor-role", "iam", "AttachRolePolicy", `{"roleName":"backdoor","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`, "", "", "backdoor", "iam-role-administrator"},
		{"persistence.iam-create-user-login-profile", "iam", "CreateLoginProfile", `{"userName":"ann"}`, "", "", "ann#password", "iam-loginprofile-no-mfa"},
		{"persistence.lambda-backdoor-function", "lambda", "AddPermission20150331v2", `{"functionName":"f","statementId":"backdoor","principal":"*","action":"lambda:InvokeFunction"}`, "", "", "f", "lambda-function-public-policy"},
		{"persistence.lambda-layer-extension", "lambda", "UpdateFunctionConfiguration20150331v2", `{"functionName":"f","layers":["arn:aws:lambda:us-east-1:111122223333:layer:x:1"]}`, "", "", "f", "lambda-change-first-time-actor"},
		{"persistence.lambda-overwrite-code", "lambda", "UpdateFunctionCode20150331v2", `{"functionName":"f","publish":true}`, `{"codeSha256":"x"}`, "", "f", "lambda-change-first-time-actor"},
		{"persistence.rolesanywhere-create-trust-anchor", "rolesanywhere", "CreateTrustAnchor", `{"name":"malicious","enabled":true}`, `{"trustAnchor":{"trustAnchorId":"0b9b8cf9-1c21-4b45-93c0-1f9c9e0e7f5d"}}`, "", "0b9b8cf9-1c21-4b45-93c0-1f9c9e0e7f5d", "rolesanywhere-trustanchor-enabled"},
		{"persistence.rolesanywhere-create-trust-anchor", "rolesanywhere", "CreateProfile", `{"name":"malicious","enabled":true}`, `{"profile":{"profileId":"7c1a4f0e-6a38-4f1c-8a40-0d7c1b2f3e4a"}}`, "", "7c1a4f0e-6a38-4f1c-8a40-0d7c1b2f3e4a", "rolesanywhere-profile-enabled"},
		{"persistence.sts-federation-token", "sts", "GetFederationToken", `{"name":"x"}`, "", "", "", ""},
		{"privilege-escalation.iam-update-user-login-profile", "iam", "UpdateLoginProfile", `{"userName":"ann"}`, "", "", "ann#password", "iam-loginprofile-no-mfa"},

		{"policy of a Multi-Region Access Point", "s3", "PutMultiRegionAccessPointPolicy", `{"PutMultiRegionAccessPointPolicyRequest":{"Details":{"Name":"door"}}}`, "", "", "*", "s3-bucket-access-point-public"},
		{"policy of an access point", "s3", "PutAccessPointPolicy", `{"name":"door"}`, "", "", "*", "s3-bucket-access-point-public"},
		{"grant to everybody", "s3", "PutBucketAcl", `{"bucketName":"files"}`, "", "", "files", "s3-bucket-public-acl"},
		{"block taken away", "s3", "DeleteBucketPublicAccessBlock", `{"bucketName":"files"}`, "", "", "files", "s3-bucket-access-block"},
		{"block of the account taken away", "s3", "DeleteAccountPublicAccessBlock", "", "", "", "*", "s3-account-access-block"},
		{"second factor taken away", "iam", "DeactivateMFADevice", `{"userName":"ann","serialNumber":"arn:aws:iam::111122223333:mfa/ann"}`, "", "", "ann#password", "iam-loginprofile-no-mfa"},
		{"password policy taken away", "iam", "DeleteAccountPasswordPolicy", "", "", "", "*", "iam-passwordpolicy-weak"},
		{"new version of a policy", "iam", "CreatePolicyVersion", `{"policyArn":"arn:aws:iam::111122223333:policy/p","setAsDefault":true}`, "", "", "p", "iam-policy-administrator"},
		{"policy of a user", "iam", "PutUserPolicy", `{"userName":"ann","policyName":"p","policyDocument":"{}"}`, "", "", "ann", "iam-user-administrator"},
		{"policy of a role", "iam", "PutRolePolicy", `{"roleName":"r","policyName":"p","policyDocument":"{}"}`, "", "", "r", "iam-role-administrator"},
		{"member of a group", "iam", "AddUserToGroup", `{"userName":"ann","groupName":"admins"}`, "", "", "ann", "iam-user-administrator"},
		{"key to be deleted", "kms", "ScheduleKeyDeletion", `{"keyId":"arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}`, "", "", "1234abcd-12ab-34cd-56ef-1234567890ab", "kms-key-pending-deletion"},
		{"policy of a key", "kms", "PutKeyPolicy", `{"keyId":"1234abcd-12ab-34cd-56ef-1234567890ab"}`, "", "", "1234abcd-12ab-34cd-56ef-1234567890ab", "kms-key-external-access"},
		{"policy of a secret", "secretsmanager", "PutResourcePolicy", `{"secretId":"arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf"}`, "", "", "*", "secretsmanager-secret-public-policy"},
		{"policy of a queue", "sqs", "AddPermission", `{"queueUrl":"https://sqs.us-east-1.amazonaws.com/111122223333/q"}`, "", "", "q", "sqs-queue-external-access"},
		{"policy of a repository", "ecr", "SetRepositoryPolicy", `{"repositoryName":"r"}`, "", "", "r", "ecr-repository-external-access"},
		{"encryption switched off", "ec2", "DisableEbsEncryptionByDefault", "", "", "", "*", "ec2-ebs-default-encryption-off"},
		{"database made public", "rds", "ModifyDBInstance", `{"dBInstanceIdentifier":"db","publiclyAccessible":true}`, "", "", "db", "rds-instance-public"},
		{"recorder stopped", "config", "StopConfigurationRecorder", `{"configurationRecorderName":"default"}`, "", "", "*", "config-recorder-stopped"},
		{"detector deleted", "guardduty", "DeleteDetector", `{"detectorId":"12abc34d567e8fa901bc2d34e56789f0"}`, "", "", "*", "guardduty-detector-missing"},
		{"network ACL opened", "ec2", "CreateNetworkAclEntry", `{"networkAclId":"acl-1","ruleNumber":1,"egress":false,"ruleAction":"allow","cidrBlock":"0.0.0.0/0"}`, "", "", "*", "ec2-networkacl-admin-ports-open"},
	}
}

// event is the record that CloudTrail writes of the attack.
func (a attack) event() []byte {
	extra := a.extra
	if extra != "" {
		extra += ","
	}
	text := func(s string) string {
		if s == "" {
			return "null"
		}
		return s
	}
	kind := "AwsApiCall"
	if a.source == "signin" {
		kind = "AwsConsoleSignIn"
	}
	return []byte(fmt.Sprintf(`{"eventVersion":"1.09","eventID":"0b9b8cf9-1c21-4b45-93c0-1f9c9e0e7f5d","eventType":%q,"eventTime":"2026-11-30T01:00:00Z","awsRegion":"us-east-1",
"recipientAccountId":"111122223333","readOnly":false,"sourceIPAddress":"192.0.2.7","userAgent":"x","eventSource":"%s.amazonaws.com","eventName":%q,%s
"userIdentity":{"type":"IAMUser","userName":"ann","accountId":"111122223333","arn":"arn:aws:iam::111122223333:user/ann","principalId":"AIDACKCEVSQ6C2EXAMPLE"},
"requestParameters":%s,"responseElements":%s}`, kind, a.source, a.call, extra, text(a.request), text(a.response)))
}

// TestAttacks: the table of which changing event of an attack leads to which resource type,
// and which control of it finds what the event leaves. After a new type or control: go test
// ./services -update. What nothing answers is in the table too.
func TestAttacks(t *testing.T) {
	t.Parallel()
	watch := services.Watch()
	var table bytes.Buffer
	answered := 0
	for _, a := range attacks() {
		raw := a.event()
		r, err := cloudtrail.Decode(raw)
		if err != nil {
			t.Fatalf("%s: %v", a.technique, err)
		}
		hints := watch.Hints(r)
		var looks []string
		by := "-"
		for _, h := range hints {
			id := "*"
			if !h.Sweep() {
				id = h.IDs[0]
			}
			looks = append(looks, h.Type+" "+id)
			c, err := services.FindControl(a.answers)
			if err != nil || c.Type != h.Type {
				continue
			}
			if by = c.ID; a.names != "*" && id != a.names {
				t.Errorf("%s, %s: looks at %s of %s, want %s", a.technique, a.call, id, h.Type, a.names)
			}
		}
		if len(hints) > 0 && !watch.Triage(raw) {
			t.Errorf("%s, %s: triage throws it away", a.technique, a.call)
		}
		if by != "-" {
			answered++
		} else if _, err := services.FindControl(a.answers); err == nil {
			t.Errorf("%s, %s: %s would find it, but the event leads to %v", a.technique, a.call, a.answers, looks)
		}
		failed := r
		if failed.ErrorCode = "AccessDenied"; len(watch.Hints(failed)) > 0 {
			t.Errorf("%s, %s: got a hint of a denied call", a.technique, a.call)
		}
		fmt.Fprintf(&table, "%-55s %s:%s\n    looks at  %s\n    answer    %s\n", a.technique, a.source, a.call, strings.Join(append(looks, "nothing")[:max(len(looks), 1)], ", "), by)
	}
	fmt.Fprintf(&table, "\n%d of %d events are answered\n", answered, len(attacks()))
	path := filepath.Join("testdata", "attacks.golden")
	if controltest.Update() {
		if err := os.WriteFile(path, table.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || !bytes.Equal(want, table.Bytes()) {
		t.Errorf("the table is not what %s holds (%v): run go test ./services -update\n%s", path, err, table.String())
	}
	if answered < 28 {
		t.Errorf("%d events are answered: that is fewer than there were", answered)
	}
}

// TestExtraAttacks prints the same of the recorded attacks: what succeeded, changed something,
// and leads nowhere is listed.
func TestExtraAttacks(t *testing.T) {
	t.Parallel()
	data := os.Getenv("DERA_EXTRA_DATA")
	if data == "" {
		t.Skip("DERA_EXTRA_DATA names no folder of real data")
	}
	files, err := filepath.Glob(filepath.Join(data, "stratus", "normalised", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got files %v, %v", files, err)
	}
	watch := services.Watch()
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var events []json.RawMessage
		if err := json.Unmarshal(text, &events); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, raw := range events {
			r, err := cloudtrail.Decode(raw)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			hints := watch.Hints(r)
			if (r.Failed() || r.ReadOnly) && len(hints) > 0 {
				t.Errorf("%s: %s changed nothing and leads to %v", path, r.Name, hints)
			}
			if r.Failed() || r.ReadOnly {
				continue
			}
			var looks []string
			for _, h := range hints {
				looks = append(looks, h.Type+" "+strings.Join(h.IDs, ","))
			}
			t.Logf("%-60s %-35s %s", strings.TrimSuffix(filepath.Base(path), ".json"), r.Name, strings.Join(looks, ", "))
			known := slices.ContainsFunc(attacks(), func(a attack) bool { return a.source+".amazonaws.com" == r.Source && a.call == r.Name })
			if !known {
				t.Errorf("%s: %s %s is a changing event that the table does not have", path, r.Source, r.Name)
			}
		}
	}
}
