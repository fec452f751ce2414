package cloud

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
)

// ProfileError means that the profile that was named is in none of the files of the
// shared AWS configuration.
type ProfileError struct {
	Profile string
	Files   []string
	Err     error
}

// Error implements error.
func (e *ProfileError) Error() string {
	return fmt.Sprintf("there is no AWS profile %q in %s; aws configure list-profiles lists them", e.Profile, strings.Join(e.Files, " or "))
}

// Unwrap returns the SDK's error.
func (e *ProfileError) Unwrap() error { return e.Err }

// sources are where credentials were looked for.
type sources struct {
	profile string // "" for the default one
	files   []string
}

// sourcesOf are the sources of credentials under a profile.
func sourcesOf(profile string) sources {
	if profile == "" {
		profile = os.Getenv("AWS_PROFILE")
	}
	s := sources{profile: profile}
	for _, f := range []struct{ variable, usual string }{
		{"AWS_CONFIG_FILE", config.DefaultSharedConfigFilename()}, {"AWS_SHARED_CREDENTIALS_FILE", config.DefaultSharedCredentialsFilename()},
	} {
		s.files = append(s.files, orElse(os.Getenv(f.variable), f.usual))
	}
	return s
}

// String lists them.
func (s sources) String() string {
	files := "the shared configuration and credentials files"
	if len(s.files) > 0 {
		files = "the shared files " + strings.Join(s.files, " and ")
	}
	return fmt.Sprintf("the environment (AWS_ACCESS_KEY_ID), %s (profile %s), SSO, and the role of the container or instance", files, orElse(s.profile, "default"))
}

// loading says what went wrong when the SDK's configuration was loaded.
func (s sources) loading(err error) error {
	if err == nil {
		return nil
	}
	var missing config.SharedConfigProfileNotExistError
	if errors.As(err, &missing) {
		return &ProfileError{missing.Profile, s.files, err}
	}
	return s.misconfigured(err)
}

// own is an error of a call that dera makes to find out who it is: it knows where
// the credentials were looked for.
func (c *Client) own(account string, err error) error {
	err = wrap(account, c.base.Region, "sts:GetCallerIdentity", err)
	var e *Error
	if errors.As(err, &e) {
		e.tried = sourcesOf(c.cfg.Profile)
	}
	return err
}
