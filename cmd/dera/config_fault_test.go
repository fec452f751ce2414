package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestConfigFaults: each fault is found, alone, with its line, column and field,
// and with what to write instead.
func TestConfigFaults(t *testing.T) {
	t.Parallel()
	allow := func(entries string) string { return "network: {allow: [" + entries + "]}" }
	wideOf := func(cidr string) string {
		return "{cidr: '" + cidr + "', owner: net@example.com, reason: our own range, expires: 2099-12-31}"
	}
	var many []string // 0.0.0.0/0 in pieces of /16 would be 65,536 of them: an eighth is enough
	for i := range 9000 {
		many = append(many, fmt.Sprintf("%d.%d.0.0/16", 11+i/256, i%256))
	}
	halves := func(cidr string) string {
		return "{cidr: '" + cidr + "', owner: net, reason: ours, expires: 2099-12-31}"
	}
	tests := []struct {
		name, text string
		want       string // file:line:column and field; "" is valid
		says       string
	}{
		{"unknown_region", "regions: [us-east-1, us-est-1]", "2:22: regions[1]", "new_regions"},
		{"region_of_no_form", "regions: [everywhere]", "2:11: regions[0]", "not the name of a region"},
		{"zone_as_region", "regions: [us-east-1a]", "2:11: regions[0]", "not the name of a region"},
		{"global_as_region", "regions: [aws-global]", "2:11: regions[0]", "not the name of a region"},
		{"region_twice", "regions: [us-east-1, us-east-1]", "2:22: regions[1]", "twice"},
		{"new_region", "regions: [eu-north-7]\nnew_regions: [eu-north-7]", "", ""},
		{"new_region_of_no_form", "new_regions: [nowhere]", "2:15: new_regions[0]", "eu-west-9"},
		{"regions_of_two_partitions", "regions: [us-east-1, cn-north-1]", "2:22: regions[1]", "partition aws-cn"},
		{"role_of_another_account", "accounts: [{id: '111122223333', role_arn: 'arn:aws:iam::444455556666:role/x'}]", "2:43: accounts[0].role_arn", "444455556666"},
		{"write_role_of_another_account", "accounts:\n  - id: '111122223333'\n    write_role_arn: arn:aws:iam::444455556666:role/x", "4:21: accounts[0].write_role_arn", "111122223333"},
		{"role_of_another_partition", "regions: [us-east-1]\naccounts: [{id: '111122223333', role_arn: 'arn:aws-cn:iam::111122223333:role/x'}]", "3:43: accounts[0].role_arn", "partition aws-cn"},
		{"user_as_role", "accounts: [{id: '111122223333', role_arn: 'arn:aws:iam::111122223333:user/x'}]", "2:43: accounts[0].role_arn", "role/NAME"},
		{"queue_name", "queue: events", "2:8: queue", "https://sqs."},
		{"queue_arn", "queue: arn:aws:sqs:us-east-1:111122223333:events", "2:8: queue", "https://sqs."},
		{"queue_without_account", "queue: https://sqs.us-east-1.amazonaws.com/events", "2:8: queue", "12 digits"},
		{"queue_of_another_service", "queue: https://s3.us-east-1.amazonaws.com/111122223333/events", "2:8: queue", "another service"},
		{"queue_in_no_region", "queue: https://sqs.us-est-1.amazonaws.com/111122223333/events", "2:8: queue", "us-est-1"},
		{"queue_of_another_partition", "regions: [us-east-1]\nqueue: https://sqs.cn-north-1.amazonaws.com.cn/111122223333/events", "3:8: queue", "partition aws-cn"},
		{"queue_of_an_emulator", "queue: http://127.0.0.1:4566/111122223333/events.fifo", "", ""},
		{"settle_for_ever", "settle: 999999h", "2:9: settle", "5m0s"},
		{"settle_of_nothing", "settle: 0s", "2:9: settle", "default"},
		{"settle_negative", "settle: -2s", "2:9: settle", "default"},
		{"sweep_each_second", "sweep: 1s", "2:8: sweep", "1m0s"},
		{"sweep_each_year", "sweep: 8760h", "2:8: sweep", "24h0m0s"},
		{"approval_for_ever", "approval_ttl: 9999h", "2:15: approval_ttl", "30 days"},
		{"breaker_of_an_instant", "breakers: {window: 1ns}", "2:20: breakers.window", "1m0s"},
		{"flapping_of_an_instant", "flapping: {window: 1ns}", "2:20: flapping.window", "1m0s"},
		{"organisation_that_is_none", "organization: acme", "2:15: organization", "o-a1b2c3d4e5"},
		{"trusted_account_that_is_none", "trusted_accounts: [{id: acme, name: ACME Data, reason: contract 42}]", "2:25: trusted_accounts[0].id", "12 digits"},
		{"trusted_account_twice", "trusted_accounts:\n  - {id: '222233334444', name: ACME Data, reason: contract 42}\n  - {id: '222233334444', name: ACME Data, reason: contract 42}", "4:10: trusted_accounts[1].id", "twice"},
		{"trusted_account_of_nobody", "trusted_accounts: [{id: '222233334444', reason: contract 42}]", "2:20: trusted_accounts[0]", "name"},
		{"workers_many", "workers: 1000", "2:10: workers", "256"},
		{"number_as_text", "workers: many", "2:10: workers", "whole number"},
		{"list_as_text", "regions: us-east-1", "2:10: regions", "write a list"},
		{"budget_negative", "budget_per_hour: -1", "2:18: budget_per_hour", "nothing automatic"},
		{"budget_of_none", "budget_per_hour: 0\nbudget_organization_per_hour: 0", "", ""},
		{"allow_everything", allow(wideOf("0.0.0.0/0")), "2:18: network.allow", "100% of the public IPv4"},
		{"allow_everything_in_halves", allow(wideOf("0.0.0.0/1") + ", " + wideOf("128.0.0.0/1")), "2:18: network.allow", "IPv4"},
		{"allow_everything_of_ipv6", allow(wideOf("::/0")), "2:18: network.allow", "100% of the public IPv6"},
		{"allow_all_that_is_given_of_ipv6", allow(wideOf("2000::/4") + ", " + wideOf("3000::/4")), "2:18: network.allow", "IPv6"},
		{"allow_a_quarter", allow(wideOf("64.0.0.0/2")), "2:18: network.allow", "IPv4"},
		{"allow_many_pieces", allow(strings.Join(many, ", ")), "2:18: network.allow", "IPv4"},
		{"allow_wide_alone", allow("3.0.0.0/8"), "2:19: network.allow[0]", "owner is missing"},
		{"allow_wide_of_ipv6_alone", allow("'2600::/32'"), "2:19: network.allow[0]", "wider than /40"},
		{"allow_wide_without_expiry", allow("{cidr: 3.0.0.0/8, owner: net, reason: ours}"), "2:19: network.allow[0]", "expires is missing"},
		{"allow_wide_with_a_blank", allow("{cidr: 3.0.0.0/8, owner: net, reason: '-', expires: 2099-12-31}"), "2:19: network.allow[0]", "says nothing"},
		{"allow_wide_on_no_day", allow("{cidr: 3.0.0.0/8, owner: net, reason: ours, expires: soon}"), "2:19: network.allow[0]", "not a day"},
		{"allow_wide_of_two", allow("3.0.0.0/16, 3.1.0.0/16"), "2:18: network.allow", "3.0.0.0/15"},
		{"allow_unknown_key", allow("{cidr: 3.0.0.0/24, owners: net}"), "2:38: unknown field \"owners\"", "owner"},
		{"allow_wide", allow(halves("3.0.0.0/8") + ", 198.51.100.0/24, '2600:1f00::/40'"), "", ""},
		{"keep_everything", "network: {keep_internal: [0.0.0.0/0]}", "2:26: network.keep_internal", "switch remediation off"},
		{"keep_the_private", "network: {keep_internal: [10.0.0.0/8, 172.16.0.0/12, 'fc00::/7']}", "", ""},
		{"keep_a_word", "network: {keep_internal: vpc}", "", ""},
		{"keep_no_known_word", "network: {keep_internal: all}", "2:26: network.keep_internal", "private, vpc or none"},
		{"keep_no_range", "network: {keep_internal: [10.0.0.0/33]}", "2:27: network.keep_internal[0]", "10.0.0.0/33"},
		{"keep_a_mapping", "network: {keep_internal: {a: b}}", "2:26: network.keep_internal", ""},
		{"exemptions_missing", "exemptions: nowhere.yaml", "2:13: exemptions", "write the path"},
		{"exemptions_broken", "exemptions: broken.yaml", "2:13: exemptions", "broken.yaml:1:10"},
		{"flow_logs_missing", "flow_logs: [nowhere]", "2:13: flow_logs[0]", "write the path"},
		{"anchors", "regions: &r [us-east-1]\nown_resources: []\nflow_logs: []", "", ""},
		{"fault_beside_anchors", "owner_tags: &r [a]\nregions: [us-est-1]", "3:11: regions[0]", "us-est-1"},
		{"two_documents", "---\nversion: 1", "3:1: a configuration is one YAML document", ""},
		{"byte_order_mark_inside", "instance: a\ufeffb", "2:12: here is the character U+FEFF", "remove it"},
		{"override_in_a_comment", "mode: observe # \u202e", "2:17: here is the character U+202E", "remove it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := fileIn(t, dir, "dera.yaml", "version: 1\n"+tt.text+"\n")
			fileIn(t, dir, "broken.yaml", "version: 2\nexemptions: []\n")
			out, errOut, code := said(t, "config", "check", path, "--data", filepath.Join(dir, "data"))
			if tt.want == "" {
				if code != exitGood {
					t.Errorf("got %d, want it valid\n%s%s", code, out, errOut)
				}
				return
			}
			if code != exitUsage || !strings.Contains(errOut, path+":"+tt.want) || !strings.Contains(errOut, tt.says) {
				t.Errorf("got %d, want %s and %q\n%.900s", code, tt.want, tt.says, errOut)
			}
			if n := strings.Count(errOut, path+":"); n != 1 {
				t.Errorf("got %d faults, want one\n%.900s", n, errOut)
			}
		})
	}
}

