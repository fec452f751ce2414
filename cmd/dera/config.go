package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/control"
	"dera.example/dera/evaluate"
	"dera.example/dera/services"
	"dera.example/dera/sink"
	ledger "dera.example/dera/usage"
)

// fileConfig is the configuration file. Its zero value is a valid one: observe
// everything in the caller's own account. A new field must keep today's
// behaviour as its zero value.
type fileConfig struct {
	Version       int                        `yaml:"version" json:"version" jsonschema:"enum=1" jsonschema_description:"Version of this format."`
	Mode          string                     `yaml:"mode,omitempty" json:"mode,omitempty" jsonschema:"enum=observe,enum=review,enum=enforce" jsonschema_description:"Mode where no entry of modes says otherwise. Default: observe."`
	Modes         []modeConfig               `yaml:"modes,omitempty" json:"modes,omitempty" jsonschema_description:"Modes for a control, an account or an OU; the last entry that matches wins."`
	Accounts      []accountConfig            `yaml:"accounts,omitempty" json:"accounts,omitempty" jsonschema_description:"Accounts to cover. Default: the caller's own."`
	Regions       []string                   `yaml:"regions,omitempty" json:"regions,omitempty" jsonschema_description:"Regions to cover. Default: the environment's."`
	Controls      []string                   `yaml:"controls,omitempty" json:"controls,omitempty" jsonschema_description:"Controls that run, by ID or glob. Default: all. DERA_CONTROLS, separated by commas, replaces it where it is empty."`
	NewRegions    []string                   `yaml:"new_regions,omitempty" json:"new_regions,omitempty" jsonschema_description:"Regions that AWS opened since this release of dera; they may be listed in regions too."`
	QueueOurs     bool                       `yaml:"queue_is_ours,omitempty" json:"queue_is_ours,omitempty" jsonschema_description:"The queue's policy lets only your EventBridge rules write to it; who caused an event is then believed. Default: false."`
	Queue         string                     `yaml:"queue,omitempty" json:"queue,omitempty" jsonschema_description:"URL of the SQS queue that EventBridge fills with CloudTrail events."`
	RuleState     string                     `yaml:"queue_rule_state,omitempty" json:"queue_rule_state,omitempty" jsonschema:"enum=ENABLED,enum=ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" jsonschema_description:"State of an EventBridge rule that sends every event by CloudTrail to the queue, in every account and region. Leave it out if the rule names only some calls: the usage ledger then treats nothing as unused."`
	Sources       sourcesConfig              `yaml:"sources,omitempty" json:"sources,omitempty" jsonschema_description:"Where else events come from, and how long each may be silent."`
	Canary        canaryConfig               `yaml:"canary,omitempty" json:"canary,omitempty" jsonschema_description:"Test account in which dera doctor --canary may open a security group of its own. Default: none."`
	Sweep         duration                   `yaml:"sweep,omitempty" json:"sweep,omitempty" jsonschema:"type=string" jsonschema_description:"Time between two sweeps, for example 1h. Default: 1h."`
	Exemptions    string                     `yaml:"exemptions,omitempty" json:"exemptions,omitempty" jsonschema_description:"Path of the exemption list."`
	Network       networkConfig              `yaml:"network,omitempty" json:"network,omitempty" jsonschema_description:"What the organisation declares about networks."`
	S3            s3Config                   `yaml:"s3,omitempty" json:"s3,omitempty" jsonschema_description:"What is asked of buckets."`
	Organization  string                     `yaml:"organization,omitempty" json:"organization,omitempty" jsonschema:"pattern=^o-[a-z0-9]{10\\,32}$" jsonschema_description:"ID of the AWS organisation that all accounts of this file belong to: a fix narrows a public statement to it."`
	Trusted       []trustedConfig            `yaml:"trusted_accounts,omitempty" json:"trusted_accounts,omitempty" jsonschema_description:"External accounts and organisations to which policies may grant access."`
	Bastions      bastionConfig              `yaml:"bastions,omitempty" json:"bastions,omitempty" jsonschema_description:"What counts as a bastion; always sent to review."`
	Needs         []dependency               `yaml:"dependencies,omitempty" json:"dependencies,omitempty" jsonschema_description:"Declared uses of resources; what they name goes to review."`
	Tagging       taggingConfig              `yaml:"tagging,omitempty" json:"tagging,omitempty" jsonschema_description:"Tags on changed resources."`
	FlowLogs      []string                   `yaml:"flow_logs,omitempty" json:"flow_logs,omitempty" jsonschema_description:"VPC flow-log files or folders; what is in use goes to review."`
	Budget        *int                       `yaml:"budget_per_hour,omitempty" json:"budget_per_hour,omitempty" jsonschema:"minimum=0" jsonschema_description:"Automatic remediations an hour for each account and control; 0: nothing is automatic. Default: 20."`
	Approval      duration                   `yaml:"approval_ttl,omitempty" json:"approval_ttl,omitempty" jsonschema:"type=string" jsonschema_description:"How long a plan waits for an approval. Default: 72h."`
	Settle        duration                   `yaml:"settle,omitempty" json:"settle,omitempty" jsonschema:"type=string" jsonschema_description:"Time between two equal reads before dera trusts them. Default: 2s."`
	Hub           hubConfig                  `yaml:"security_hub,omitempty" json:"security_hub,omitempty" jsonschema_description:"What dera writes to AWS Security Hub."`
	OwnerTags     []string                   `yaml:"owner_tags,omitempty" json:"owner_tags,omitempty" jsonschema_description:"Keys of resource tags that name the owner, the first that is set wins. Default: owner, team."`
	BreakGlass    breakGlassConfig           `yaml:"break_glass,omitempty" json:"break_glass,omitempty" jsonschema_description:"Break-glass roles and resources: exempt; use of the roles and users is reported."`
	Watchers      watchersConfig             `yaml:"watchers,omitempty" json:"watchers,omitempty" jsonschema_description:"Who may switch off what watches an account, such as its log or GuardDuty."`
	Threats       threatsConfig              `yaml:"threats,omitempty" json:"threats,omitempty" jsonschema_description:"What GuardDuty reports and is answered automatically."`
	OwnResources  []string                   `yaml:"own_resources,omitempty" json:"own_resources,omitempty" jsonschema_description:"ARN globs of what belongs to dera itself, besides its roles and its queue: never remediated."`
	FreezeWindows []evaluate.Window          `yaml:"freeze_windows,omitempty" json:"freeze_windows,omitempty" jsonschema_description:"Times in which everything goes to review."`
	ChangeWindows []evaluate.Window          `yaml:"change_windows,omitempty" json:"change_windows,omitempty" jsonschema_description:"Times outside of which everything goes to review."`
	Compliance    []evaluate.ComplianceScope `yaml:"compliance_scopes,omitempty" json:"compliance_scopes,omitempty" jsonschema_description:"What a standard requires a person to change: review."`
	Criteria      []evaluate.Criterion       `yaml:"criteria,omitempty" json:"criteria,omitempty" jsonschema_description:"The most that dera may do, by place; the last entry that matches counts."`
	Code          codeConfig                 `yaml:"infrastructure_as_code,omitempty" json:"infrastructure_as_code,omitempty" jsonschema_description:"How to tell that infrastructure as code owns a resource: review, with the change as a diff of the code."`
	Flapping      flappingConfig             `yaml:"flapping,omitempty" json:"flapping,omitempty" jsonschema_description:"When a finding that dera fixed comes back too often."`
	BudgetAll     *int                       `yaml:"budget_organization_per_hour,omitempty" json:"budget_organization_per_hour,omitempty" jsonschema:"minimum=0" jsonschema_description:"Automatic remediations an hour for all accounts and controls together; 0: nothing is automatic. Default: no limit."`
	Breakers      breakerConfig              `yaml:"breakers,omitempty" json:"breakers,omitempty" jsonschema_description:"When failing fixes stop automation, in an account and everywhere."`
	Instance      string                     `yaml:"instance,omitempty" json:"instance,omitempty" jsonschema_description:"Name of this dera installation, if there are several; used in the tags of what it changes."`
	Fixers        []evaluate.FixerOwner      `yaml:"fixers,omitempty" json:"fixers,omitempty" jsonschema_description:"Who fixes a control's findings in an account, where several tools could; the last entry that matches counts."`
	AskConfig     bool                       `yaml:"ask_aws_config,omitempty" json:"ask_aws_config,omitempty" jsonschema_description:"Ask AWS Config in every account and region whether it remediates such resources automatically: if so, or if it cannot be asked, review. Default: false."`
	AskRules      bool                       `yaml:"ask_event_rules,omitempty" json:"ask_event_rules,omitempty" jsonschema_description:"Ask EventBridge in every account and region which rules start something that fixes such resources: if so, or if it cannot be asked, review. Default: false."`
	NotFixers     []evaluate.Fixer           `yaml:"not_fixers,omitempty" json:"not_fixers,omitempty" jsonschema_description:"Rules of EventBridge and AWS Config (name: a glob) that look like another tool that remediates, and are none."`
	OtherFixers   []evaluate.Fixer           `yaml:"other_fixers,omitempty" json:"other_fixers,omitempty" jsonschema_description:"Other tools that remediate resources automatically: review, until fixers names one owner."`
	Permissions   permissionsConfig          `yaml:"permissions,omitempty" json:"permissions,omitempty" jsonschema_description:"When a permission may be taken from a principal automatically."`
	Access        accessConfig               `yaml:"access,omitempty" json:"access,omitempty" jsonschema_description:"How what dera took is given back."`
	Observation   observationConfig          `yaml:"observation,omitempty" json:"observation,omitempty" jsonschema_description:"How long a control is observed in an account before it acts automatically."`
	First         []evaluate.RunFirst        `yaml:"non_production_first,omitempty" json:"non_production_first,omitempty" jsonschema_description:"Where a control must have run for some days before it acts automatically in production: review until then."`
	CustomFixes   []customFixConfig          `yaml:"custom_fixes,omitempty" json:"custom_fixes,omitempty" jsonschema_description:"SSM Automation documents and Lambda functions as fixes of controls: always review."`
	Notify        sink.Config                `yaml:"notify,omitempty" json:"notify,omitempty" jsonschema_description:"To whom messages go, and when. Default: nobody."`
	Listen        listenConfig               `yaml:"listen,omitempty" json:"listen,omitempty" jsonschema_description:"Where dera run takes requests, such as answers in Slack. Default: nowhere."`
	Console       consoleConfig              `yaml:"console,omitempty" json:"console,omitempty" jsonschema_description:"How people reach the console of dera run --console from other machines, and sign in. Default: this machine alone, by links."`
	AWS           awsConfig                  `yaml:"aws,omitempty" json:"aws,omitempty" jsonschema_description:"How much of what AWS takes dera takes."`
	Anchor        anchorConfig               `yaml:"anchor,omitempty" json:"anchor,omitempty" jsonschema_description:"Where checkpoints of the audit log are kept outside. Default: nowhere."`
	Keys          keysConfig                 `yaml:"keys,omitempty" json:"keys,omitempty" jsonschema_description:"Keys in AWS KMS instead of in the data folder, from its first use on. Default: files."`
	Retention     retentionConfig            `yaml:"retention,omitempty" json:"retention,omitempty" jsonschema_description:"After how long what is over is removed from the database. Default: never."`
	Workers       int                        `yaml:"workers,omitempty" json:"workers,omitempty" jsonschema:"minimum=0" jsonschema_description:"Jobs at the same time. Default: 16."`
}

