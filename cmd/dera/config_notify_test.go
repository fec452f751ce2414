package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestNotifyFaults: each fault of notify and listen is found with its line and field, and
// no secret that stands in the file is repeated.
func TestNotifyFaults(t *testing.T) {
	t.Parallel()
	const pager = "{name: p, kind: pagerduty, token_env: PD}"
	routed := func(sinks, rest string) string {
		return "notify: {sinks: [" + sinks + "], default: p" + rest + "}"
	}
	tests := []struct{ name, text, want, says string }{
		{"good", "notify: {sinks: [" + pager + ", {name: s, kind: slack, channel: '#a', token_file: slack.token}], routes: [{severity: high, what: [waiting], sinks: [s], owner: true, digest: daily}], " +
			"quiet_hours: [{from: '22:00', to: '07:00', zone: Europe/Berlin, except: critical}], escalation: [{after: 4h, sinks: [p]}], owners: {team-a: {slack: '#a'}}, owners_first: 15m}", "", ""},
		{"all_kinds", routed(pager+", {name: w, kind: webhook, url: 'https://a.example/x', token_env: W}, {name: n, kind: sns, topic: 'arn:aws:sns:eu-central-1:111122223333:a'}, "+
			"{name: m, kind: email, url: 'mail.example.com:587', from: a@example.com, to: [b@example.com]}, {name: j, kind: jira, url: 'https://j.example', project: SEC, token_env: J, user: a}", ""), "", ""},
		{"unknown_sink", routed(pager, ", routes: [{sinks: [q]}]"), "notify.routes[0].sinks[0]", "the sinks are p"},
		{"two_of_a_name", routed(pager+", "+pager, ""), "notify.sinks[1].name", "sinks[0]"},
		{"token_in_the_file", routed(pager+", {name: s, kind: slack, channel: a, token_env: xoxb-123-456}", ""), "notify.sinks[1].token_env", "a secret is written here"},
		{"secret_url", routed(pager+", {name: s, kind: webhook, url: 'https://hooks.slack.com/services/T0/B0/xyzzy', token_env: A}", ""), "notify.sinks[1].url", "a secret is written here"},
		{"password_in_the_url", routed(pager+", {name: s, kind: webhook, url: 'https://a:b@c.example', token_env: A}", ""), "notify.sinks[1].url", "user or password"},
		{"token", routed("{name: p, kind: pagerduty, token: abc}", ""), "unknown field \"token\"", "token_env"},
		{"no_secret", routed("{name: p, kind: pagerduty}", ""), "notify.sinks[0].token_env", "is missing"},
		{"two_secrets", routed("{name: p, kind: pagerduty, token_env: A, token_file: b}", ""), "notify.sinks[0].token_file", "one of them"},
		{"no_channel", routed(pager+", {name: s, kind: slack, token_env: A}", ""), "notify.sinks[1].channel", "is missing"},
		{"http", routed(pager+", {name: s, kind: webhook, url: 'http://a.example', token_env: A}", ""), "notify.sinks[1].url", "https"},
		{"kind", routed("{name: p, kind: pigeon, token_env: A}", ""), "notify.sinks[0].kind", "pagerduty"},
		{"topic", routed(pager+", {name: n, kind: sns, topic: alerts}", ""), "notify.sinks[1].topic", "ARN"},
		{"mail_to_nobody", routed(pager+", {name: m, kind: email, url: 'a:25', from: a@b.c}", ""), "notify.sinks[1].to", "nobody"},
		{"project", routed(pager+", {name: j, kind: jira, url: 'https://j.example', project: 'S\" OR', token_env: J}", ""), "notify.sinks[1].project", "key of a project"},
		{"zone", routed(pager, ", quiet_hours: [{from: '22:00', to: '07:00', zone: Berlin}]"), "notify.quiet_hours[0].zone", "Europe/Berlin"},
		{"always_quiet", routed(pager, ", quiet_hours: [{from: '07:00', to: '07:00', zone: UTC}]"), "notify.quiet_hours[0].to", "always"},
		{"day", routed(pager, ", quiet_hours: [{from: '22:00', to: '07:00', zone: UTC, days: [Friday]}]"), "notify.quiet_hours[0].days[0]", "fri"},
		{"what", routed(pager, ", routes: [{what: [waitin], sinks: [p]}]"), "notify.routes[0].what[0]", "waiting"},
		{"no_sinks", routed(pager, ", routes: [{severity: high}]"), "notify.routes[0]", "no sinks"},
		{"no_routes", "notify: {sinks: [" + pager + "]}", "notify.routes", "default"},
		{"control", routed(pager, ", routes: [{control: ec3-*, sinks: [p]}]"), "notify.routes[0].control", "matches no control"},
		{"severity", routed(pager, ", routes: [{severity: hi, sinks: [p]}]"), "notify.routes[0].severity", ""},
		{"owners_in_no_route", routed(pager, ", owners: {a: {email: a@b.c}}"), "notify.owners", "owner: true"},
		{"escalation_at_once", routed(pager, ", escalation: [{after: 1s, sinks: [p]}]"), "notify.escalation[0].after", "1m"},
		{"owners_first_for_days", routed(pager, ", owners_first: 48h"), "notify.owners_first", "24h"},
		{"code", "notify: {code: {github: {token_env: GH, repositories: [{repository: acme/infra, owner_is: team-*, path: live}]}}}", "", ""},
		{"code_nowhere", "notify: {code: {github: {token_env: GH}}}", "notify.code.github", "no repositories"},
		{"code_without_a_token", "notify: {code: {github: {repositories: [{repository: acme/infra}]}}}", "notify.code.github", "token_env"},
		{"code_with_its_token", "notify: {code: {github: {token_env: ghp_0123456789abcdefghij0123456789abcdef, repositories: [{repository: acme/infra}]}}}", "notify.code.github", "a secret is written here"},
		{"code_of_no_repository", "notify: {code: {github: {token_env: GH, repositories: [{repository: ../x}]}}}", "notify.code.github.repositories[0].repository", "OWNER/NAME"},
		{"listen_to_everybody", "listen: {address: '0.0.0.0:8088'}", "listen.address", "TLS"},
		{"listen_to_every_name", "listen: {address: ':8088'}", "listen.address", "TLS"},
		{"listen_to_this_machine", "listen: {address: '127.0.0.1:8088', slack: {signing_secret_env: S, workspaces: [T012AB3CD], users: {U012AB3CD: 'arn:aws:iam::111122223333:user/alice'}}}", "", ""},
		{"half_a_certificate", "listen: {address: 'a:1', tls_cert: a.pem}", "listen.tls_cert", "together"},
		{"nobody_may_click", "listen: {address: '127.0.0.1:8088', slack: {signing_secret_env: S, workspaces: [T012AB3CD]}}", "listen.slack", "nobody can answer"},
		{"no_workspace", "listen: {address: '127.0.0.1:8088', slack: {signing_secret_env: S, users: {U012AB3CD: 'arn:aws:iam::111122223333:user/alice'}}}", "listen.slack", "write workspaces"},
		{"workspace_by_name", "listen: {address: '127.0.0.1:8088', slack: {signing_secret_env: S, workspaces: [acme], users: {U012AB3CD: 'arn:aws:iam::111122223333:user/alice'}}}", "listen.slack.workspaces", "T012AB3CD"},
		{"no_user", "listen: {address: '127.0.0.1:8088', slack: {signing_secret_env: S, workspaces: [T012AB3CD], users: {alice: 'arn:aws:iam::111122223333:user/alice'}}}", "listen.slack.users", "U012AB3CD"},
		{"root_clicks", "listen: {address: '127.0.0.1:8088', slack: {signing_secret_env: S, workspaces: [T012AB3CD], users: {U012AB3CD: 'arn:aws:iam::111122223333:root'}}}", "listen.slack.users", "user, a role"},
		{"permission_set_clicks", "listen: {address: '127.0.0.1:8088', slack: {signing_secret_env: S, workspaces: [T012AB3CD], users: {U012AB3CD: 'arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef'}}}", "listen.slack.users", "the session of the person"},
		{"signing_secret_in_the_file", "listen: {address: '127.0.0.1:8088', slack: {signing_secret_env: 8f742231b10e8888abcd99yyyzzz85a5, workspaces: [T012AB3CD], users: {U012AB3CD: 'arn:aws:iam::111122223333:user/alice'}}}", "", ""},
		{"signing_secret_in_hex", "listen: {address: '127.0.0.1:8088', slack: {signing_secret_env: 8f742231b10e8888abcd99eee00085a5, workspaces: [T012AB3CD], users: {U012AB3CD: 'arn:aws:iam::111122223333:user/alice'}}}", "listen.slack.signing_secret_env", "a secret is written here"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := fileIn(t, dir, "dera.yaml", "version: 1\n"+tt.text+"\n")
			out, errOut, code := said(t, "config", "check", path, "--data", filepath.Join(dir, "data"))
			if tt.want == "" {
				if code != exitGood {
					t.Errorf("got %d, want it valid\n%s%s", code, out, errOut)
				}
				return
			}
			if code != exitUsage || !strings.Contains(errOut, path+":2:") || !strings.Contains(errOut, ": "+tt.want) || !strings.Contains(errOut, tt.says) {
				t.Errorf("got %d, want %s and %q\n%.900s", code, tt.want, tt.says, errOut)
			}
			if strings.Contains(errOut, "xoxb-123") || strings.Contains(errOut, "xyzzy") || strings.Contains(errOut, "8f742231") || strings.Contains(errOut, "ghp_0123") {
				t.Errorf("the secret is repeated:\n%s", errOut)
			}
			if n := strings.Count(errOut, path+":"); n != 1 && tt.name != "token" && tt.name != "owners_in_no_route" {
				t.Errorf("got %d faults, want one\n%.900s", n, errOut)
			}
		})
	}
}
