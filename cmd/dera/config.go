package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"dera"
	"dera/control"
	"dera/controls"
	"dera/evaluate"
	"dera/netset"
	ledger "dera/usage"
)

// fileConfig is the configuration file. Its zero value is a valid one: observe
// everything in the caller's own account. A new field must keep today's
// behaviour as its zero value.
type fileConfig struct {
	Version       int                   `yaml:"version" json:"version" jsonschema:"enum=1" jsonschema_description:"Version of this format."`
	Mode          string                `yaml:"mode,omitempty" json:"mode,omitempty" jsonschema:"enum=observe,enum=review,enum=enforce" jsonschema_description:"How far to go where no entry of modes says otherwise. Default: observe."`
	Modes         []modeConfig          `yaml:"modes,omitempty" json:"modes,omitempty" jsonschema_description:"Modes for a control, an account or an OU; the last entry that fits wins."`
	Accounts      []accountConfig       `yaml:"accounts,omitempty" json:"accounts,omitempty" jsonschema_description:"Accounts to look after. Default: the caller's own."`
	Regions       []string              `yaml:"regions,omitempty" json:"regions,omitempty" jsonschema_description:"Regions to look after. Default: the environment's."`
	Vouched       bool                  `yaml:"queue_is_ours,omitempty" json:"queue_is_ours,omitempty" jsonschema_description:"The queue's policy lets only your EventBridge rules write to it; who caused an event is then believed. Default: false."`
	Queue         string                `yaml:"queue,omitempty" json:"queue,omitempty" jsonschema_description:"URL of the SQS queue that EventBridge fills with CloudTrail events."`
	RuleState     string                `yaml:"queue_rule_state,omitempty" json:"queue_rule_state,omitempty" jsonschema:"enum=ENABLED,enum=ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" jsonschema_description:"State of an EventBridge rule that sends every event by CloudTrail to the queue, in every account and region. Leave it out if the rule names only some calls: the usage ledger then takes nothing as unused."`
	Sweep         duration              `yaml:"sweep,omitempty" json:"sweep,omitempty" jsonschema:"type=string" jsonschema_description:"Time between two looks at everything, for example 1h. Default: 1h."`
	Exemptions    string                `yaml:"exemptions,omitempty" json:"exemptions,omitempty" jsonschema_description:"Path of the exemption list."`
	Network       networkConfig         `yaml:"network,omitempty" json:"network,omitempty" jsonschema_description:"What the organisation declares about networks."`
	Bastions      bastionConfig         `yaml:"bastions,omitempty" json:"bastions,omitempty" jsonschema_description:"What counts as a bastion; always sent to review."`
	Needs         []dependency          `yaml:"dependencies,omitempty" json:"dependencies,omitempty" jsonschema_description:"Declared uses of resources; what they name goes to review."`
	Tagging       taggingConfig         `yaml:"tagging,omitempty" json:"tagging,omitempty" jsonschema_description:"Tags on changed resources."`
	FlowLogs      []string              `yaml:"flow_logs,omitempty" json:"flow_logs,omitempty" jsonschema_description:"VPC flow-log files or folders; what is in use goes to review."`
	Budget        int                   `yaml:"budget_per_hour,omitempty" json:"budget_per_hour,omitempty" jsonschema:"minimum=0" jsonschema_description:"Automatic remediations an hour for each account and control. Default: 20."`
	Approval      duration              `yaml:"approval_ttl,omitempty" json:"approval_ttl,omitempty" jsonschema:"type=string" jsonschema_description:"How long a plan waits for an approval. Default: 72h."`
	Settle        duration              `yaml:"settle,omitempty" json:"settle,omitempty" jsonschema:"type=string" jsonschema_description:"How far apart two equal reads must lie to count as the truth. Default: 2s."`
	OwnerTags     []string              `yaml:"owner_tags,omitempty" json:"owner_tags,omitempty" jsonschema_description:"Keys of resource tags that name the owner, the first that is set wins. Default: owner, team."`
	BreakGlass    breakGlassConfig      `yaml:"break_glass,omitempty" json:"break_glass,omitempty" jsonschema_description:"What is kept for emergencies: exempt."`
	OwnResources  []string              `yaml:"own_resources,omitempty" json:"own_resources,omitempty" jsonschema_description:"ARN globs of what belongs to dera itself, beside its roles and its queue: never remediated."`
	FreezeWindows []evaluate.Window     `yaml:"freeze_windows,omitempty" json:"freeze_windows,omitempty" jsonschema_description:"Times in which everything goes to review."`
	ChangeWindows []evaluate.Window     `yaml:"change_windows,omitempty" json:"change_windows,omitempty" jsonschema_description:"Times outside of which everything goes to review."`
	Compliance    []evaluate.Scope      `yaml:"compliance_scopes,omitempty" json:"compliance_scopes,omitempty" jsonschema_description:"What a standard wants people to change: review."`
	Criteria      []evaluate.Criterion  `yaml:"criteria,omitempty" json:"criteria,omitempty" jsonschema_description:"How far to go at most, by place; of the entries that fit the last one counts."`
	Code          codeConfig            `yaml:"infrastructure_as_code,omitempty" json:"infrastructure_as_code,omitempty" jsonschema_description:"How to tell that infrastructure as code owns a resource: review, with the change as a diff of the code."`
	Flapping      flappingConfig        `yaml:"flapping,omitempty" json:"flapping,omitempty" jsonschema_description:"When a finding that dera fixed comes back too often."`
	BudgetAll     int                   `yaml:"budget_organization_per_hour,omitempty" json:"budget_organization_per_hour,omitempty" jsonschema:"minimum=0" jsonschema_description:"Automatic remediations an hour for all accounts and controls together. Default: no limit."`
	Breakers      breakerConfig         `yaml:"breakers,omitempty" json:"breakers,omitempty" jsonschema_description:"When failing fixes stop automation, in an account and everywhere."`
	Instance      string                `yaml:"instance,omitempty" json:"instance,omitempty" jsonschema_description:"Name of this dera where there are several; stands in the tags of what it changed."`
	Fixers        []evaluate.FixerOwner `yaml:"fixers,omitempty" json:"fixers,omitempty" jsonschema_description:"Who fixes a control's findings in an account, where several tools could; of the entries that fit the last one counts."`
	OtherFixers   []evaluate.Fixer      `yaml:"other_fixers,omitempty" json:"other_fixers,omitempty" jsonschema_description:"Other tools that change resources by themselves: review, until fixers names one owner."`
	Observation   observationConfig     `yaml:"observation,omitempty" json:"observation,omitempty" jsonschema_description:"How long a control is observed in an account before it acts by itself."`
	Workers       int                   `yaml:"workers,omitempty" json:"workers,omitempty" jsonschema:"minimum=0" jsonschema_description:"Jobs at the same time. Default: 4."`
}