type modeConfig struct {
	Control string `yaml:"control,omitempty" json:"control,omitempty" jsonschema_description:"Control ID or glob."`
	Account string `yaml:"account,omitempty" json:"account,omitempty" jsonschema_description:"Account ID or glob."`
	OU      string `yaml:"ou,omitempty" json:"ou,omitempty" jsonschema_description:"Organisational unit or glob."`
	Mode    string `yaml:"mode" json:"mode" jsonschema:"enum=observe,enum=review,enum=enforce" jsonschema_description:"How far dera goes there."`
}

type accountConfig struct {
	ID         string            `yaml:"id" json:"id" jsonschema:"pattern=^[0-9]{12}$" jsonschema_description:"Twelve digits, quoted."`
	Name       string            `yaml:"name,omitempty" json:"name,omitempty" jsonschema_description:"Name of the account, for reports."`
	OU         string            `yaml:"ou,omitempty" json:"ou,omitempty" jsonschema_description:"Organizational unit that the account belongs to."`
	Tags       map[string]string `yaml:"tags,omitempty" json:"tags,omitempty" jsonschema_description:"Tags of the account; environment, env or stage says which environment it is."`
	Role       string            `yaml:"role_arn,omitempty" json:"role_arn,omitempty" jsonschema_description:"Role to assume. Default: the engine's own credentials."`
	WriteRole  string            `yaml:"write_role_arn,omitempty" json:"write_role_arn,omitempty" jsonschema_description:"Role for changes. Default: role_arn."`
	Owner      string            `yaml:"owner,omitempty" json:"owner,omitempty" jsonschema_description:"Who is notified of findings in the account where no tag says otherwise."`
	ExternalID string            `yaml:"external_id,omitempty" json:"external_id,omitempty" jsonschema_description:"External ID that the trust policy of the role requires."`
}

