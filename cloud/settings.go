package cloud

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
)

// SettingsError means that the settings of AWS on this machine, its shared files or
// its environment, are wrong: what is, and what to do.
type SettingsError struct {
	Fact, Next string
	Err        error // the SDK's
}

// Error implements error.
func (e *SettingsError) Error() string { return e.Fact + ". " + e.Next }

// Unwrap returns the SDK's error.
func (e *SettingsError) Unwrap() error { return e.Err }

// misconfigured says what is wrong with the shared files.
func (s sources) misconfigured(err error) error {
	profile := orElse(s.profile, "default")
	e := &SettingsError{Err: err, Next: "Correct it, or name another profile with --profile"}
	var noCode config.AssumeRoleTokenProviderNotSetError
	var role config.SharedConfigAssumeRoleError
	switch text := err.Error(); {
	case errors.As(err, &noCode):
		e.Fact = fmt.Sprintf("profile %q assumes a role with a code of an MFA device (mfa_serial), which dera cannot ask for", profile)
		e.Next = fmt.Sprintf("Give dera the credentials of a session, from aws sts get-session-token or aws configure export-credentials --profile %s --format env, or name another profile with --profile", profile)
	case strings.Contains(text, "partial credentials found"):
		e.Fact = fmt.Sprintf("profile %q has half an access key in %s", profile, strings.Join(s.files, " or "))
		e.Next = "Write both aws_access_key_id and aws_secret_access_key there, or name another profile with --profile"
	case errors.As(err, &role):
		e.Fact = fmt.Sprintf("profile %q assumes the role %s, and there are no credentials to do so with", profile, role.RoleARN)
		e.Next = "Correct source_profile or credential_source in " + strings.Join(s.files, " or ")
	default:
		e.Fact = fmt.Sprintf("the settings of profile %q in %s cannot be used: %s", profile, strings.Join(s.files, " or "), strings.Join(strings.Fields(text), " "))
	}
	return e
}

// checkEnvironment refuses settings that the SDK would stumble over at each call;
// keys says that credentials are taken from the environment.
func checkEnvironment(environment []string, keys bool) error {
	slices.Sort(environment)
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "AWS_ENDPOINT_URL") || value == "" {
			continue
		}
		if u, err := url.Parse(value); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return &SettingsError{Fact: fmt.Sprintf("%s is %q, which is no URL", name, value), Next: "Write https://HOST or http://HOST:PORT, or unset it"}
		}
	}
	key, secret := os.Getenv("AWS_ACCESS_KEY_ID") != "", os.Getenv("AWS_SECRET_ACCESS_KEY") != ""
	if keys && key != secret {
		has, lacks := "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
		if secret {
			has, lacks = lacks, has
		}
		return &SettingsError{Fact: "the environment has half an access key: " + has + " without " + lacks, Next: "Set both, or unset both and name a profile with --profile"}
	}
	return nil
}