type modeConfig struct {
	Control string `yaml:"control,omitempty" json:"control,omitempty" jsonschema_description:"Control ID or glob."`
	Account string `yaml:"account,omitempty" json:"account,omitempty" jsonschema_description:"Account ID or glob."`
	OU      string `yaml:"ou,omitempty" json:"ou,omitempty" jsonschema_description:"Organisational unit or glob."`
	Mode    string `yaml:"mode" json:"mode" jsonschema:"enum=observe,enum=review,enum=enforce"`
}

type accountConfig struct {
	ID         string            `yaml:"id" json:"id" jsonschema:"pattern=^[0-9]{12}$" jsonschema_description:"Twelve digits, quoted."`
	Name       string            `yaml:"name,omitempty" json:"name,omitempty"`
	OU         string            `yaml:"ou,omitempty" json:"ou,omitempty"`
	Tags       map[string]string `yaml:"tags,omitempty" json:"tags,omitempty"`
	Role       string            `yaml:"role_arn,omitempty" json:"role_arn,omitempty" jsonschema_description:"Role to assume. Default: the engine's own credentials."`
	WriteRole  string            `yaml:"write_role_arn,omitempty" json:"write_role_arn,omitempty" jsonschema_description:"Role for changes. Default: role_arn."`
	Owner      string            `yaml:"owner,omitempty" json:"owner,omitempty" jsonschema_description:"Who hears of findings in the account where no tag says otherwise."`
	ExternalID string            `yaml:"external_id,omitempty" json:"external_id,omitempty"`
}

type networkConfig struct {
	Allow        []string `yaml:"allow,omitempty" json:"allow,omitempty" jsonschema_description:"Your own public networks (CIDR): traffic from them is not external."`
	KeepInternal []string `yaml:"keep_internal,omitempty" json:"keep_internal,omitempty" jsonschema_description:"Networks whose access is authorized again when a rule from the whole world is revoked."`
	RuleQuota    int      `yaml:"rule_quota,omitempty" json:"rule_quota,omitempty" jsonschema:"minimum=0" jsonschema_description:"Inbound rules that a security group may have in each address family. Default: 60."`
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
}

type codeConfig struct {
	Tags       map[string]string `yaml:"tags,omitempty" json:"tags,omitempty" jsonschema_description:"Tag keys with globs on their values. Default: terraform, and managed-by and the like naming a tool."`
	Principals []string          `yaml:"principals,omitempty" json:"principals,omitempty" jsonschema_description:"ARN globs of those that run infrastructure as code."`
}

type flappingConfig struct {
	Returns int      `yaml:"returns,omitempty" json:"returns,omitempty" jsonschema:"minimum=0" jsonschema_description:"Default: 3."`
	Window  duration `yaml:"window,omitempty" json:"window,omitempty" jsonschema:"type=string" jsonschema_description:"Default: 24h."`
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
	Shorter []evaluate.Shorter `yaml:"shorter,omitempty" json:"shorter,omitempty" jsonschema_description:"Named exceptions; of those that fit and have not run out the last one counts."`
}