type networkConfig struct {
	Allow        []allowEntry `yaml:"allow,omitempty" json:"allow,omitempty" jsonschema_description:"Your own public networks (CIDR): traffic from them is not external."`
	KeepInternal keepInternal `yaml:"keep_internal,omitempty" json:"keep_internal,omitempty" jsonschema_description:"Which private access stays when a rule for the internet is closed: private (the private ranges, the VPC's own and what its route tables reach privately), vpc (the latter two), none, or a list of CIDRs. Default: private."`
	RuleQuota    int          `yaml:"rule_quota,omitempty" json:"rule_quota,omitempty" jsonschema:"minimum=0" jsonschema_description:"Inbound rules that a security group may have in each address family. Default: 60."`
}

type bastionConfig struct {
	Names     []string          `yaml:"names,omitempty" json:"names,omitempty" jsonschema_description:"Globs on resource names."`
	Tags      map[string]string `yaml:"tags,omitempty" json:"tags,omitempty" jsonschema_description:"Tag keys with globs on their values."`
	Resources []string          `yaml:"resources,omitempty" json:"resources,omitempty" jsonschema_description:"Resource IDs or ARN globs."`
}

type breakGlassConfig struct {
	Principals []string `yaml:"principals,omitempty" json:"principals,omitempty" jsonschema_description:"ARN globs of users and roles."`
	Roles      []string `yaml:"roles,omitempty" json:"roles,omitempty" jsonschema_description:"Globs on names of roles, in every account."`
	Resources  []string `yaml:"resources,omitempty" json:"resources,omitempty" jsonschema_description:"ARN globs."`
	Excluded   []string `yaml:"scp_excluded,omitempty" json:"scp_excluded,omitempty" jsonschema_description:"Globs on names of roles that service control policies exclude: their use is reported; nothing is exempt."`
}

