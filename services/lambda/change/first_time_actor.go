package change

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// FirstTimeActor finds changes by somebody who made none before.
func FirstTimeActor() control.Control {
	return control.Define(control.Spec[*Function]{
		Meta: control.Meta{
			ID: "lambda-change-first-time-actor", Title: "Code of a function was changed by who never did that before", Type: Name, Severity: dera.Medium,
			Why:        "Whoever replaces the code or a layer of a function runs with the permissions of its role from then on, at each call. A pipeline does it again and again; somebody who stole credentials does it once.",
			Fix:        "dera changes nothing. Whoever knows of the change attaches it as an incident; if nobody does, the function is deployed again from its source, and the credentials of the actor are in the wrong hands.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "the event history of CloudTrail has a change of the code or the layers in the last two days, the usage ledger is whole for its window and has no such change of the same principal from before, and no incident covers it", Disposition: dera.Alert, Because: "whether it was a deployment a person knows"},
			},
			Refs:  []control.Ref{{Standard: "MITRE ATT&CK", ID: "T1648", URL: "https://attack.mitre.org/techniques/T1648/"}},
			Reads: Type().Reads(), Incident: true, Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Check: func(f *Function, _ control.Settings) control.Result { return f.check() },
	})
}

func (f *Function) check() control.Result {
	if f.Explained == nil {
		return control.Result{Outcome: control.UnknownResult, Why: "it is not known which of its changes an incident explains"}
	}
	last := f.Explained.Open
	var why, gaps []string
	unrecorded := false
	for _, c := range f.Changes {
		at := dera.LastUse{Seen: c.At}
		switch {
		case !at.Beyond(f.Explained.Covered):
		case c.Use == nil:
			unrecorded = true
		case c.before():
		case c.gap() != "":
			gaps = append(gaps, c.gap())
		default:
			last = last.With(at)
			why = append(why, fmt.Sprintf("%s of %s at %s from %s: the record from %s on has no such call of it before.", c.Call, c.Principal, c.At.Format(time.RFC3339), c.From, c.Use.From.Format(time.RFC3339)))
		}
	}
	switch {
	case last.Beyond(f.Explained.Covered):
		text := append(why, "It stays open until an incident is attached: dera incident attach FINDING --reference REFERENCE.")
		return control.Result{Outcome: control.Fail, Whole: true, Failures: []control.Failure{{
			Key: "use", Start: dera.Alert, Severity: dera.Medium, Title: "Code of function " + f.Name + " was changed by who never did that before", Why: strings.Join(text, " "), Used: &last,
		}}}
	case len(gaps) > 0:
		return control.Result{Outcome: control.UnknownResult, Why: "whether the actor did it before is not known: the record has gaps (" + gaps[0] + ")"}
	case unrecorded:
		return control.Result{Outcome: control.NotApplicable, Unrecorded: true}
	}
	out := control.Result{Outcome: control.Pass}
	if f.Explained.Reference != "" {
		out.Settled = map[string]string{"use": fmt.Sprintf("Incident %q explains the changes, up to %s.", f.Explained.Reference, f.Explained.Covered.Text())}
	}
	return out
}

// gap says why it is not known whether the principal did it before; "" where it is known.
func (c Change) gap() string {
	switch missing := c.Use.Missing(); {
	case len(missing) > 0:
		return missing[0]
	case resource.Stale(c.Use.To, c.At):
		return "it ends at " + c.Use.To.Format(time.RFC3339)
	}
	return ""
}

// before reports whether the record has such a call of the principal from before. One that was
// denied changed nothing.
func (c Change) before() bool {
	return slices.ContainsFunc(c.Use.Calls, func(call resource.Call) bool {
		return call.Name == c.Call && !call.First.IsZero() && call.First.Before(c.At.Truncate(time.Second))
	})
}
