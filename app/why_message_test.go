package app_test

import (
	"errors"
	"strings"
	"testing"

	"dera.example/dera/app"
)

// TestReadDenial: messages as AWS, its command line and its SDKs print them.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func TestReadDenial(t *testing.T) {
	t.Parallel()
	const identity, user = "identity-based policy", "arn:aws:iam::123456789012:user/JohnDoe"
	want := func(principal, action, resource, policy string, explicit bool) app.DeniedCall {
		return app.DeniedCall{Principal: principal, Action: action, Resource: resource, Policy: policy, Explicit: explicit, Authorization: true}
	}
	tests := []struct {
		name, text string
		want       app.DeniedCall
		wrong      string // in the error
	}{
		{"user_guide_identity", "User: " + user + " is not authorized to perform: codecommit:ListRepositories because no identity-based policy allows the codecommit:ListRepositories action", want(user, "codecommit:ListRepositories", "", identity, false), ""},
		{"user_guide_scp", "User: " + user + " is not authorized to perform: codecommit:ListRepositories with an explicit deny in a service control policy", want(user, "codecommit:ListRepositories", "", "service control policy", true), ""},
		{"user_guide_resource", "User: arn:aws:iam::777788889999:user/MaryMajor is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:us-east-1:123456789012:secret:* because no resource-based policy allows the secretsmanager:GetSecretValue action",
			want("arn:aws:iam::777788889999:user/MaryMajor", "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:123456789012:secret:*", "resource-based policy", false), ""},
		{"user_guide_boundary", "User: " + user + " is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/x with an explicit deny in a permissions boundary", want(user, "iam:CreateRole", "arn:aws:iam::123456789012:role/x", "permissions boundary", true), ""},
		{"with_the_arn_of_the_policy", "User: " + user + " is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::b/k\" with an explicit deny in a service control policy: arn:aws:organizations::777788889999:policy/o-1/service_control_policy/p-1",
			want(user, "s3:GetObject", "arn:aws:s3:::b/k", "service control policy", true), ""},
		{"command_line", "\nAn error occurred (AccessDenied) when calling the GetObject operation: " + `User: arn:aws:sts::123456789012:assumed-role/app/i-0 is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/a key" because no identity-based policy allows the s3:GetObject action` + "\n",
			want("arn:aws:sts::123456789012:assumed-role/app/i-0", "s3:GetObject", "", identity, false), ""}, // a key with a space: where it ends is not clear
		{"go", "operation error SQS: SendMessage, https response error StatusCode: 403, RequestID: 0, api error AccessDenied: User: " + user + " is not authorized to perform: sqs:sendmessage on resource: arn:aws:sqs:eu-west-1:123456789012:q because no identity-based policy allows the sqs:sendmessage action",
			want(user, "sqs:sendmessage", "arn:aws:sqs:eu-west-1:123456789012:q", identity, false), ""},
		{"go_1", "AccessDenied: User: " + user + " is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/x\n\tstatus code: 403, request id: 0", want(user, "sts:AssumeRole", "arn:aws:iam::123456789012:role/x", "", false), ""},
		{"java", "software.amazon.awssdk.services.iam.model.IamException: User: " + user + " is not authorized to perform: iam:GetRole on resource: role x because no identity-based policy allows the iam:GetRole action (Service: Iam, Status Code: 403, Request ID: 0)",
			want(user, "iam:GetRole", "", identity, false), ""},
		{"boto3_dynamodb", "botocore.exceptions.ClientError: An error occurred (AccessDeniedException) when calling the PutItem operation: User: " + user + " is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:eu-west-1:123456789012:table/t because no identity-based policy allows the dynamodb:PutItem action",
			want(user, "dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:123456789012:table/t", identity, false), ""},
		{"ec2_with_a_reason", "An error occurred (UnauthorizedOperation) when calling the RunInstances operation: You are not authorized to perform this operation. User: " + user + " is not authorized to perform: ec2:RunInstances on resource: arn:aws:ec2:us-east-1:123456789012:instance/* because no identity-based policy allows the ec2:RunInstances action. Encoded authorization failure message: 3Qx9",
			want(user, "ec2:RunInstances", "arn:aws:ec2:us-east-1:123456789012:instance/*", identity, false), ""},
		{"recorded_kms", "User: arn:aws:sts::644160558196:assumed-role/custodian-readonly/botocore-session-1621534440 is not authorized to perform: kms:DescribeKey on resource: arn:aws:kms:us-west-1:644160558196:key/d01ee9b3-ce85-4622-8e1c-ce85b8cdc89d",
			want("arn:aws:sts::644160558196:assumed-role/custodian-readonly/botocore-session-1621534440", "kms:DescribeKey", "arn:aws:kms:us-west-1:644160558196:key/d01ee9b3-ce85-4622-8e1c-ce85b8cdc89d", "", false), ""},
		{"recorded_organizations", "User: arn:aws:sts::111122223333:assumed-role/SampleRole/SampleSession is not authorized to perform: organizations:LeaveOrganization on resource: * because no identity-based policy allows the organizations:LeaveOrganization action",
			want("arn:aws:sts::111122223333:assumed-role/SampleRole/SampleSession", "organizations:LeaveOrganization", "*", identity, false), ""},
		{"recorded_session_with_an_at", "User: arn:aws:sts::644160558196:assumed-role/AWSReservedSSO_AWSAdministratorAccess_39201616215f5da0/aj@stacklet.io is not authorized to perform: kms:ListKeyRotations on resource: arn:aws:kms:us-east-1:644160558196:key/e95331d7-c3c3-403c-bad5-917d6ab53d5d because no resource-based policy allows the kms:ListKeyRotations action",
			want("arn:aws:sts::644160558196:assumed-role/AWSReservedSSO_AWSAdministratorAccess_39201616215f5da0/aj@stacklet.io", "kms:ListKeyRotations", "arn:aws:kms:us-east-1:644160558196:key/e95331d7-c3c3-403c-bad5-917d6ab53d5d", "resource-based policy", false), ""},
		{"no_reason", "User: " + user + " is not authorized to perform: s3:ListAllMyBuckets", want(user, "s3:ListAllMyBuckets", "", "", false), ""},
		{"a_key_that_looks_like_a_reason", `User: ` + user + ` is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/x because no identity-based policy allows the s3:GetObject action" with an explicit deny in a resource-based policy`,
			want(user, "s3:GetObject", "", "resource-based policy", true), ""},
		{"anonymous", `User: anonymous is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" because no resource-based policy allows the s3:GetObject action`, want("anonymous", "s3:GetObject", "arn:aws:s3:::b/k", "resource-based policy", false), ""},
		{"ec2_encoded", "An error occurred (UnauthorizedOperation) when calling the StopInstances operation: You are not authorized to perform this operation. Encoded authorization failure message: 6h34GtpmGjJJUm946eDVBfzWQJk6z5GePbbGDs9Z2T8xZj9EZtEduSnTbmrR7pMqpJrVYJCew2m8YBZQf4HRWEtrpncANrZMsnzk", app.DeniedCall{}, "encoded authorization message"},
		{"decoded", `{"allowed":false,"explicitDeny":false,"matchedStatements":{"items":[]},"failures":{"items":[]},"context":{"principal":{"id":"AIDACKCEVSQ6C2EXAMPLE","name":"Bob","arn":"arn:aws:iam::123456789012:user/Bob"},"action":"ec2:StopInstances","resource":"arn:aws:ec2:us-east-1:123456789012:instance/i-dd01c9bd","conditions":{"items":[{"key":"ec2:Tenancy","values":{"items":[{"value":"default"}]}}]}}}`,
			want("arn:aws:iam::123456789012:user/Bob", "ec2:StopInstances", "arn:aws:ec2:us-east-1:123456789012:instance/i-dd01c9bd", "", false), ""},
		{"decoded_as_the_command_line_prints_it", `{"DecodedMessage":"{\"allowed\":false,\"explicitDeny\":true,\"context\":{\"principal\":{\"arn\":\"arn:aws:iam::123456789012:user/Bob\"},\"action\":\"ec2:StopInstances\",\"resource\":\"arn:aws:ec2:us-east-1:123456789012:instance/i-1\"}}"}`,
			want("arn:aws:iam::123456789012:user/Bob", "ec2:StopInstances", "arn:aws:ec2:us-east-1:123456789012:instance/i-1", "", true), ""},
		{"decoded_and_allowed", `{"allowed":true,"context":{"principal":{"arn":"arn:aws:iam::123456789012:user/Bob"},"action":"ec2:StopInstances"}}`, app.DeniedCall{}, "was allowed"},
		{"other_json", `{"error":"denied"}`, app.DeniedCall{}, "no decoded authorization message"},
		{"cut_off_json", `{"allowed":`, app.DeniedCall{}, "read the decoded"},
		{"bare_s3", "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied", app.DeniedCall{}, "give --principal, --action and --resource"},
		{"invalid_key", "An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity operation: The security token included in the request is invalid.", app.DeniedCall{}, "no denial that dera understands"},
		{"nothing", "", app.DeniedCall{}, "no denial that dera understands"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := app.ReadDenial(tt.text)
			if got != tt.want || (err != nil) != (tt.wrong != "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("got %+v, %v; want %+v, %q", got, err, tt.want, tt.wrong)
			}
			var encoded *app.EncodedError
			if errors.As(err, &encoded) && (tt.name != "ec2_encoded" || !strings.HasPrefix(encoded.Message, "6h34") || strings.Contains(err.Error(), "6h34")) {
				t.Errorf("encoded: got %q in %v", encoded.Message, err)
			}
		})
	}
}

// FuzzReadDenial: whatever is pasted, what comes of it is a call that can be asked about, or
// an error.
func FuzzReadDenial(f *testing.F) {
	f.Add("User: arn:aws:iam::123456789012:user/x is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::b/k\" because no identity-based policy allows the s3:GetObject action")
	f.Add(`{"allowed":false,"context":{"principal":{"arn":"a"},"action":"b"}}`)
	f.Add("Encoded authorization failure message: x")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := app.ReadDenial(text)
		if err == nil && (c.Principal == "" || c.Action == "") {
			t.Errorf("%q: got %+v without an error", text, c)
		}
	})
}