type codeConfig struct {
	Tags       map[string]string `yaml:"tags,omitempty" json:"tags,omitempty" jsonschema_description:"Tag keys with globs on their values. Default: terraform, and managed-by and the like naming a tool."`
	Principals []string          `yaml:"principals,omitempty" json:"principals,omitempty" jsonschema_description:"ARN globs of those that run infrastructure as code."`
}

type breakerConfig struct {
	Errors     int             `yaml:"errors,omitempty" json:"errors,omitempty" jsonschema:"minimum=0" jsonschema_description:"Resources with failed fixes that open an account's breaker. Default: 3."`
	Window     duration        `yaml:"window,omitempty" json:"window,omitempty" jsonschema:"type=string" jsonschema_description:"Within this time. Default: 1h."`
	Quiet      duration        `yaml:"quiet,omitempty" json:"quiet,omitempty" jsonschema:"type=string" jsonschema_description:"How long after the last failure it closes. Default: 1h."`
	Accounts   int             `yaml:"accounts,omitempty" json:"accounts,omitempty" jsonschema:"minimum=0" jsonschema_description:"Accounts with an open breaker that stop automation everywhere. Default: 3."`
	Reserve    int             `yaml:"reserve,omitempty" json:"reserve,omitempty" jsonschema:"minimum=-1" jsonschema_description:"Remediations of critical findings and in production that may still begin; -1 for none. Default: 2."`
	Production *evaluate.Where `yaml:"production,omitempty" json:"production,omitempty" jsonschema_description:"What production is. Default: environment prod*."`
}

type observationConfig struct {
	Days    int                `yaml:"days,omitempty" json:"days,omitempty" jsonschema:"minimum=0" jsonschema_description:"Default and least: 14."`
	Shorter []evaluate.Shorter `yaml:"shorter,omitempty" json:"shorter,omitempty" jsonschema_description:"Named exceptions; the last one that matches and has not expired counts."`
}

type dependency = evaluate.Dependency

// duration is a time.Duration written as in Go, 90s or 1h. The zero value is the
// default; nothing that is written down is.
type duration time.Duration

// UnmarshalYAML implements yaml.BytesUnmarshaler.
func (d *duration) UnmarshalYAML(b []byte) error {
	text := strings.Trim(strings.TrimSpace(string(b)), `"'`)
	v, err := time.ParseDuration(text)
	if err != nil || v <= 0 {
		return fmt.Errorf("%q is not a duration such as 90s or 1h; leave it out for the default", text)
	}
	*d = duration(v)
	return nil
}

