package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestConfigSchema: the schema takes what dera takes and refuses what an editor
// should refuse.
func TestConfigSchema(t *testing.T) {
	t.Parallel()
	text, err := configSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile(filepath.Join("..", "..", "examples", "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, text string
		ok         bool
	}{
		{"the_example", string(example), true},
		{"nothing_but_the_version", "version: 1", true},
		{"unknown_field", "version: 1\nfreezes: []", false},
		{"unknown_field_of_a_match", "version: 1\ncriteria: [{disposition: review, reason: x, match: {tags: {a: b}}}]", false},
		{"criterion_that_exempts", "version: 1\ncriteria: [{disposition: exempt, reason: x}]", false},
		{"criterion_without_a_reason", "version: 1\ncriteria: [{disposition: review}]", false},
		{"window_without_a_zone", "version: 1\nfreeze_windows: [{name: a, days: [mon]}]", false},
		{"window", "version: 1\nfreeze_windows: [{name: a, days: [mon], from: '10:00', zone: UTC, match: {ou: x}}]", true},
		{"no_reserve", "version: 1\nbreakers: {reserve: -1, quiet: 30m, production: {ou: prod}}", true},
		{"shorter_without_who", "version: 1\nobservation: {shorter: [{days: 1, reason: x, until: '2030-01-01'}]}", false},
		{"own_networks", "version: 1\nnetwork: {allow: [198.51.100.0/24, {cidr: 3.0.0.0/8, owner: a, reason: b, expires: '2030-01-01'}]}", true},
		{"own_network_with_an_unknown_field", "version: 1\nnetwork: {allow: [{cidr: 3.0.0.0/8, owners: a}]}", false},
		{"trusted_account", "version: 1\norganization: o-a1b2c3d4e5\ntrusted_accounts: [{id: '222233334444', name: a, reason: b}, {id: o-b1b2c3d4e5, name: a, reason: b}]", true},
		{"trusted_account_without_a_reason", "version: 1\ntrusted_accounts: [{id: '222233334444', name: a}]", false},
		{"trusted_account_that_is_none", "version: 1\ntrusted_accounts: [{id: acme, name: a, reason: b}]", false},
		{"no_organisation", "version: 1\norganization: acme", false},
		{"permissions", "version: 1\npermissions: {active_session: 0s, window_days: 90, schedules: [{principal: 'arn:aws:iam::*:role/a', period_days: 1, owner: a, reason: b}], quiet_hours: {holidays: ['2026-12-24'], weekend: false}}", true},
		{"permissions_of_a_short_window", "version: 1\npermissions: {window_days: 30}", false},
		{"schedule_without_a_period", "version: 1\npermissions: {schedules: [{principal: a, owner: a, reason: b}]}", false},
		{"release_without_a_name", "version: 1\npermissions: {quiet_hours: {releases: [{from: '2026-12-24', until: '2026-12-25'}]}}", false},
		{"fixer_without_an_owner", "version: 1\nfixers: [{control: x}]", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asJSON, err := yaml.YAMLToJSON([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(v); (err == nil) != tt.ok {
				t.Errorf("got %v, want valid %t", err, tt.ok)
			}
		})
	}
}
