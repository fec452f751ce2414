package trail

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/cloudtrail"
)

// EventsNarrowed finds trails that record only some of the management events.
func EventsNarrowed() control.Control {
	meta := control.Meta{
		ID: "cloudtrail-trail-events-narrowed", Title: "CloudTrail trail leaves out management events", Type: Name, Severity: dera.High, Watches: true,
		Why:        "A trail that logs, and leaves out the very events that matter, looks as if all were well.",
		Fix:        "One selector takes all management events. Every selector of other events stays as it is; the undo puts back those that there were.",
		Complexity: "low",
		Cases: []control.Case{
			{When: "management events are recorded in part only: reads or writes, without some source, or by a condition", Disposition: dera.Review, Because: "events of KMS, and reads, are many, so that somebody may have left them out for their cost"},
			{When: "the trail records data events alone", Disposition: dera.Review, Because: "another trail may have the management events, and a second copy costs"},
		},
		Refs:  cloudtrail.Refs("3.1", "CloudTrail.1", "MULTI_REGION_CLOUD_TRAIL_ENABLED"),
		Reads: Type().Reads(), Writes: []string{PutSelectors},
		Owner: "dera maintainers", ReviewBy: "2027-11-01",
	}
	return control.Define(control.Spec[*Trail]{
		Meta: meta,
		Check: func(t *Trail, _ control.Settings) control.Result {
			if t.Selectors == nil {
				return control.Result{Outcome: control.UnknownResult, Why: "the event selectors could not be read"}
			}
			why, _ := t.Selectors.Missing()
			if why == "" {
				return control.Result{Outcome: control.Pass}
			}
			return control.Result{Outcome: control.Fail, Whole: true, Failures: []control.Failure{{
				Key: "management-events", Start: dera.Review, Severity: meta.Severity, Title: meta.Title, Why: "Of management events " + why + ".",
			}}}
		},
		Plan: func(t *Trail, _ []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			to, ok := t.Selectors.Whole()
			if !ok {
				return nil, &control.Refusal{Code: "selector-quota", Why: "a trail takes five event selectors, and its data events have all of them"}
			}
			change, err := t.Record(to)
			if err != nil {
				return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
			}
			return []dera.Change{change}, nil
		},
		Prove: func(t *Trail, _ []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			after, err := Type().ApplyPlan(t, dera.Plan{Changes: changes})
			if err != nil {
				return dera.Evidence{}, err
			}
			to := *after.(*Trail)
			e := cloudtrail.EventsClaims{Trail: t.ID, Before: *t.Selectors, After: *to.Selectors}
			to.Selectors = t.Selectors
			before, err := Type().Canon(t)
			if err != nil {
				return dera.Evidence{}, err
			}
			rest, err := Type().Canon(&to)
			if err != nil {
				return dera.Evidence{}, err
			}
			e.Only = before == rest
			return e.Evidence()
		},
	})
}