// loadConfig reads the file; an empty path is the zero configuration. Its error
// has every fault with file, line, column, field and what to write.
func loadConfig(path string) (fileConfig, error) {
	c := fileConfig{Version: 1}
	if path != "" {
		var err error
		if c, _, err = readConfig(path); err != nil {
			return c, err
		}
	}
	if only := os.Getenv("DERA_CONTROLS"); len(c.Controls) == 0 && only != "" {
		c.Controls = strings.Split(only, ",")
		for _, glob := range c.Controls {
			if !matchesControl(glob) {
				return c, usage("DERA_CONTROLS: %q matches no control; dera control list names them", glob)
			}
		}
	}
	return c, nil
}

// readConfig is loadConfig that also returns the text, for further checks.
func readConfig(path string) (fileConfig, configText, error) {
	var c fileConfig
	const most = 1 << 20
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return c, configText{}, usage("read configuration: %w", err)
	case info.IsDir():
		return c, configText{}, usage("read configuration: %s is a folder", path)
	case info.Size() > most:
		return c, configText{}, usage("read configuration: %s has %d bytes, at most %d are read", path, info.Size(), most)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return c, configText{}, usage("read configuration: %w", err)
	}
	if err := written(path, text); err != nil {
		return c, configText{}, err
	}
	t, faults := decodeConfig(path, text, &c)
	faults = append(faults, t.invisible()...)
	unread := map[string]bool{} // what could not be read is not judged as well
	for _, f := range faults {
		unread[f.Field] = f.Field != ""
	}
	for _, f := range t.faults(c.validate()) {
		if !unread[f.Field] && (t.root != nil || f.Field == "version") {
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 {
		return c, t, &exitError{exitUsage, &configError{inOrder(faults)}}
	}
	return c.relativeTo(filepath.Dir(path)), t, nil
}

// leastSweep and mostSweep bound the time between two looks at everything: more
// often than that uses up the accounts' API quota, and less often what events did
// not say is found too late.
const (
	leastSweep = time.Minute
	mostSweep  = 24 * time.Hour
)

// inDays is a duration in whole days where it has some.
func inDays(d time.Duration) string {
	if days := d / (24 * time.Hour); days > 1 && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d days", days)
	}
	return d.String()
}

// budget is a budget as the engine takes it: 0 is its default, and less is none.
func budget(n *int) int {
	switch {
	case n == nil:
		return 0
	case *n == 0:
		return -1
	}
	return *n
}

// validate returns everything that is wrong, each with its field.
func (c fileConfig) validate() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if c.Version != 1 {
		bad("version", "is %d, must be 1", c.Version)
	}
	if _, err := dera.ParseMode(c.Mode); c.Mode != "" && err != nil {
		bad("mode", "%v", err)
	}
	if c.RuleState != "" && !slices.Contains([]string{"ENABLED", ledger.RuleWithReads}, c.RuleState) {
		bad("queue_rule_state", "is %q, must be ENABLED or %s", c.RuleState, ledger.RuleWithReads)
	}
	for _, n := range []struct {
		field string
		value int
		most  int
	}{{"workers", c.Workers, 256}, {"network.rule_quota", c.Network.RuleQuota, 1000}, {"flapping.returns", c.Flapping.Returns, 30},
		{"breakers.errors", c.Breakers.Errors, 1000}, {"breakers.accounts", c.Breakers.Accounts, 10_000}} {
		if n.value < 0 || n.value > n.most {
			bad(n.field, "is %d, write a number from 0 (the default) to %d", n.value, n.most)
		}
	}
	for _, n := range []struct {
		field string
		value *int
	}{{"budget_per_hour", c.Budget}, {"budget_organization_per_hour", c.BudgetAll}} {
		if n.value != nil && (*n.value < 0 || *n.value > 1_000_000) {
			bad(n.field, "is %d, write a number from 0 (nothing automatic) to 1000000, or leave it out for the default", *n.value)
		}
	}
	for _, d := range []struct {
		field       string
		value       duration
		least, most time.Duration
	}{
		{"settle", c.Settle, time.Millisecond, 5 * time.Minute}, {"sweep", c.Sweep, leastSweep, mostSweep},
		{"approval_ttl", c.Approval, time.Minute, 30 * 24 * time.Hour}, {"breakers.window", c.Breakers.Window, time.Minute, 7 * 24 * time.Hour},
		{"breakers.quiet", c.Breakers.Quiet, time.Minute, 7 * 24 * time.Hour}, {"flapping.window", c.Flapping.Window, time.Minute, 7 * 24 * time.Hour},
	} {
		switch v := time.Duration(d.value); {
		case v > d.most:
			bad(d.field, "is longer than %s: write a duration from %s to %s", inDays(d.most), d.least, d.most)
		case v != 0 && v < d.least:
			bad(d.field, "is shorter than %s: write a duration from %s to %s", d.least, d.least, d.most)
		}
	}
	for i, m := range c.Modes {
		if _, err := dera.ParseMode(m.Mode); err != nil {
			bad(fmt.Sprintf("modes[%d].mode", i), "%v", err)
		}
		if m.Control != "" && !matchesControl(m.Control) {
			bad(fmt.Sprintf("modes[%d].control", i), "%q matches no control", m.Control)
		}
	}
	seen := map[string]bool{}
	for i, a := range c.Accounts {
		if err := dera.ValidAccountID(a.ID); err != nil {
			bad(fmt.Sprintf("accounts[%d].id", i), "%v", err)
		}
		if seen[a.ID] {
			bad(fmt.Sprintf("accounts[%d].id", i), "account %s is listed twice", a.ID)
		}
		seen[a.ID] = true
	}
	for i, d := range c.Needs {
		if d.Resource == "" || d.Owner == "" || d.Reason == "" {
			bad(fmt.Sprintf("dependencies[%d]", i), "resource, owner and reason are mandatory")
		}
	}
	for i, glob := range c.Controls {
		if !matchesControl(glob) {
			bad(fmt.Sprintf("controls[%d]", i), "%q matches no control; dera control list names them", glob)
		}
	}
	_, err := c.settings()
	errs = append(errs, err, c.validateTrust(), c.validateGate(), c.Hub.validate(c.Accounts), c.Canary.validate(c.Accounts), c.Sources.validate(), c.AWS.validate(), c.Anchor.validate(), c.Keys.validate(), c.Retention.validate(), c.Console.validate())
	errs = append(append(append(errs, c.validatePlaces()...), c.validateNotify()...), c.validateCustom()...)
	return errors.Join(errs...)
}

