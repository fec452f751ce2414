package control

import (
	"encoding/json"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/resource/evidence"
)

// SettingSpec is a control on one setting of a resource type: it fails where the
// setting is less secure than the most secure value of its order, which is then set.
type SettingSpec[T any] struct {
	// Meta is the control's; empty Type, Reads and Writes are filled in.
	Meta Meta
	Path string
	// Applies says why the control is not about a resource, or nothing; nil where it is
	// about all.
	Applies func(c *T) (why string)
	// Start is the disposition before any guardrail, and what of the resource decides
	// it; nil starts all at auto.
	Start func(c *T, s Settings) (start dera.Disposition, why string)
	// Refuse says why nothing may be written to the resource as it is: the finding
	// goes to a person and no plan is made. nil where there is nothing such.
	Refuse func(c *T) *Refusal
}

// OnSetting makes a control of its specification.
func OnSetting[T any](t resource.Type, spec SettingSpec[T]) Control {
	m := spec.Meta
	setting, err := t.Setting(spec.Path)
	if m.Type = t.Name; len(m.Reads) == 0 {
		m.Reads = t.Reads()
	}
	if len(m.Writes) == 0 {
		m.Writes = slices.DeleteFunc([]string{setting.Operation, setting.Off}, func(s string) bool { return s == "" })
	}
	var want any
	if n := len(setting.Order); n > 0 {
		want = setting.Order[n-1]
	}
	wanted := map[string]any{spec.Path: want}
	return Define(Spec[*T]{
		Meta: m,
		Check: func(c *T, s Settings) Result {
			values, bad := t.Values(c)
			value := values[spec.Path]
			rank, known := setting.Rank(value)
			switch {
			case err != nil || bad != nil || want == nil:
				return Result{Outcome: UnknownResult, Why: fmt.Sprintf("setting %s of %s cannot be read: %v, %v", spec.Path, t.Name, err, bad)}
			case spec.Applies != nil && spec.Applies(c) != "":
				return Result{Outcome: NotApplicable}
			case string(value) == "null":
				return Result{Outcome: UnknownResult, Why: setting.Says + " could not be read"}
			case known && rank == len(setting.Order)-1:
				return Result{Outcome: Pass}
			}
			f := Failure{
				Key: spec.Path, Start: dera.Auto, Severity: m.Severity, Title: m.Title,
				Why: fmt.Sprintf("The setting %s is %s; it should be %s.", spec.Path, value, text(want)),
			}
			if !known {
				f.Start, f.Why = dera.Review, f.Why+" Its value is not one whose meaning is known."
			}
			if spec.Start != nil {
				start, why := spec.Start(c, s)
				f.Start = f.Start.Lower(start)
				if why != "" {
					f.Why += " " + why
				}
			}
			if refusal := spec.refusal(c); refusal != nil {
				f.Start, f.Why = f.Start.Lower(dera.Review), f.Why+" No plan is made: "+refusal.Why+"."
			}
			return Result{Outcome: Fail, Failures: []Failure{f}, Whole: true}
		},
		Plan: func(c *T, _ []Failure, _ Settings) ([]dera.Change, *Refusal) {
			if refusal := spec.refusal(c); refusal != nil {
				return nil, refusal
			}
			change, err := t.Set(c, spec.Path, want)
			if err != nil {
				return nil, &Refusal{"cannot-plan", err.Error()}
			}
			return []dera.Change{change}, nil
		},
		Prove: func(c *T, _ []Failure, changes []dera.Change, _ Settings) (dera.Evidence, error) {
			return evidence.ProveSettings(t, c, changes, wanted)
		},
	})
}

func (s SettingSpec[T]) refusal(c *T) *Refusal {
	if s.Refuse == nil {
		return nil
	}
	return s.Refuse(c)
}

// text is a value as JSON.
func text(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		return "?" // values of settings are literals
	}
	return string(out)
}
