package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// SettingsKind is the kind of evidence that Settings makes.
const SettingsKind = "settings/1"

// SettingsEvidence is the kind of Settings.
func SettingsEvidence() Kind { return Kind{Name: SettingsKind, Remake: Remade[Settings]} }

// Settings is what a proof about settings is about: every setting of a resource
// before and after the plan, by its path, and those that the plan shall set.
type Settings struct {
	Resource string                     `json:"resource"` // its type
	Before   map[string]json.RawMessage `json:"before"`
	After    map[string]json.RawMessage `json:"after"`
	Wanted   map[string]json.RawMessage `json:"wanted"`
	// Order are the values of the wanted settings, the least secure first.
	Order map[string][]json.RawMessage `json:"order"`
	// RestBefore and RestAfter are digests of all of the canonical form that is no
	// setting.
	RestBefore string `json:"rest_before"`
	RestAfter  string `json:"rest_after"`
}

// ProveSettings makes the evidence for changes that set the settings of a
// configuration to their wanted values.
func ProveSettings(t resource.Type, config any, changes []dera.Change, wanted map[string]any) (dera.Evidence, error) {
	after, err := t.ApplyPlan(config, dera.Plan{Changes: changes})
	if err != nil {
		return dera.Evidence{}, err
	}
	s := Settings{Resource: t.Name, Wanted: map[string]json.RawMessage{}, Order: map[string][]json.RawMessage{}}
	for path, v := range wanted {
		setting, err := t.Setting(path)
		if err != nil {
			return dera.Evidence{}, err
		}
		if s.Wanted[path], err = dera.CanonicalJSON(v); err != nil {
			return dera.Evidence{}, err
		}
		for _, value := range setting.Order {
			text, err := dera.CanonicalJSON(value)
			if err != nil {
				return dera.Evidence{}, err
			}
			s.Order[path] = append(s.Order[path], text)
		}
	}
	if s.Before, s.RestBefore, err = t.Split(config); err != nil {
		return dera.Evidence{}, err
	}
	if s.After, s.RestAfter, err = t.Split(after); err != nil {
		return dera.Evidence{}, err
	}
	return s.Evidence()
}

// Evidence proves or refutes: the plan changes the wanted settings and nothing else
// of the canonical form; each has the wanted value then; and none of them is less
// secure than it was, in the order that its type declares.
func (s Settings) Evidence() (dera.Evidence, error) {
	body, err := dera.CanonicalJSON(s)
	if err != nil {
		return dera.Evidence{}, fmt.Errorf("settings evidence: %w", err)
	}
	ev := dera.Evidence{Kind: SettingsKind, Body: body, Claims: []dera.Claim{s.onlyThese(), s.resolved(), s.notWeaker()}}
	for _, path := range slices.Sorted(maps.Keys(s.Wanted)) {
		if !bytes.Equal(s.Before[path], s.After[path]) {
			ev.Denied = path + " = " + string(s.Before[path])
			break
		}
	}
	return ev, nil
}

func claimOf(name, says, witness string) dera.Claim {
	if witness != "" {
		return dera.Claim{Name: name, Says: says, Verdict: dera.Refuted, Witness: witness}
	}
	return dera.Claim{Name: name, Says: says, Verdict: dera.Proved}
}

func (s Settings) onlyThese() dera.Claim {
	witness := ""
	if s.RestBefore != s.RestAfter {
		witness = "something that is no setting"
	}
	for _, path := range slices.Sorted(maps.Keys(s.Before)) {
		if _, ok := s.Wanted[path]; !ok && !bytes.Equal(s.Before[path], s.After[path]) {
			witness = path
		}
	}
	for path := range s.After {
		if _, ok := s.Before[path]; !ok {
			witness = path
		}
	}
	return claimOf("only_these_changed", "nothing but the named settings changes", witness)
}

func (s Settings) resolved() dera.Claim {
	witness := ""
	if len(s.Wanted) == 0 {
		witness = "no setting is named"
	}
	for _, path := range slices.Sorted(maps.Keys(s.Wanted)) {
		if want := s.Wanted[path]; !bytes.Equal(s.After[path], want) || bytes.Equal(s.Before[path], want) {
			witness = fmt.Sprintf("%s is %s before and %s after, want %s after only", path, s.Before[path], s.After[path], want)
		}
	}
	return claimOf("finding_resolved", "each named setting has the secure value, which it did not have", witness)
}

func (s Settings) notWeaker() dera.Claim {
	rank := func(path string, value json.RawMessage) int {
		return slices.IndexFunc(s.Order[path], func(v json.RawMessage) bool { return bytes.Equal(v, value) })
	}
	witness := ""
	for _, path := range slices.Sorted(maps.Keys(s.Wanted)) {
		if before, after := rank(path, s.Before[path]), rank(path, s.After[path]); before < 0 || after < before {
			witness = fmt.Sprintf("%s goes from %s to %s", path, s.Before[path], s.After[path])
		}
	}
	return claimOf("never_weaker", "no named setting is less secure than before", witness)
}
