// Package regional is the shape of a setting that an account has once in each region: a
// state, and what else the same write could set. A type is data (Kind), and so are its
// controls.
package regional

import (
	"slices"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// State is the path of the setting of every type of this shape, and the key of its finding.
const State = "state"

// The parts.
const (
	PartState = "state"
	PartUses  = "what depends on it"
)

// Setting is a setting of a region of an account.
type Setting struct {
	Region string `json:"region"`
	// State is the state as AWS says it; empty where it is not known.
	State string `json:"state,omitempty"`
	// ManagedBy is Account, or what of the organisation sets it in place of the account.
	ManagedBy string `json:"managed_by,omitempty"`
	// Others are what the same write could set too, and must not: their names and values.
	Others map[string]string `json:"others,omitempty"`
	// Uses are what depends on the least secure state, for people, where UsesRead says that
	// it is known. Both are for a type with a part for them.
	Uses     []string `json:"uses,omitempty"`
	UsesRead bool     `json:"uses_read,omitempty"`
}

// Account is the manager of a setting that the account may change.
const Account = "account"

// Kind is a type of this shape, as data.
type Kind struct {
	// Name is the type's, Service its prefix in ARNs, and Slug names it in one where AWS gives
	// it none; else Resource is that of AWS's. Label is what people call it.
	Name, Service, Slug, Resource, Label string
	// Says is what the state is about, for people.
	Says string
	// Reads are the IAM actions of PartState, and Uses those of PartUses; none for a type
	// without that part.
	Reads, Uses []string
	// Set is the write, Unset the one that sets the first of Order where AWS has two, and
	// Order the states, the least secure first. No Set: dera writes none.
	Set, Unset string
	DryRun     bool
	Order      []string
	Terraform  string
	// Source and Calls are the events after which it may be another, none of which names a
	// resource.
	Source string
	Calls  []string
	// Denies bounds what the most secure state denies; none for nothing.
	Denies []resource.Bounds
	Note   string
}

// ARN names the setting of a region.
func (k Kind) ARN(partition, account, _, region string) dera.ARN {
	if k.Resource != "" {
		return dera.NewARN(partition, k.Service, region, account, k.Resource)
	}
	return dera.NewARN(partition, k.Service, region, account, k.Slug+"/"+region)
}

// ID is the ID of the setting of a region, as its ARN has it: the region, or the name
// that AWS gives it.
func (k Kind) ID(region string) string {
	if k.Resource != "" {
		return dera.NewARN("", k.Service, "", "", k.Resource).Name()
	}
	return region
}

// Type makes the type.
func (k Kind) Type() resource.Type {
	spec := resource.Spec[Setting]{
		Name: k.Name, ARN: k.ARN, SampleIDs: []string{"eu-west-1", "us-east-2", "ap-south-1"}, Note: k.Note,
		Identify: func(s *Setting) (id, name string, tags map[string]string) { return k.ID(s.Region), k.Label, nil },
		Parts:    []resource.Part{{Name: PartState, Action: k.Reads[0], Also: k.Reads[1:], Cheap: true}},
		Around:   []string{"uses", "uses_read"},
		Events:   cloudtrail.Events{Type: k.Name, Calls: cloudtrail.Calls(k.Source, func(c cloudtrail.Call) []dera.Scope { return c.Sweep(k.Name) }, k.Calls...)},
	}
	if k.Resource != "" {
		spec.SampleIDs = []string{k.ID("")}
	}
	if len(k.Uses) > 0 {
		spec.Parts = append(spec.Parts, resource.Part{Name: PartUses, Action: k.Uses[0], Also: k.Uses[1:], Around: true})
	}
	if k.Set != "" {
		set := resource.Setting{
			Path: State, Says: k.Says, Operation: k.Set, Off: k.Unset, DryRun: k.DryRun, Terraform: k.Terraform,
			Denies: func(dera.Plan) []resource.Bounds { return k.Denies },
		}
		for _, v := range k.Order {
			set.Order = append(set.Order, v)
		}
		if k.Unset != "" {
			set.OffValue = k.Order[0]
		}
		spec.Settings = []resource.Setting{set}
	}
	return resource.Define(spec)
}

// Control is a control on the state: it fails where that is not the last of Order. What a
// policy of the organisation sets is not the account's to change.
func (k Kind) Control(m control.Meta, start func(s *Setting) (dera.Disposition, string)) control.Control {
	return control.OnSetting(k.Type(), control.SettingSpec[Setting]{
		Meta: m, Path: State,
		Start: func(s *Setting, _ control.Settings) (dera.Disposition, string) { return start(s) },
		Refuse: func(s *Setting) *control.Refusal {
			switch {
			case !slices.Contains(k.Order, s.State):
				return &control.Refusal{Code: "unknown-state", Why: "what the state " + s.State + " means, this version does not know"}
			case s.ManagedBy == Account || s.ManagedBy == "":
				return nil
			}
			return &control.Refusal{Code: "managed", Why: "it is set by a " + s.ManagedBy + " of the organisation, which the account cannot change"}
		},
	})
}

// Alert is a control that only reports states: it fails where insecure says why.
func (k Kind) Alert(m control.Meta, insecure func(s *Setting) (why string)) control.Control {
	m.Type, m.Reads = k.Name, k.Type().Reads()
	return control.Define(control.Spec[*Setting]{
		Meta: m,
		Check: func(s *Setting, _ control.Settings) control.Result {
			why := insecure(s)
			switch {
			case s.State == "":
				return control.Result{Outcome: control.UnknownResult, Why: k.Says + " could not be read"}
			case why == "":
				return control.Result{Outcome: control.Pass}
			}
			return control.Result{Outcome: control.Fail, Whole: true, Failures: []control.Failure{{Key: State, Start: dera.Alert, Severity: m.Severity, Title: m.Title, Why: why}}}
		},
	})
}

// Always starts every finding alike.
func Always(d dera.Disposition, why string) func(*Setting) (dera.Disposition, string) {
	return func(*Setting) (dera.Disposition, string) { return d, why }
}

// Try returns the changes that set the most secure state and the least secure one: their dry
// run tells whether they are allowed.
func (k Kind) Try(region string) ([]dera.Change, error) {
	set, err := k.Type().Set(&Setting{Region: region, State: k.Order[0]}, State, k.Order[len(k.Order)-1])
	if err != nil {
		return nil, err
	}
	return []dera.Change{set, {Operation: set.Undo.Operation, Version: set.Undo.Version, Input: set.Undo.Input}}, nil
}
