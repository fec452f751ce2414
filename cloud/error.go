package cloud

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Problem classifies an API error by what it means for the caller.
type Problem string

// The problems. Other is everything that has no name of its own.
const (
	Denied      Problem = "denied"
	Throttled   Problem = "throttled"
	Expired     Problem = "credentials" // expired, missing or invalid
	RegionOff   Problem = "region is off"
	NotFound    Problem = "not found"
	Unavailable Problem = "unavailable" // the service or operation is not there
	Busy        Problem = "busy"        // another change of the resource is in progress
	Other       Problem = "error"
	// WrongAccount is an [AccountError].
	WrongAccount Problem = "wrong account"
)

// Error is a failed API call: where, which call, and what kind of problem.
type Error struct {
	Account string
	Region  string
	Call    string // for example ec2:DescribeSecurityGroups
	Problem Problem
	Code    string
	Err     error

	tried sources // of credentials, where that is what failed
}

// Error implements error. It carries AWS's message, shortened; [Explain] is for
// people.
func (e *Error) Error() string {
	where := e.Region
	if e.Account != "" {
		where = "account " + e.Account + ", " + e.Region
	}
	text := shortest(e.Err)
	if e.Problem == Expired && e.Code == "" {
		text, _ = e.explainCredentials(e.Err.Error())
	}
	const most = 300
	if len(text) > most {
		text = text[:most] + "…"
	}
	return fmt.Sprintf("%s (%s): %s: %s", e.Call, where, e.Problem, text)
}

// Refused reports whether the service answered that it did not carry out the
// request. Of a call without an answer, or with a server error, nobody knows.
func (e *Error) Refused() bool {
	var idle interface{ NothingDone() bool }
	if e.Problem == WrongAccount || errors.As(e.Err, &idle) && idle.NothingDone() {
		return true // it was not even sent, or had nothing to do
	}
	var resp *smithyhttp.ResponseError
	if !errors.As(e.Err, &resp) || resp.Response == nil || e.Code == "" {
		return false
	}
	status := resp.HTTPStatusCode()
	return status >= 400 && status < 500 || e.Problem == Throttled // EC2 throttles with 503
}

// Passing reports whether the request was turned away for a reason that has
// nothing to do with it and may be over soon.
func (e *Error) Passing() bool {
	return e.Problem == Throttled || e.Problem == Expired || e.Problem == Busy
}

// Denied reports whether the caller lacks the permission; to try again changes
// nothing.
func (e *Error) Denied() bool { return e.Problem == Denied || e.Problem == WrongAccount }

// Gone reports whether something that the request is about does not exist; to try again
// changes nothing.
func (e *Error) Gone() bool { return e.Problem == NotFound }

// Unwrap returns the SDK's error.
func (e *Error) Unwrap() error { return e.Err }

// wrap classifies an SDK error.
func wrap(account, region, call string, err error) error {
	e := &Error{Account: account, Region: region, Call: call, Problem: Other, Err: err}
	var wrong *AccountError
	if errors.As(err, &wrong) {
		e.Problem, e.Err = WrongAccount, wrong // without the SDK's words before it
		return e
	}
	var late *LaterError
	if errors.As(err, &late) {
		e.Problem, e.Err = Throttled, late
		return e
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		e.Code = api.ErrorCode()
	}
	e.Problem = classify(e.Code, e.status(), err)
	if e.Code == "AuthFailure" && alwaysOn(region) {
		e.Problem = Expired
	}
	return e
}

// Code is the error code of an answer of AWS, or "".
func Code(err error) string {
	var own *Error
	if errors.As(err, &own) {
		return own.Code
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// passing finds the answers that say that a request was not carried out for a
// reason that may be over soon, whatever the service: AWS SDKs and Tools
// reference guide, "Retry behavior", and the errors of the API references of
// EC2, IAM, S3 (409 OperationAborted and ConditionalRequestConflict; 400
// RequestTimeout: the body never arrived) and Lambda. A quota that is used up
// (LimitExceeded) is not among them.
func passing(code string) (Problem, bool) {
	switch code {
	case "BandwidthLimitExceeded", "EC2ThrottledException", "PriorRequestNotComplete", "ProvisionedThroughputExceededException",
		"RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "SlowDown", "Throttled", "ThrottledException",
		"Throttling", "ThrottlingException", "Throttling.RateExceeded", "Throttling.User", "TooManyRequestsException", "TransactionInProgressException":
		return Throttled, true
	case "ConcurrentModification", "ConcurrentModificationException", "ConditionalRequestConflict", "EntityTemporarilyUnmodifiable",
		"EntityTemporarilyUnmodifiableException", "OperationAborted", "RequestTimeout", "RequestTimeoutException", "ResourceConflictException":
		return Busy, true
	}
	return "", false
}

// classify goes by code first and by HTTP status second: some services answer
// 403 without a code that the SDK can read.
func classify(code string, status int, err error) Problem {
	if p, ok := passing(code); ok {
		return p
	}
	switch {
	case strings.Contains(err.Error(), "get credentials"), strings.Contains(err.Error(), "get identity"):
		return Expired // there are none, or the role cannot be assumed
	case code == "ExpiredToken", code == "ExpiredTokenException", code == "RequestExpired", code == "InvalidClientTokenId",
		code == "SignatureDoesNotMatch", code == "UnrecognizedClientException", code == "InvalidAccessKeyId":
		return Expired
	case code == "AuthFailure", code == "OptInRequired", code == "RegionDisabledException", code == "IllegalLocationConstraintException":
		// EC2 answers AuthFailure in a region that the account has not opted in to.
		return RegionOff
	case strings.HasPrefix(code, "AccessDenied"), strings.HasSuffix(code, "UnauthorizedOperation"), code == "NotAuthorized", code == "UnauthorizedAccess":
		return Denied
	case strings.HasSuffix(code, ".NotFound"), strings.HasPrefix(code, "NoSuch"), code == "OwnershipControlsNotFoundError", strings.HasPrefix(code, "AWS.SimpleQueueService.NonExistent"), code == "QueueDoesNotExist", code == "ResourceNotFoundException":
		return NotFound
	case status == http.StatusForbidden:
		return Denied
	case status == http.StatusNotImplemented, status == http.StatusNotFound && code == "":
		return Unavailable
	}
	return Other
}

// Result is what became of the call, in one word for a counter: ok, or a [Problem].
func (c Call) Result() string {
	code := Code(c.Err)
	if c.Err == nil || code == "DryRunOperation" {
		return "ok"
	}
	var e *Error
	if errors.As(wrap(c.Account, c.Region, c.Operation, c.Err), &e) {
		return strings.ReplaceAll(string(e.Problem), " ", "_")
	}
	return string(Other)
}

// Is reports whether the error is a failed API call of that kind.
func Is(err error, p Problem) bool {
	var e *Error
	return errors.As(err, &e) && e.Problem == p
}