// controls are those that run.
func (c fileConfig) controls() (out []control.Control) {
	for _, ctl := range services.Controls() {
		if len(c.Controls) == 0 || slices.ContainsFunc(c.Controls, func(glob string) bool { return dera.MatchGlob(glob, ctl.ID) }) {
			out = append(out, ctl)
		}
	}
	return c.withCustom(out)
}

// controlIDs are those of every control; to define all takes milliseconds.
var controlIDs = sync.OnceValue(func() (out []string) {
	for _, c := range services.Controls() {
		out = append(out, c.ID)
	}
	return out
})

func matchesControl(glob string) bool {
	return slices.ContainsFunc(controlIDs(), func(id string) bool { return dera.MatchGlob(glob, id) })
}

// modeFor is the mode of a control in an account; flag, when set, wins.
func (c fileConfig) modeFor(flag string) func(dera.Account, string) dera.Mode {
	parse := func(s string) dera.Mode {
		m, err := dera.ParseMode(s)
		if err != nil {
			return dera.Observe // validated before; doubt means less action
		}
		return m
	}
	return func(a dera.Account, ctl string) dera.Mode {
		if flag != "" {
			return parse(flag)
		}
		mode := parse(c.Mode)
		fits := func(glob, s string) bool { return glob == "" || dera.MatchGlob(glob, s) }
		for _, m := range c.Modes {
			if fits(m.Control, ctl) && fits(m.Account, a.ID) && fits(m.OU, a.OU) {
				mode = parse(m.Mode)
			}
		}
		return mode
	}
}

// accounts are those of the configuration, without their partition.
func (c fileConfig) accounts() (out []dera.Account) {
	for _, a := range c.Accounts {
		out = append(out, dera.Account{ID: a.ID, Name: a.Name, OU: a.OU, Tags: a.Tags, Owner: a.Owner})
	}
	return out
}

// cloudAccounts are how to get into them.
func (c fileConfig) cloudAccounts() (out []cloud.Account) {
	for _, a := range c.Accounts {
		out = append(out, cloud.Account{ID: a.ID, RoleARN: a.Role, ExternalID: a.ExternalID, WriteRoleARN: a.WriteRole})
	}
	return out
}

// enforces reports whether anything is in enforce mode.
func (c fileConfig) enforces(flag string) bool {
	if flag != "" {
		return flag == dera.Enforce.String()
	}
	if c.Mode == dera.Enforce.String() {
		return true
	}
	return slices.ContainsFunc(c.Modes, func(m modeConfig) bool { return m.Mode == dera.Enforce.String() })
}
