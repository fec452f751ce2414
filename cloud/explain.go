package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Explain is an error in words for people, on one line: what failed, and what to
// do where a failed call of AWS is the cause. The SDK's own words are in [Detail].
func Explain(err error) string {
	fact, next := Cause(err)
	if next != "" {
		return fact + ". " + next
	}
	return fact
}

// Cause is what failed, in words for people, and what to do, or "" where nobody
// knows. What was being done stands first, as whoever called put it.
func Cause(err error) (fact, next string) {
	var e *Error
	if !errors.As(err, &e) {
		return err.Error(), ""
	}
	fact, next = e.explain()
	if before, _, found := strings.Cut(err.Error(), e.Error()); found {
		fact = before + fact
	}
	return fact, next
}

// Detail is what the SDK says of a failed call of AWS, or "" where none failed.
func Detail(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		var p *ProfileError
		if errors.As(err, &p) {
			return p.Err.Error()
		}
		var s *SettingsError
		if errors.As(err, &s) && s.Err != nil {
			return s.Err.Error()
		}
		return ""
	}
	return e.Err.Error()
}

// explain says what failed, and what to do about it.
func (e *Error) explain() (fact, next string) {
	text := e.Err.Error()
	switch e.Problem {
	case WrongAccount:
		return text, ""
	case Expired:
		return e.explainCredentials(text)
	case Denied:
		return e.explainDenied()
	case Throttled:
		return e.failed("was throttled"), "AWS allows fewer calls in this account and region than were made; run the command again later"
	case RegionOff:
		return fmt.Sprintf("region %s is not enabled in account %s (%s)", e.Region, orUnknown(e.Account), e.codeOr("no code")), "Enable it in the account, or remove it from regions or --region"
	case NotFound, Unavailable, Busy, Other:
	}
	var missing *aws.MissingRegionError
	switch {
	case errors.As(e.Err, &missing):
		return e.failed("has no region"), "Name one with --region or AWS_REGION, or set region in the profile"
	case e.status() >= 500:
		return e.failed("failed: " + shortest(e.Err)), "The service has an error of its own: run the command again later"
	case e.Code != "":
		return e.Error(), ""
	case errors.Is(e.Err, context.Canceled):
		return e.failed("was interrupted"), ""
	case errors.Is(e.Err, context.DeadlineExceeded):
		return e.failed("was not answered in time"), "Check the network and the proxy (HTTPS_PROXY), and run the command again"
	}
	if host, why, ok := unreachable(e.Err); ok {
		return fmt.Sprintf("the endpoint %s is not reachable: %s", host, why), "Check the network, the proxy (HTTPS_PROXY), the region and AWS_ENDPOINT_URL"
	}
	return e.Error(), "--log-level debug shows the error of the AWS SDK"
}

// explainCredentials tells apart why there are no credentials that AWS accepts.
func (e *Error) explainCredentials(text string) (fact, next string) {
	login := "aws sso login"
	if e.tried.profile != "" {
		login += " --profile " + e.tried.profile
	}
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(text, p) {
				return true
			}
		}
		return false
	}
	user, action, on := whoAndWhat(text)
	switch {
	case strings.HasPrefix(e.Code, "AccessDenied") && has("AssumeRole"):
		if action == "" {
			user, on = "the caller", "the role"
		}
		return fmt.Sprintf("%s may not assume %s", user, orElse(on, "the role")), "Allow sts:AssumeRole in the trust policy of the role and in the policy of the caller, and check external_id in the configuration"
	case has("SSO session has expired", "cached SSO token", "SSOProviderInvalidToken", "Session token not found or invalid", "refresh cached SSO token"):
		return "the SSO session of profile " + orElse(e.tried.profile, "default") + " has expired, or there was none", "Sign in with: " + login
	case e.Code == "ExpiredToken", e.Code == "ExpiredTokenException":
		return "the AWS credentials have expired (" + e.Code + ")", "Sign in again with: " + login + "; or renew the credentials in the environment"
	case e.Code == "RequestExpired":
		return "AWS refuses the time of the request (" + e.Code + ")", "Set the clock of this machine"
	case e.Code == "SignatureDoesNotMatch":
		return "AWS does not accept the signature of the credentials (" + e.Code + ")", "Check the secret access key and the clock of this machine"
	case e.Code != "":
		return "AWS does not accept the credentials (" + e.Code + ")", "The access key is unknown, inactive or of another partition: check it, sign in with: " + login + "; or name another profile with --profile"
	case has("credential_process", "process provider error"):
		return "the credential_process of profile " + orElse(e.tried.profile, "default") + " failed", "Run its command by hand, or name another profile with --profile"
	case has("IMDS", "no valid providers", "static credentials are empty", "NoCredentialProviders"):
		return "no AWS credentials were found; dera tried " + e.tried.String(), "Sign in with: " + login + "; or name a profile with --profile NAME"
	}
	if host, why, ok := unreachable(e.Err); ok {
		return fmt.Sprintf("AWS credentials could not be loaded: %s is not reachable: %s", host, why), "Check the network and the proxy (HTTPS_PROXY)"
	}
	return "AWS credentials could not be loaded; dera tried " + e.tried.String(), "Sign in with: " + login + "; or name a profile with --profile NAME"
}