type dependency = evaluate.Dependency

// duration is a time.Duration written as in Go, 90s or 1h.
type duration time.Duration

// UnmarshalYAML implements yaml.BytesUnmarshaler.
func (d *duration) UnmarshalYAML(b []byte) error {
	text := strings.Trim(strings.TrimSpace(string(b)), `"'`)
	v, err := time.ParseDuration(text)
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a duration such as 90s or 1h", text)
	}
	*d = duration(v)
	return nil
}

// loadConfig reads the file; an empty path is the zero configuration. Errors
// name file, line and column.
func loadConfig(path string) (fileConfig, error) {
	c := fileConfig{Version: 1}
	if path == "" {
		return c, nil
	}
	const most = 1 << 20
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return c, usage("read configuration: %v", err)
	case info.IsDir():
		return c, usage("read configuration: %s is a folder", path)
	case info.Size() > most:
		return c, usage("read configuration: %s has %d bytes, at most %d are read", path, info.Size(), most)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return c, usage("read configuration: %v", err)
	}
	c = fileConfig{}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict(), yaml.DisallowUnknownField()).Decode(&c); err != nil {
		return c, usage("%s:%s", path, yaml.FormatError(err, false, true))
	}
	if err := c.validate(); err != nil {
		return c, usage("%s: %w", path, err)
	}
	return c.relativeTo(filepath.Dir(path)), nil
}

// relativeTo makes the paths of the file relative to its folder, so that it means
// the same wherever a command runs.
func (c fileConfig) relativeTo(dir string) fileConfig {
	from := func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	c.Exemptions = from(c.Exemptions)
	c.FlowLogs = slices.Clone(c.FlowLogs)
	for i := range c.FlowLogs {
		c.FlowLogs[i] = from(c.FlowLogs[i])
	}
	return c
}

// validate returns everything that is wrong, each with its field.
func (c fileConfig) validate() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if c.Version != 1 {
		bad("version", "is %d, want 1", c.Version)
	}
	if _, err := dera.ParseMode(c.Mode); c.Mode != "" && err != nil {
		bad("mode", "%v", err)
	}
	if c.RuleState != "" && !slices.Contains([]string{"ENABLED", ledger.RuleWithReads}, c.RuleState) {
		bad("queue_rule_state", "is %q, want ENABLED or %s", c.RuleState, ledger.RuleWithReads)
	}
	for _, n := range []struct {
		field string
		value int
		most  int
	}{{"workers", c.Workers, 256}, {"budget_per_hour", c.Budget, 1_000_000}, {"network.rule_quota", c.Network.RuleQuota, 1000}, {"flapping.returns", c.Flapping.Returns, 30},
		{"budget_organization_per_hour", c.BudgetAll, 1_000_000}, {"breakers.errors", c.Breakers.Errors, 1000}, {"breakers.accounts", c.Breakers.Accounts, 10_000}} {
		if n.value < 0 || n.value > n.most {
			bad(n.field, "is %d, want 0 (the default) to %d", n.value, n.most)
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
			bad(fmt.Sprintf("accounts[%d].id", i), "account %s stands here twice", a.ID)
		}
		seen[a.ID] = true
		for field, role := range map[string]string{"role_arn": a.Role, "write_role_arn": a.WriteRole} {
			if _, err := dera.ParseARN(role); role != "" && err != nil {
				bad(fmt.Sprintf("accounts[%d].%s", i, field), "%v", err)
			}
		}
	}
	for i, d := range c.Needs {
		if d.Resource == "" || d.Owner == "" || d.Reason == "" {
			bad(fmt.Sprintf("dependencies[%d]", i), "resource, owner and reason are mandatory")
		}
	}
	if _, err := c.settings(); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, c.validateGate())
	return errors.Join(errs...)
}

func matchesControl(glob string) bool {
	for _, c := range controls.All() {
		if dera.MatchGlob(glob, c.ID) {
			return true
		}
	}
	return false
}

// settings are the control settings of the file.
func (c fileConfig) settings() (control.Settings, error) {
	s := control.Settings{RuleQuota: c.Network.RuleQuota}
	var errs []error
	read := func(field string, list []string) (out []netip.Prefix) {
		for i, text := range list {
			p, err := netset.Prefix(text)
			if err != nil {
				errs = append(errs, fmt.Errorf("network.%s[%d]: %w", field, i, err))
				continue
			}
			out = append(out, p)
		}
		return out
	}
	s.Allow = read("allow", c.Network.Allow)
	s.KeepInternal = read("keep_internal", c.Network.KeepInternal)
	return s, errors.Join(errs...)
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

// enforces reports whether anything is in enforce mode.
func (c fileConfig) enforces(flag string) bool {
	if flag != "" {
		return flag == dera.Enforce.String()
	}
	if c.Mode == dera.Enforce.String() {
		return true
	}
	for _, m := range c.Modes {
		if m.Mode == dera.Enforce.String() {
			return true
		}
	}
	return false
}
