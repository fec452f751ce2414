package main

import (
	"context"
	"strings"
	"testing"

	"dera.example/dera/awssim"
)

// TestErrorsAreInPlainWords: what went wrong is said without the words of the libraries
// below, on one line.
func TestErrorsAreInPlainWords(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	shared := fileIn(t, dir, "shared", `[profile mfa]
role_arn = arn:aws:iam::111122223333:role/x
source_profile = base
mfa_serial = arn:aws:iam::111122223333:mfa/me
[profile base]
aws_access_key_id = AKIAAAAAAAAAAAAAAAAA
aws_secret_access_key = s
[profile half]
aws_access_key_id = AKIAAAAAAAAAAAAAAAAA
`)
	fileIn(t, dir, "empty.yaml", "\n")
	cloud := awssim.New(awssim.Config{Seed: 15})
	good := cloud.Account("111122223333").Credentials()
	unknown := good
	unknown.AccessKeyID = "AKIANOBODYKNOWSTHIS0"
	for _, tt := range []struct {
		name    string
		env     map[string]string
		args    string
		code    int
		want    []string
		wantNot string
	}{
		{"mfa", map[string]string{"AWS_CONFIG_FILE": shared}, "scan --profile mfa", exitUsage, []string{`profile "mfa"`, "mfa_serial", "aws sts get-session-token"}, "AssumeRoleTokenProvider"},
		{"half_a_key", map[string]string{"AWS_CONFIG_FILE": shared}, "scan --profile half", exitUsage, []string{`profile "half" has half an access key`, "aws_secret_access_key"}, "error fetching"},
		{"half_a_key_in_the_environment", map[string]string{"AWS_SECRET_ACCESS_KEY": ""}, "scan", exitUsage, []string{"AWS_ACCESS_KEY_ID without AWS_SECRET_ACCESS_KEY"}, ""},
		{"unknown_key", map[string]string{"AWS_ACCESS_KEY_ID": unknown.AccessKeyID}, "scan", exitFailed, []string{"identify the AWS caller: AWS does not accept the credentials"}, "find out"},
		{"stop_of_an_unknown_key", map[string]string{"AWS_ACCESS_KEY_ID": unknown.AccessKeyID}, "stop --reason x", exitGood, []string{"AWS does not say who you are (AWS does not accept the credentials", "the stop is in effect anyway"}, "sts:GetCallerIdentity"},
		{"endpoint", map[string]string{"AWS_ENDPOINT_URL": "notaurl"}, "scan", exitUsage, []string{`AWS_ENDPOINT_URL is "notaurl", which is no URL`}, "scheme"},
		{"postgres", nil, "findings --db postgres://u:PASSWORD@127.0.0.1:1/x", exitFailed, []string{`the PostgreSQL database "x" on 127.0.0.1:1 is not reachable: connection refused`, "correct --db"}, "failed to connect"},
		{"bool", map[string]string{"DERA_QUIET": "maybe"}, "findings", exitUsage, []string{`DERA_QUIET is "maybe", must be true or false`}, "strconv"},
		{"number", nil, "findings --limit x", exitUsage, []string{`--limit is "x", must be a whole number`}, "strconv"},
		{"duration", nil, "run --sweep soon", exitUsage, []string{`--sweep is "soon", must be a duration such as`}, "time: "},
		{"no_configuration", nil, "scan --config missing.yaml", exitUsage, []string{"missing.yaml does not exist"}, "stat "},
		{"no_policy", nil, "policy check missing.json", exitFailed, []string{"missing.json does not exist"}, "open "},
		{"no_exemptions", nil, "exemptions check missing.yaml", exitFailed, []string{"missing.yaml does not exist"}, "stat "},
		{"no_events", nil, "replay missing", exitUsage, []string{"missing does not exist"}, "stat "},
		{"no_log", nil, "audit verify missing", exitFailed, []string{"missing/audit.pub does not exist"}, "open "},
		{"no_folder", nil, "findings --output-file no/file", exitUsage, []string{"the folder of no/file does not exist"}, ".tmp"},
		{"empty_configuration", nil, "config check empty.yaml", exitUsage, []string{"the file is empty: write at least version: 1"}, "must be 1"},
		{"argument_too_many", nil, "findings extra", exitUsage, []string{`dera findings takes no argument, and "extra" is one`}, "unknown command"},
		{"argument_too_few", nil, "show", exitUsage, []string{"dera show needs an ID (f-… or r-…)"}, "arg(s)"},
		{"argument_of_two", nil, "policy diff a", exitUsage, []string{"dera policy diff needs the old policy and the new policy"}, "arg(s)"},
		{"arguments_of_three", nil, "policy diff a b c", exitUsage, []string{`nothing else, and "c" is more`}, "arg(s)"},
		{"file_or_more", nil, "policy check", exitUsage, []string{"needs at least one file"}, "arg(s)"},
		{"optional", nil, "audit verify a b", exitUsage, []string{`at most (DIR), and "b" is another`}, "arg(s)"},
		{"no_id", nil, "show x", exitFailed, []string{`"x" is not an ID of a finding (f-…) or a remediation (r-…)`}, "not found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			serving(t, cloud, good)
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", dir+"/none")
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			_, errOut, code := said(t, strings.Fields(tt.args)...)
			if code != tt.code {
				t.Errorf("got exit code %d, want %d", code, tt.code)
			}
			for _, want := range tt.want {
				if !strings.Contains(errOut, want) {
					t.Errorf("got %q, want %q in it", errOut, want)
				}
			}
			if tt.wantNot != "" && strings.Contains(errOut, tt.wantNot) || strings.Contains(errOut, "PASSWORD") {
				t.Errorf("got %q, want no %q in it", errOut, tt.wantNot)
			}
			if strings.Count(strings.TrimSuffix(errOut, "\n"), "\n") > 0 || strings.Contains(errOut, "\t") {
				t.Errorf("got more than a line: %q", errOut)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := plainError(ctx, ctx.Err()); got != "interrupted" {
		t.Errorf("interrupted: got %q", got)
	}
}