// explainDenied names the action and who lacks it.
func (e *Error) explainDenied() (fact, next string) {
	user, action, _ := whoAndWhat(e.Err.Error())
	who := orElse(user, "the role of dera")
	if e.Account != "" && user == "" {
		who += " in account " + e.Account
	}
	kind := "remediator"
	_, name, _ := strings.Cut(e.Call, ":")
	for _, prefix := range []string{"Describe", "Get", "List", "Receive", "Head"} {
		if strings.HasPrefix(name, prefix) {
			kind = "reader"
		}
	}
	return fmt.Sprintf("%s lacks the permission %s%s", who, orElse(action, e.Call), e.place()),
		"Grant it to the role (dera role --kind " + kind + " prints the policy), and check service control policies (" + e.codeOr("403") + ")"
}

// failed is a sentence about the call.
func (e *Error) failed(what string) string { return e.Call + e.place() + " " + what }

func (e *Error) place() string {
	if e.Account == "" {
		return " in " + e.Region
	}
	return " in account " + e.Account + ", " + e.Region
}

func (e *Error) codeOr(other string) string { return orElse(e.Code, other) }

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func orUnknown(account string) string { return orElse(account, "of the credentials") }

// whoAndWhat reads who lacks which action on what out of AWS's message.
func whoAndWhat(text string) (user, action, resource string) {
	m := regexp.MustCompile(`User: (\S+) is not authorized to perform: ([\w:-]+)(?: on resource: (arn:\S+))?`).FindStringSubmatch(text)
	if m == nil {
		return "", "", ""
	}
	return m[1], m[2], m[3]
}

// unreachable reports that a request got no answer, from where and why.
func unreachable(err error) (host, why string, ok bool) {
	var request *url.Error
	if !errors.As(err, &request) {
		return "", "", false
	}
	host = "of AWS"
	if u, err := url.Parse(request.URL); err == nil && u.Host != "" {
		host = u.Scheme + "://" + u.Host
	}
	var name *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &name):
		return host, "no address is known for " + name.Name, true
	case request.Timeout():
		return host, "no answer in time", true
	case errors.As(err, &op):
		var call *os.SyscallError
		if errors.As(op.Err, &call) {
			return host, call.Err.Error(), true
		}
		return host, op.Err.Error(), true
	}
	return host, request.Err.Error(), true
}

// status is that of the answer, 0 where there was none.
func (e *Error) status() int {
	var resp *smithyhttp.ResponseError
	if !errors.As(e.Err, &resp) || resp.Response == nil {
		return 0
	}
	return resp.HTTPStatusCode()
}

// shortest is what an error says without the SDK's words around it.
func shortest(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() != "UnknownError" {
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	if status := (&Error{Err: err}).status(); status >= 400 {
		return fmt.Sprintf("AWS answered with status %d and no error that can be read", status)
	}
	if host, why, ok := unreachable(err); ok {
		return host + " is not reachable: " + why
	}
	var call *smithy.OperationError
	if errors.As(err, &call) {
		return call.Err.Error()
	}
	return err.Error()
}
