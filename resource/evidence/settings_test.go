package evidence

import (
	"encoding/json"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// vault is a configuration with two settings, a third of another value, and
// something that is none.
type vault struct {
	Name   string `json:"name"`
	Public *bool  `json:"public"`
	Locked *bool  `json:"locked"`
	Lock   struct {
		Mode string `json:"mode"`
	} `json:"lock"`
	Size int `json:"size"`
}

func vaultType() resource.Type {
	return resource.Define(resource.Spec[vault]{
		Name:     "AWS::Test::Vault",
		ARN:      func(_, _, _, id string) dera.ARN { return dera.ARN("arn:aws:test:::" + id) },
		Identify: func(v *vault) (id, name string, tags map[string]string) { return v.Name, v.Name, nil },
		Settings: []resource.Setting{
			{Path: "public", Says: "public access", Operation: "test:PutPublic", Order: []any{true, false}},
			{Path: "locked", Says: "the lock", Operation: "test:Lock", Off: "test:Unlock", Order: []any{false, true}},
			{Path: "lock.mode", Says: "the mode of the lock", Operation: "test:PutMode", Order: []any{"none", "soft", "hard"}},
		},
		Operations: []resource.Operator[vault]{resource.Op(resource.OpSpec[vault, vault]{
			OperationType: resource.OperationType{Name: "test:Resize"},
			Of:            func(in vault) (string, error) { return in.Name, nil },
			Apply:         func(v *vault, in vault) { v.Size = in.Size },
		})},
	})
}

func newVault() *vault {
	yes, no := true, false
	v := &vault{Name: "v", Public: &yes, Locked: &no, Size: 3}
	v.Lock.Mode = "soft"
	return v
}

func set1(t *testing.T, path string, value any) dera.Change {
	t.Helper()
	c, err := vaultType().Set(newVault(), path, value)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// refuted are the claims that do not hold, with their witnesses.
func refuted(ev dera.Evidence) string {
	var out []string
	for _, c := range ev.Claims {
		if c.Verdict != dera.Proved {
			out = append(out, c.Name+": "+c.Witness)
		}
	}
	return strings.Join(out, "; ")
}

// TestSettingsClaims: every plan that is nearly the right one refutes the claim
// that it breaks, and no other.
func TestSettingsClaims(t *testing.T) {
	t.Parallel()
	private := map[string]any{"public": false}
	resize := dera.Change{Operation: "test:Resize", Version: 1, Input: []byte(`{"name":"v","size":4}`)}
	tests := []struct {
		name    string
		changes []dera.Change
		wanted  map[string]any
		denied  string
		refuted string
	}{
		{"as_it_should_be", []dera.Change{set1(t, "public", false)}, private, "public = true", ""},
		{"by_the_second_write", []dera.Change{set1(t, "locked", true)}, map[string]any{"locked": true}, "locked = false", ""},
		{"of_a_deeper_member", []dera.Change{set1(t, "lock.mode", "hard")}, map[string]any{"lock.mode": "hard"}, `lock.mode = "soft"`, ""},
		{"two_at_once", []dera.Change{set1(t, "public", false), set1(t, "locked", true)}, map[string]any{"public": false, "locked": true}, "locked = false", ""},
		{"another_setting_changes_too", []dera.Change{set1(t, "public", false), set1(t, "locked", true)}, private, "public = true", "only_these_changed: locked"},
		{"something_that_is_no_setting_changes", []dera.Change{set1(t, "public", false), resize}, private, "public = true", "only_these_changed: something that is no setting"},
		{"nothing_changes", nil, private, "", "finding_resolved: public is true before and true after, want false after only"},
		{"the_wanted_value_is_not_reached", []dera.Change{set1(t, "lock.mode", "hard")}, map[string]any{"lock.mode": "none"}, `lock.mode = "soft"`,
			`finding_resolved: lock.mode is "soft" before and "hard" after, want "none" after only`},
		{"a_weaker_value", []dera.Change{set1(t, "lock.mode", "none")}, map[string]any{"lock.mode": "none"}, `lock.mode = "soft"`, `never_weaker: lock.mode goes from "soft" to "none"`},
		{"a_value_that_nobody_knows", []dera.Change{set1(t, "lock.mode", "glass")}, map[string]any{"lock.mode": "glass"}, `lock.mode = "soft"`, `never_weaker: lock.mode goes from "soft" to "glass"`},
		{"it_was_so_before", []dera.Change{set1(t, "public", true)}, map[string]any{"public": true}, "", "finding_resolved: public is true before and true after, want true after only"},
		{"no_setting_is_named", nil, nil, "", "finding_resolved: no setting is named"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ev, err := ProveSettings(vaultType(), newVault(), tc.changes, tc.wanted)
			if err != nil {
				t.Fatal(err)
			}
			if got := refuted(ev); got != tc.refuted {
				t.Errorf("refuted: got %q, want %q", got, tc.refuted)
			}
			if ev.Denied != tc.denied || ev.Kind != SettingsKind || ev.Proved() != (tc.refuted == "") {
				t.Errorf("got denied %q, kind %s, proved %t; want %q", ev.Denied, ev.Kind, ev.Proved(), tc.denied)
			}
			blob, _, err := ev.Blob()
			if err != nil {
				t.Fatal(err)
			}
			if err := Check(blob, NetworkEvidence(), SettingsEvidence()); err != nil {
				t.Errorf("check: %v", err)
			}
			if err := Check(blob, NetworkEvidence()); err == nil {
				t.Error("checked by someone who does not know the kind")
			}
		})
	}
	if _, err := ProveSettings(vaultType(), newVault(), nil, map[string]any{"size": 4}); err == nil {
		t.Error("proved a member that is no setting")
	}
}

// TestSettingsTampered: a body that states something else does not carry the
// claims of before, and one that is not canonical or has a field more is none.
func TestSettingsTampered(t *testing.T) {
	t.Parallel()
	ev, err := ProveSettings(vaultType(), newVault(), []dera.Change{set1(t, "public", false)}, map[string]any{"public": false})
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]func(*Settings){
		"another_setting_after":       func(s *Settings) { s.After["locked"] = json.RawMessage("true") },
		"a_setting_more_after":        func(s *Settings) { s.After["more"] = json.RawMessage("true") },
		"a_setting_less_after":        func(s *Settings) { delete(s.After, "locked") },
		"the_old_value_after":         func(s *Settings) { s.After["public"] = json.RawMessage("true") },
		"another_value_before":        func(s *Settings) { s.Before["public"] = json.RawMessage("false") },
		"nothing_is_wanted":           func(s *Settings) { s.Wanted = nil },
		"what_was_before_is_wanted":   func(s *Settings) { s.Wanted["public"] = json.RawMessage("true") },
		"the_order_is_the_other_way":  func(s *Settings) { s.Order["public"] = []json.RawMessage{[]byte("false"), []byte("true")} },
		"there_is_no_order":           func(s *Settings) { s.Order = nil },
		"the_rest_is_another_after":   func(s *Settings) { s.RestAfter += "0" },
		"the_rest_was_another_before": func(s *Settings) { s.RestBefore += "0" },
	}
	for name, tamper := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s Settings
			if err := Strict(ev.Body, &s); err != nil {
				t.Fatal(err)
			}
			tamper(&s)
			body, err := dera.CanonicalJSON(s)
			if err != nil {
				t.Fatal(err)
			}
			forged := ev
			forged.Body = body
			blob, _, err := forged.Blob()
			if err != nil {
				t.Fatal(err)
			}
			if Check(blob, SettingsEvidence()) == nil {
				t.Errorf("it checks: %s", forged.Body)
			}
		})
	}
	for name, body := range map[string]string{
		"a_field_more":  strings.Replace(string(ev.Body), "{", `{"comment":"",`, 1),
		"text_after_it": string(ev.Body) + "{}",
	} {
		if _, err := Remade[Settings]([]byte(body)); err == nil {
			t.Errorf("%s: it can be read", name)
		}
		forged := ev
		forged.Body = []byte(body)
		blob, err := json.Marshal(forged)
		if err == nil && Check(blob, SettingsEvidence()) == nil {
			t.Errorf("%s: it checks", name)
		}
	}
}