// TestConfigCheckFindsAllAtOnce: one fault does not hide another, and what lies
// beside the file is looked at too.
func TestConfigCheckFindsAllAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := fileIn(t, dir, "dera.yaml", "version: 1\nmod: enforce\nregions: [nowhere]\nsettle: never\naccounts: [{id: '12'}]\n")
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(filepath.Join(data, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	fileIn(t, data, "dera.db", "")
	_, errOut, code := said(t, "config", "check", path, "--data", data)
	for _, want := range []string{":2:1: unknown field", ":3:11: regions[0]", ":4:9: settle", ":5:17: accounts[0].id", "vault.key is missing", "audit.key is missing"} {
		if code != exitUsage || !strings.Contains(errOut, want) {
			t.Errorf("got %d without %q\n%s", code, want, errOut)
		}
	}
	if err := os.Chmod(data, 0o750); err != nil {
		t.Fatal(err)
	}
	good := fileIn(t, dir, "good.yaml", "version: 1\n")
	if _, errOut, code := said(t, "config", "check", good, "--data", data); code != exitUsage || !strings.Contains(errOut, "chmod 700 "+data) {
		t.Errorf("a data folder that others can read: got %d\n%s", code, errOut)
	}
	if out, _, code := said(t, "config", "check", path, "--data", data, "-o", "json"); code != exitUsage || !strings.Contains(out, `"field": "regions[0]"`) || !strings.Contains(out, `"line": 3`) {
		t.Errorf("JSON: got %d\n%s", code, out)
	}
}

// TestAllowLapses: an entry with an expiry holds to the end of its last day.
func TestAllowLapses(t *testing.T) {
	t.Parallel()
	path := fileIn(t, t.TempDir(), "dera.yaml", "version: 1\nnetwork: {allow: [198.51.100.0/24, {cidr: 203.0.113.0/24, owner: net, reason: ours, expires: 2026-11-30}]}\n")
	c, err := loadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.settings()
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]int{"2026-11-30T23:59:59Z": 2, "2026-12-01T00:00:00Z": 1} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(s.At(now).Allow); got != want {
			t.Errorf("at %s: got %d networks, want %d", at, got, want)
		}
	}
}
