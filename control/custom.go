package control

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource/evidence"
)

// CustomFix is what the configuration names as the fix of a control, in the accounts that
// match: an SSM Automation document or a Lambda function, which runs in the account and
// region of the finding.
type CustomFix struct {
	Account string // a glob; empty is any
	Run     CustomRun
	Undo    *CustomRun // nil for none
}

// CustomRun is a document or a function with its parameters.
type CustomRun struct {
	Document string
	Function string
	// Version is a number; of a document empty for its default version, whose number the
	// plan holds then.
	Version string
	// Role is the name of the role, with its path, as which a document acts; empty for the
	// document's own.
	Role string
	// Parameters are what it is given; of the values, placeholders are filled in.
	Parameters map[string][]string
	Timeout    time.Duration
}

// Placeholders are what the values of parameters may name of the finding, in braces.
func Placeholders() []string {
	return []string{"{resource_arn}", "{resource_id}", "{account}", "{region}", "{partition}"}
}

// of is what is run for a resource, without the hashes.
func (c CustomRun) of(r dera.Resource) dera.CustomInput {
	in := dera.CustomInput{Document: c.Document, Function: c.Function, Version: c.Version, Seconds: int(c.Timeout / time.Second)}
	if c.Role != "" {
		in.Role = dera.NewARN(r.Partition, "iam", "", r.Account, "role/"+strings.TrimPrefix(c.Role, "/"))
	}
	fill := strings.NewReplacer("{resource_arn}", string(r.ARN), "{resource_id}", r.ID, "{account}", r.Account, "{region}", r.Region, "{partition}", r.Partition)
	for name, values := range c.Parameters {
		if in.Parameters == nil {
			in.Parameters = map[string][]string{}
		}
		for _, v := range values {
			in.Parameters[name] = append(in.Parameters[name], fill.Replace(v))
		}
	}
	return in
}

// WithCustom returns the control with custom fixes; where several match an account the last
// one counts. Where one does, a person decides: what it does is not proved.
func (c Control) WithCustom(fixes ...CustomFix) Control {
	c.custom = fixes
	return c
}

// CustomFixes are the custom fixes of the control.
func (c Control) CustomFixes() []CustomFix { return c.custom }

// Custom returns the custom fix of a resource, without the hashes; ok is false where the
// control has none there.
func (c Control) Custom(r dera.Resource) (in dera.CustomInput, ok bool) {
	f := c.customIn(r.Account)
	if f == nil {
		return in, false
	}
	in = f.Run.of(r)
	if f.Undo != nil {
		undo := f.Undo.of(r)
		in.Undo = &undo
	}
	return in, true
}

func (c Control) customIn(account string) *CustomFix {
	for i := len(c.custom) - 1; i >= 0; i-- {
		if c.custom[i].Account == "" || dera.MatchGlob(c.custom[i].Account, account) {
			return &c.custom[i]
		}
	}
	return nil
}

// proposed are the failures with what the control proposes where a custom fix is its fix:
// review, also of a control that only alerts. What a control with a fix of its own only
// alerts about stays so.
func (c Control) proposed(r dera.Resource, res Result) Result {
	if c.customIn(r.Account) == nil {
		return res
	}
	res.Failures = slices.Clone(res.Failures)
	for i := range res.Failures {
		if f := &res.Failures[i]; f.Start == dera.Auto || f.Start == dera.Alert && c.alertOnly {
			f.Start = dera.Review
		}
	}
	return res
}

// CustomPlan makes the plan and the evidence of a custom fix, with its hashes.
func (c Control) CustomPlan(r dera.Resource, failures []Failure, in dera.CustomInput) (dera.Plan, dera.Evidence, error) {
	change := dera.Change{Operation: in.Operation(), Version: 1, Diff: in.Diff()}
	var err error
	if change.Input, err = json.Marshal(in); err != nil {
		return dera.Plan{}, dera.Evidence{}, fmt.Errorf("custom fix of %s: %w", c.ID, err)
	}
	if in.Undo != nil {
		text, err := json.Marshal(in.Undo)
		if err != nil {
			return dera.Plan{}, dera.Evidence{}, fmt.Errorf("custom fix of %s: %w", c.ID, err)
		}
		change.Undo = &dera.Undo{Operation: in.Undo.Operation(), Version: 1, Input: text}
	}
	p := c.planOf(r, failures, []dera.Change{change})
	ev, err := evidence.Custom(in)
	ev.Control = c.ID
	return p, ev, err
}
