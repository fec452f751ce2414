package aws

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"dera.example/dera/services/ec2/securitygroup"

	"dera.example/dera/awssim"
	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
)

func static(c awssim.Credentials) awssdk.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
}

func TestErrorsAreClassified(t *testing.T) {
	t.Parallel()
	tests := []struct {
		code   string
		status int
		want   Problem
	}{
		{"UnauthorizedOperation", 403, Denied}, {"Client.UnauthorizedOperation", 403, Denied}, {"AccessDenied", 403, Denied},
		{"AccessDeniedException", 400, Denied}, {"NotAuthorized", 400, Denied}, {"", 403, Denied}, {"SomethingNew", 403, Denied},
		{"RequestLimitExceeded", 503, Throttled}, {"Throttling", 400, Throttled}, {"ThrottlingException", 400, Throttled},
		{"RequestThrottled", 400, Throttled}, {"RequestThrottledException", 400, Throttled}, {"SlowDown", 503, Throttled},
		{"TooManyRequestsException", 429, Throttled}, {"EC2ThrottledException", 400, Throttled},
		{"ConcurrentModification", 409, Busy}, {"ConcurrentModificationException", 400, Busy}, {"OperationAborted", 409, Busy},
		{"EntityTemporarilyUnmodifiable", 409, Busy}, {"EntityTemporarilyUnmodifiableException", 409, Busy}, {"ConditionalRequestConflict", 409, Busy},
		{"RequestTimeout", 400, Busy}, {"ResourceConflictException", 409, Busy}, {"PriorRequestNotComplete", 400, Throttled},
		{"LimitExceeded", 409, Other}, {"LimitExceededException", 400, Other}, {"RulesPerSecurityGroupLimitExceeded", 400, Other},
		{"ExpiredToken", 400, Expired}, {"ExpiredTokenException", 400, Expired}, {"RequestExpired", 400, Expired},
		{"InvalidClientTokenId", 403, Expired}, {"SignatureDoesNotMatch", 403, Expired}, {"UnrecognizedClientException", 400, Expired},
		{"AuthFailure", 401, RegionOff}, {"OptInRequired", 403, RegionOff}, {"RegionDisabledException", 403, RegionOff},
		{"InvalidGroup.NotFound", 400, NotFound}, {"InvalidSecurityGroupRuleId.NotFound", 400, NotFound}, {"NoSuchEntity", 404, NotFound},
		{"AWS.SimpleQueueService.NonExistentQueue", 400, NotFound},
		{"NotImplemented", 501, Unavailable}, {"", 404, Unavailable},
		{"InternalError", 500, Other}, {"Unavailable", 503, Other}, {"InvalidParameterValue", 400, Other}, {"", 500, Other},
		{"NotFoundButNot", 400, Other}, {"InvalidGroupId.Malformed", 400, Other},
	}
	for _, tt := range tests {
		if got := classify(tt.code, tt.status, errors.New("x")); got != tt.want {
			t.Errorf("code %q, status %d: got %s, want %s", tt.code, tt.status, got, tt.want)
		}
	}
	if got := classify("", 0, errors.New("get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found")); got != Expired {
		t.Errorf("no credentials: got %s, want %s", got, Expired)
	}
}

func TestErrorSaysWhereAndWhat(t *testing.T) {
	t.Parallel()
	err := error(wrap(hub, east, "ec2:DescribeSecurityGroups", fmt.Errorf("operation error: %w", &smithy.GenericAPIError{Code: "UnauthorizedOperation", Message: strings.Repeat("long ", 200)})))
	text := err.Error()
	if !strings.HasPrefix(text, "ec2:DescribeSecurityGroups (account "+hub+", "+east+"): denied: UnauthorizedOperation: long") || len(text) > 500 {
		t.Errorf("got %q, want place, call, kind and a short message", text)
	}
	var api smithy.APIError
	if !errors.As(err, &api) || !Is(fmt.Errorf("read: %w", err), Denied) || Is(err, NotFound) || Is(errors.New("x"), Denied) {
		t.Errorf("got %v, want to find the SDK's error and the kind in it", err)
	}
}

// AWS_ENDPOINT_URL and the standard credential chain are honoured.
func TestEnvironmentIsHonoured(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 3})
	id, err := cloud.Account(hub).Region("eu-west-1").CreateSecurityGroup(t.Context(), "web", ssh())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud)
	defer server.Close()
	creds := cloud.Account(hub).Credentials()
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ACCESS_KEY_ID", creds.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", creds.SecretAccessKey)
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	c, err := New(t.Context(), Config{HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
	if err != nil {
		t.Fatal(err)
	}
	who, err := c.Identity(t.Context())
	if err != nil || who.Account != hub || c.Region() != "eu-west-1" {
		t.Errorf("got %+v in %s, %v, want account %s in eu-west-1", who, c.Region(), err, hub)
	}
	scope := scopeOf(id)
	scope.Region = "eu-west-1"
	if page, err := c.Read(t.Context(), scope, true); err != nil || len(page.Resources) != 1 {
		t.Errorf("read: got %+v, %v, want the group", page, err)
	}
	if regions, err := c.Regions(t.Context(), hub); err != nil || len(regions) != 17 {
		t.Errorf("regions: got %d, %v, want 17", len(regions), err)
	}
	scope.Type = "AWS::Lambda::Function"
	if _, err := c.Read(t.Context(), scope, true); err == nil {
		t.Error("an unknown type: got no error")
	}
	if scope.Type = securitygroup.Name; partitionOf(scope) != "aws" {
		t.Error("partitions are wrong")
	}
}
