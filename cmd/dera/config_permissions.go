package main

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"dera.example/dera/control"
	"dera.example/dera/evaluate"
	"dera.example/dera/resource"
)

// permissionsConfig is when a permission may be taken away automatically.
type permissionsConfig struct {
	ActiveSession string              `yaml:"active_session,omitempty" json:"active_session,omitempty" jsonschema_description:"How long ago a call makes a principal active, for example 48h: review. 0s switches that off. Default: 48h."`
	WindowDays    *int                `yaml:"window_days,omitempty" json:"window_days,omitempty" jsonschema:"minimum=90" jsonschema_description:"Days within which a permission must not have been used. Default and least: 90."`
	NewGrantDays  *int                `yaml:"new_grant_days,omitempty" json:"new_grant_days,omitempty" jsonschema:"minimum=1" jsonschema_description:"Days for which new principals and new permissions go to review. Default: 14."`
	WatchDays     *int                `yaml:"watch_days,omitempty" json:"watch_days,omitempty" jsonschema:"minimum=0" jsonschema_description:"Days after a change in which denials of what it removed are looked for. 0 switches that off. Default: 14."`
	RarelyUsed    []string            `yaml:"rarely_used,omitempty" json:"rarely_used,omitempty" jsonschema_description:"More actions that are needed though they are rarely used, as globs: review."`
	AWSManaged    string              `yaml:"aws_managed,omitempty" json:"aws_managed,omitempty" jsonschema:"enum=review,enum=auto" jsonschema_description:"Whether policies of AWS are detached, or replaced by narrower copies, after review or automatically. Default: review."`
	Resources     string              `yaml:"narrow_resources,omitempty" json:"narrow_resources,omitempty" jsonschema:"enum=off,enum=review" jsonschema_description:"Whether permissions on more resources than recorded calls named are found, for review. Default: off."`
	Graduation    int                 `yaml:"graduation_days,omitempty" json:"graduation_days,omitempty" jsonschema:"minimum=0,maximum=30" jsonschema_description:"Days for which what nobody used is denied by a statement in its policy before it goes out of that. Default: 0, it goes at once."`
	ReportedUse   string              `yaml:"reported_use,omitempty" json:"reported_use,omitempty" jsonschema:"enum=optional,enum=required" jsonschema_description:"Whether a permission may go automatically where IAM's last-accessed data could not be read: optional (the usage ledger decides alone) or required (review). Default: optional."`
	Schedules     []evaluate.Schedule `yaml:"schedules,omitempty" json:"schedules,omitempty" jsonschema_description:"How often schedules start principals; a longer period than the window goes to review."`
	QuietHours    evaluate.QuietHours `yaml:"quiet_hours,omitempty" json:"quiet_hours,omitempty" jsonschema_description:"When no permission is changed automatically. Default: Friday from 12:00 and the weekend, in UTC."`
}

// accessConfig is how what dera took is given back.
type accessConfig struct {
	MaxHours *int `yaml:"max_hours,omitempty" json:"max_hours,omitempty" jsonschema:"minimum=1" jsonschema_description:"Hours for which dera access request may ask at most, counted from the request. Default: 12."`
}

// mostAccess bounds access.max_hours: what is longer is for good, and says so.
const mostAccess = 31 * 24

// most is the longest time, or 0 for the default.
func (c accessConfig) most() time.Duration { return time.Duration(configured(c.MaxHours)) * time.Hour }

// validate returns what is wrong, each with its field.
func (c accessConfig) validate() error {
	if h := c.MaxHours; h != nil && (*h < 1 || *h > mostAccess) {
		return fmt.Errorf("access.max_hours: is %d, write a number from 1 to %d, or leave it out for the default, 12", *h, mostAccess)
	}
	return nil
}

// mostWindow bounds the window: the ledger answers for no longer one.
const mostWindow = 399

// activeWithin is how long ago a call makes a principal active, as the guardrail takes
// it: 0 is its default, and less is never.
func (c permissionsConfig) activeWithin() (time.Duration, error) {
	if c.ActiveSession == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(c.ActiveSession)
	switch {
	case err != nil || d < 0 || d > 90*24*time.Hour:
		return 0, fmt.Errorf("permissions.active_session: %q is not a duration from 0s (off) to 2160h, such as 48h", c.ActiveSession)
	case d == 0:
		return -1, nil
	}
	return d, nil
}

