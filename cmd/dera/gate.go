package main

import (
	"net/url"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/evaluate"
)

// gate puts the guardrails together, and gives the settings what the exemption list
// keeps. Enforce without a word on exemptions is refused (design §6.1.18).
func (s *session) gate() (evaluate.Gate, error) {
	path := s.exemptionList()
	if path != "" && s.app.flags.noExemptions {
		return evaluate.Gate{}, usage("--no-exemptions contradicts the exemption list %s", path)
	}
	if path == "" && !s.app.flags.noExemptions && s.config.enforces(s.app.flags.mode) {
		return evaluate.Gate{}, usage("Enforce mode needs an exemption list: pass --exemptions FILE, or --no-exemptions if there is none")
	}
	exempted, err := evaluate.NewExempted(path, exemptionConfig(), s.app.now)
	if err != nil {
		return evaluate.Gate{}, usage("%w", err)
	}
	for _, w := range s.app.hidingWarnings(s.config) {
		s.app.note("dera: warning: %s\n", w)
	}
	for _, w := range exempted.Warnings() {
		s.app.note("dera: warning: %s\n", w)
	}
	var flows evaluate.Flows
	if len(s.config.FlowLogs) > 0 {
		log, err := evaluate.ReadFlowLogs(s.config.FlowLogs...)
		if err != nil {
			return evaluate.Gate{}, err
		}
		flows = log
	}
	windows, err := evaluate.NewWindows(s.config.FreezeWindows, s.config.ChangeWindows, s.app.now)
	if err != nil {
		return evaluate.Gate{}, usage("%w", err)
	}
	permissions, err := s.permissionGuards(exempted)
	if err != nil {
		return evaluate.Gate{}, usage("%w", err)
	}
	if s.settings.Keep, err = keepOf(exempted); err != nil {
		return evaluate.Gate{}, usage("%w", err)
	}
	b := s.config.Bastions
	return evaluate.Gate{
		Finding: append([]evaluate.Guardrail{
			exempted,
			evaluate.BreakGlass(s.config.BreakGlass),
			evaluate.Root{},
			evaluate.Watchers(s.config.Watchers),
			evaluate.Threats(s.config.Threats),
			evaluate.Own{Resources: dera.NewPrincipals(s.ownResources())},
			evaluate.Mode{},
			s.observation(),
			s.nonProductionFirst(),
			evaluate.Stopped{Ledger: s.store},
			windows,
			evaluate.Compliance{Scopes: s.config.Compliance},
			evaluate.Criteria{List: s.config.Criteria},
			evaluate.Bastion{Names: b.Names, Tags: b.Tags, Resources: b.Resources},
			evaluate.AWSManaged{},
			s.config.otherFixers(configFixers{s.client, s.regions}, s.ruleFixers()),
			evaluate.Code(s.config.Code),
			s.flapping(),
			evaluate.RolledBackBefore{},
			evaluate.FailedBefore{Now: s.app.now},
			evaluate.Overwritten{},
		}, permissions...),
		Plan: []evaluate.Guardrail{
			evaluate.Reversible{},
			evaluate.Proved{},
			evaluate.InUse{Declared: s.config.Needs, Flows: flows, Now: s.app.now},
			s.breaker(),
			evaluate.Budget{Ledger: s.store, Now: s.app.now, PerHour: budget(s.config.Budget), Everywhere: budget(s.config.BudgetAll)},
		},
	}, nil
}

func (s *session) flapping() evaluate.Flapping {
	f := s.config.Flapping
	return evaluate.Flapping{Most: f.Returns, Window: time.Duration(f.Window), Code: evaluate.Code(s.config.Code), Now: s.app.now}
}

// observation does not count where a person names the mode on the command line.
func (s *session) observation() evaluate.Observation {
	o := s.config.Observation
	return evaluate.Observation{Ledger: s.store, Now: s.app.now, Days: o.Days, Shorter: o.Shorter, Named: s.app.flags.mode != ""}
}

func (s *session) nonProductionFirst() evaluate.NonProductionFirst {
	g := s.config.nonProductionFirst()
	g.Runs, g.Now = &runsBefore{store: s.store, now: s.app.now}, s.app.now
	return g
}

func (s *session) breaker() evaluate.Breaker {
	b := s.config.Breakers
	return evaluate.Breaker{
		Ledger: s.store, Now: s.app.now, Errors: b.Errors, Window: time.Duration(b.Window), Quiet: time.Duration(b.Quiet),
		Accounts: b.Accounts, Reserve: b.Reserve, Production: b.Production,
	}
}

// exemptionList is the path of the list in force, or "".
func (s *session) exemptionList() string {
	if s.app.flags.exemptions != "" {
		return s.app.flags.exemptions
	}
	return s.config.Exemptions
}

// queue is the URL of the queue of events, or "".
func (s *session) queue() string {
	if s.queueURL != "" {
		return s.queueURL
	}
	return s.config.Queue
}

// ownPrincipals are the principals that dera acts as: the engine's own and the
// roles of the accounts.
func (s *session) ownPrincipals() []string {
	var own []string
	if s.identity.ARN != "" { // offline there is none
		own = append(own, evaluate.Principal(s.identity.ARN))
	}
	for _, a := range s.config.Accounts {
		for _, role := range []string{a.Role, a.WriteRole} {
			if role != "" {
				own = append(own, role)
			}
		}
	}
	return own
}

// own are the own principals, made the first time that they are asked for: by then connect has said who dera is.
func (s *session) own() dera.Principals {
	s.ownOnce.Do(func() { s.ownKnown = dera.NewPrincipals(s.ownPrincipals()) })
	return s.ownKnown
}

// ownResources are what dera must never remediate (invariant I6): its
// principals, its queue, the buckets of its anchors, and what the configuration adds.
func (s *session) ownResources() []string {
	own := append(s.ownPrincipals(), s.config.OwnResources...)
	if arn := queueARN(s.queue()); arn != "" {
		own = append(own, arn)
	}
	for _, b := range s.config.Anchor.S3 {
		own = append(own, "arn:*:s3:::"+b.Bucket)
	}
	return own
}

// queueAccount is the account in the URL of a queue, or "".
func queueAccount(address string) string {
	return dera.ARN(queueARN(address)).Account()
}

// queueARN is the ARN glob of the queue behind a URL, or "".
func queueARN(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	account, name, ok := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if !ok {
		return ""
	}
	region := "*"
	if host := strings.Split(u.Hostname(), "."); len(host) > 2 && host[0] == "sqs" {
		region = host[1]
	}
	return "arn:*:sqs:" + region + ":" + account + ":" + name
}
