package cloud

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
)

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
	err := error(wrap("111122223333", "us-east-1", "ec2:DescribeSecurityGroups", fmt.Errorf("operation error: %w", &smithy.GenericAPIError{Code: "UnauthorizedOperation", Message: strings.Repeat("long ", 200)})))
	text := err.Error()
	if !strings.HasPrefix(text, "ec2:DescribeSecurityGroups (account 111122223333, us-east-1): denied: UnauthorizedOperation: long") || len(text) > 500 {
		t.Errorf("got %q, want place, call, kind and a short message", text)
	}
	var api smithy.APIError
	if !errors.As(err, &api) || !Is(fmt.Errorf("read: %w", err), Denied) || Is(err, NotFound) || Is(errors.New("x"), Denied) {
		t.Errorf("got %v, want to find the SDK's error and the kind in it", err)
	}
}
