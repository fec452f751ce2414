package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// TestExplain: what the SDK says, and the line that dera writes instead.
func TestExplain(t *testing.T) {
	t.Parallel()
	operation := func(service, name string, err error) error {
		return &smithy.OperationError{ServiceID: service, OperationName: name, Err: err}
	}
	answer := func(status int, code, message string) error {
		return &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: &smithy.GenericAPIError{Code: code, Message: message},
		}
	}
	credentials := func(text string) error {
		return operation("STS", "GetCallerIdentity", errors.New("get identity: get credentials: failed to refresh cached credentials, "+text))
	}
	sent := func(err error) error {
		return operation("EC2", "DescribeVpcs", fmt.Errorf("https response error StatusCode: 0, RequestID: , %w",
			&smithyhttp.RequestSendError{Err: &url.Error{Op: "Post", URL: "https://ec2.eu-west-1.amazonaws.com/?secret=x", Err: err}}))
	}
	own, denied := "sts:GetCallerIdentity", "User: arn:aws:sts::111122223333:assumed-role/dera/s is not authorized to perform: %s on resource: %s because no identity-based policy allows it"
	tests := []struct {
		name, call string
		err        error
		want       []string
	}{
		{"no_credentials", own, credentials("no EC2 IMDS role found, operation error ec2imds: GetMetadata, access disabled"),
			[]string{"no AWS credentials were found; dera tried the environment (AWS_ACCESS_KEY_ID), the shared files ", "(profile team), SSO, and the role of the container or instance. ", "aws sso login --profile team", "--profile NAME"}},
		{"sso_expired", own, credentials("the SSO session has expired or is invalid: expired"), []string{"the SSO session of profile team has expired, or there was none. Sign in with: aws sso login --profile team"}},
		{"sso_never_begun", own, credentials("failed to read cached SSO token file, open x: no such file"), []string{"the SSO session of profile team has expired, or there was none. "}},
		{"credential_process", own, credentials("process provider error: error in credential_process: exit status 1"), []string{"the credential_process of profile team failed. "}},
		{"expired", "ec2:DescribeVpcs", operation("EC2", "DescribeVpcs", answer(400, "ExpiredToken", "The security token included in the request is expired")), []string{"the AWS credentials have expired (ExpiredToken). Sign in again with: aws sso login"}},
		{"clock", own, operation("STS", "GetCallerIdentity", answer(400, "RequestExpired", "x")), []string{"Set the clock"}},
		{"unknown_key", own, operation("STS", "GetCallerIdentity", answer(403, "InvalidClientTokenId", "The security token is invalid")), []string{"AWS does not accept the credentials (InvalidClientTokenId). The access key is unknown"}},
		{"signature", own, operation("STS", "GetCallerIdentity", answer(403, "SignatureDoesNotMatch", "x")), []string{"Check the secret access key and the clock"}},
		{"role_not_assumed", own, operation("STS", "GetCallerIdentity", fmt.Errorf("get identity: get credentials: %w",
			operation("STS", "AssumeRole", answer(403, "AccessDenied", fmt.Sprintf(denied, "sts:AssumeRole", "arn:aws:iam::444455556666:role/r"))))),
			[]string{"arn:aws:sts::111122223333:assumed-role/dera/s may not assume arn:aws:iam::444455556666:role/r. Allow sts:AssumeRole in the trust policy", "external_id"}},
		{"denied_read", "ec2:DescribeVpcs", operation("EC2", "DescribeVpcs", answer(403, "UnauthorizedOperation", fmt.Sprintf(denied, "ec2:DescribeVpcs", "*"))),
			[]string{"arn:aws:sts::111122223333:assumed-role/dera/s lacks the permission ec2:DescribeVpcs in account 111122223333, eu-west-1. ", "dera role --kind reader prints the policy", "(UnauthorizedOperation)"}},
		{"denied_write_without_a_name", "s3:PutBucketPolicy", operation("S3", "PutBucketPolicy", answer(403, "AccessDenied", "Access Denied")),
			[]string{"the role of dera in account 111122223333 lacks the permission s3:PutBucketPolicy", "dera role --kind remediator prints the policy"}},
		{"server_error_unread", "ec2:GetEbsDefaultKmsKeyId", operation("EC2", "GetEbsDefaultKmsKeyId", &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 500}}, Err: errors.New("XML syntax error on line 2")}),
			[]string{"ec2:GetEbsDefaultKmsKeyId in account 111122223333, eu-west-1 failed: AWS answered with status 500 and no error that can be read. ", "run the command again later"}},
		{"throttled", "ec2:DescribeVpcs", operation("EC2", "DescribeVpcs", answer(503, "RequestLimitExceeded", "Request limit exceeded.")),
			[]string{"ec2:DescribeVpcs in account 111122223333, eu-west-1 was throttled. ", "run the command again later"}},
		{"no_region_is_off", "ec2:DescribeVpcs", operation("EC2", "DescribeVpcs", answer(401, "AuthFailure", "AWS was not able to validate the provided access credentials")),
			[]string{"AWS does not accept the credentials (AuthFailure). The access key is unknown"}},
		{"region_is_off", "ec2:DescribeVpcs", operation("EC2", "DescribeVpcs", answer(403, "OptInRequired", "x")),
			[]string{"region eu-west-1 is not enabled in account 111122223333 (OptInRequired). ", "remove it from regions or --region"}},
		{"no_region", "ec2:DescribeVpcs", operation("EC2", "DescribeVpcs", fmt.Errorf("failed to resolve endpoint: %w", &aws.MissingRegionError{})),
			[]string{"has no region. Name one with --region or AWS_REGION"}},
		{"wrong_account", "ec2:DescribeVpcs", operation("EC2", "DescribeVpcs", fmt.Errorf("get identity: get credentials: %w", &AccountError{"111122223333", "444455556666", "wrong account: the credentials of dera itself belong to", "set role_arn"})),
			[]string{"wrong account: the credentials of dera itself belong to: account 444455556666, expected account 111122223333; set role_arn"}},
		{"refused", "ec2:DescribeVpcs", sent(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}), []string{"the endpoint https://ec2.eu-west-1.amazonaws.com is not reachable: connection refused. Check the network, the proxy"}},
		{"no_address", "ec2:DescribeVpcs", sent(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Name: "ec2.eu-west-1.amazonaws.com", Err: "no such host", IsNotFound: true}}), []string{"no address is known for ec2.eu-west-1.amazonaws.com"}},
		{"no_answer", "ec2:DescribeVpcs", operation("EC2", "DescribeVpcs", context.DeadlineExceeded), []string{"ec2:DescribeVpcs in account 111122223333, eu-west-1 was not answered in time. "}},
		{"interrupted", "ec2:DescribeVpcs", operation("EC2", "DescribeVpcs", context.Canceled), []string{"was interrupted"}},
		{"of_the_sdk", "ec2:DescribeVpcs", operation("EC2", "DescribeVpcs", errors.New("deserialization failed")), []string{"error: deserialization failed. --log-level debug shows"}},
		{"of_the_service", "ec2:DescribeVpcs", operation("EC2", "DescribeVpcs", answer(400, "InvalidParameterValue", "Value is bad")), []string{"ec2:DescribeVpcs (account 111122223333, eu-west-1): error: InvalidParameterValue: Value is bad"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := wrap("111122223333", "eu-west-1", tt.call, tt.err)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %T, want an *Error", err)
			}
			if tt.call == own {
				e.tried = sources{profile: "team", files: []string{"/c", "/k"}}
			}
			got := Explain(fmt.Errorf("look around: %w", err))
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("got %q, want %q in it", got, want)
				}
			}
			if !strings.HasPrefix(got, "look around: ") {
				t.Errorf("got %q, want what was being done first", got)
			}
			for _, never := range []string{"\n", "operation error", "https response error", "get identity", "IMDS", "secret="} {
				if strings.Contains(got, never) || strings.Contains(err.Error(), never) {
					t.Errorf("got %q (%v), want it without %q", got, err, never)
				}
			}
			if text := Detail(err); text != e.Err.Error() {
				t.Errorf("the SDK's words: got %q", text)
			}
		})
	}
	if got := Explain(errors.New("nothing of AWS")); got != "nothing of AWS" {
		t.Errorf("got %q, want another error as it is", got)
	}
}
