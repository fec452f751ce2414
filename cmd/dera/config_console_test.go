package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestConsoleConfig: what would refuse everybody, or more than was meant, is refused with its field.
func TestConsoleConfig(t *testing.T) {
	t.Parallel()
	const oidc = "oidc: {issuer: 'https://login.example.com/realms/a', client_id: dera, admins: [dera-admins]"
	for name, tt := range map[string]struct{ text, want string }{
		"all":                   {"{url: 'https://dera.example.com', " + oidc + ", client_secret_file: s, scopes: [groups], session: 30m, viewers: [a b]}}", ""},
		"a_port":                {"{url: 'https://dera.example.com:8443', " + oidc + "}}", ""},
		"on_this_machine":       {"{" + oidc + "}}", ""},
		"an_issuer_here":        {"{oidc: {issuer: 'http://127.0.0.1:5556/dex', client_id: dera, admins: [a]}}", ""},
		"url_without_tls":       {"{url: 'http://dera.example.com', " + oidc + "}}", "console.url: "},
		"url_with_a_path":       {"{url: 'https://dera.example.com/', " + oidc + "}}", "console.url: "},
		"url_in_capitals":       {"{url: 'https://Dera.example.com', " + oidc + "}}", "console.url: "},
		"url_with_the_port":     {"{url: 'https://dera.example.com:443', " + oidc + "}}", "console.url: "},
		"url_without_sign_in":   {"{url: 'https://dera.example.com'}", "console.url: other machines reach it, and nobody can sign in"},
		"half_a_certificate":    {"{url: 'https://dera.example.com', tls_cert: c, " + oidc + "}}", "console.tls_cert: "},
		"certificate_alone":     {"{tls_cert: c, tls_key: k}", "console.url: is missing"},
		"no_issuer":             {"{oidc: {client_id: dera}}", "console.oidc.issuer: is missing"},
		"issuer_without_tls":    {"{oidc: {issuer: 'http://login.example.com', client_id: dera, admins: [a]}}", "console.oidc.issuer: "},
		"no_client":             {"{oidc: {issuer: 'https://login.example.com', admins: [a]}}", "console.oidc.client_id: is missing"},
		"no_groups":             {"{oidc: {issuer: 'https://login.example.com', client_id: dera}}", "names no groups"},
		"a_glob":                {"{oidc: {issuer: 'https://login.example.com', client_id: dera, admins: ['*']}}", "console.oidc.admins[0]: "},
		"no_name":               {"{oidc: {issuer: 'https://login.example.com', client_id: dera, viewers: ['']}}", "console.oidc.viewers[0]: "},
		"a_secret":              {"{" + oidc + ", client_secret_env: 0123456789abcdef0123456789abcdef}}", "a secret is written here"},
		"two_secrets":           {"{" + oidc + ", client_secret_env: A, client_secret_file: b}}", "write one of them"},
		"a_session_of_a_day":    {"{" + oidc + ", session: 24h}}", "console.oidc.session: "},
		"a_session_of_a_minute": {"{" + oidc + ", session: 1m}}", "console.oidc.session: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "dera.yaml")
			if err := os.WriteFile(path, []byte("version: 1\nconsole: "+tt.text+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := loadConfig(path)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err == nil && c.Console.OIDC.SecretFile != "" && c.Console.OIDC.SecretFile != filepath.Join(filepath.Dir(path), "s") {
				t.Errorf("the secret is at %s", c.Console.OIDC.SecretFile)
			}
		})
	}
}

// TestPublicConsole: without a sign-in no other machine reaches the console, and a link leads to none of
// other machines.
func TestPublicConsole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, path := filepath.Join(dir, "data"), filepath.Join(dir, "dera.yaml")
	for _, tt := range []struct{ text, want string }{
		{"version: 1\n", "nobody can sign in there"},
		{"version: 1\nconsole: {oidc: {issuer: 'https://login.example.com', client_id: dera, admins: [a]}}\n", "write console.url"},
	} {
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errOut strings.Builder
		if code := run(t.Context(), []string{"run", "--console", "0.0.0.0:0", "--config", path, "--data", data}, strings.NewReader(""), &out, &errOut); code != exitUsage || !strings.Contains(errOut.String(), tt.want) {
			t.Errorf("got %d and %q, want %d and %q", code, errOut.String(), exitUsage, tt.want)
		}
	}
}