// configured is a number of days, or 0 where the default holds.
func configured(days *int) int {
	if days == nil {
		return 0
	}
	return *days
}

// window is how long a permission must not have been used.
func (c permissionsConfig) window() time.Duration {
	return time.Duration(cmp.Or(configured(c.WindowDays), evaluate.LeastWindow)) * 24 * time.Hour
}

// validate returns what is wrong, each with its field.
func (c permissionsConfig) validate() error {
	var errs []error
	if d := c.WindowDays; d != nil && (*d < evaluate.LeastWindow || *d > mostWindow) {
		errs = append(errs, fmt.Errorf("permissions.window_days: is %d, write a number from %d to %d, or leave it out for the default, %[2]d", *d, evaluate.LeastWindow, mostWindow))
	}
	if d := c.NewGrantDays; d != nil && (*d < 1 || *d > mostWindow) {
		errs = append(errs, fmt.Errorf("permissions.new_grant_days: is %d, write a number from 1 to %d, or leave it out for the default", *d, mostWindow))
	}
	if d := c.WatchDays; d != nil && (*d < 0 || *d > mostWindow) {
		errs = append(errs, fmt.Errorf("permissions.watch_days: is %d, write a number from 0 (off) to %d, or leave it out for the default, %d", *d, mostWindow, watchDays))
	}
	if c.AWSManaged != "" && c.AWSManaged != "review" && c.AWSManaged != "auto" {
		errs = append(errs, fmt.Errorf("permissions.aws_managed: is %q, write review (the default) or auto", c.AWSManaged))
	}
	if c.Resources != "" && c.Resources != "off" && c.Resources != "review" {
		errs = append(errs, fmt.Errorf("permissions.narrow_resources: is %q, write off (the default) or review: it is never automatic", c.Resources))
	}
	if c.Graduation < 0 || c.Graduation >= resource.StagesBack {
		errs = append(errs, fmt.Errorf("permissions.graduation_days: is %d, write a number from 1 to %d, or leave it out: what nobody used goes at once", c.Graduation, resource.StagesBack-1))
	}
	if c.ReportedUse != "" && c.ReportedUse != "optional" && c.ReportedUse != "required" {
		errs = append(errs, fmt.Errorf("permissions.reported_use: is %q, write optional (the default) or required", c.ReportedUse))
	}
	_, active := c.activeWithin()
	_, quiet := evaluate.NewQuiet(c.QuietHours, time.Now)
	return errors.Join(append(errs, active, quiet, evaluate.RarelyUsed{Actions: c.RarelyUsed}.Validate(), evaluate.Scheduled{Declared: c.Schedules}.Validate())...)
}

// permissionGuards are the guardrails of what takes permissions from principals.
func (s *session) permissionGuards(list *evaluate.Exempted) ([]evaluate.Guardrail, error) {
	c := s.config.Permissions
	within, err := c.activeWithin()
	if err != nil {
		return nil, err
	}
	quiet, err := evaluate.NewQuiet(c.QuietHours, s.app.now)
	if err != nil {
		return nil, err
	}
	scheduled := evaluate.Scheduled{Declared: c.Schedules, Now: s.app.now, Days: configured(c.WindowDays)}
	if s.client != nil { // in a replay there is nobody to ask, and nothing is written
		scheduled.Read = awsSchedules{s.client, s.regions, scheduled.Rare}
	}
	return []evaluate.Guardrail{
		evaluate.ActiveSession{Now: s.app.now, Within: within},
		evaluate.UsageRecord{Now: s.app.now, Days: configured(c.WindowDays)},
		evaluate.NewGrant{Now: s.app.now, Days: configured(c.NewGrantDays), Looks: s.store},
		evaluate.RarelyUsed{Actions: c.RarelyUsed},
		evaluate.SelfRepair{Principals: s.config.Code.Principals},
		scheduled,
		evaluate.Kept{List: list},
		quiet,
	}, nil
}

// keepOf are the entries of keep that are in force, as controls take them: what they
// name stays in place in plans.
func keepOf(list *evaluate.Exempted) (out []control.Keep, err error) {
	entries, err := list.Keep()
	for _, k := range entries {
		out = append(out, control.Keep{Principals: k.Principals, Actions: k.Actions, Until: k.Expires, Owner: k.Owner, Reason: k.Reason})
	}
	return out, err
}
