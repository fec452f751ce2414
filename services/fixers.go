package services

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
	"sync"

	"dera.example/dera"
	events "dera.example/dera/cloudtrail"
)

// documents is the table of automation documents of AWS by the types that they change. One
// without a type notifies and changes nothing. One that is not in it is not known: what starts
// it tells what it is about.
//
// https://docs.aws.amazon.com/systems-manager-automation-runbooks/latest/userguide/automation-runbook-reference.html
//
//go:embed documents.csv
var documents string

// DocumentTypes are the types that an automation document of AWS changes, none for one that
// only notifies. known is false for a document that is not in the table.
func DocumentTypes(name string) (types []string, known bool) {
	_, lines, _ := strings.Cut(documents, "\n") // without the head
	for line := range strings.Lines(lines) {
		if document, list, ok := strings.Cut(strings.TrimSpace(line), ","); ok && document == name {
			return strings.Fields(list), true
		}
	}
	return nil, false
}

// Trigger is a rule of EventBridge: what it lets through and what it starts.
type Trigger struct {
	Name              string
	Pattern, Schedule string   // one may be ""
	Targets           []string // ARNs
}

// Started is what a trigger that fixes something starts.
type Started struct {
	// Tool is the name of a tool that is known, or "".
	Tool string
	What string // what is started, for people
	// Types are those of which it may change resources, sorted; Any is true where nothing tells.
	Types []string
	Any   bool
	// Central are those of Types whose findings an administrator of Security Hub or GuardDuty has
	// of its members too.
	Central []string
	// ByHand is true where a person starts it, by a custom action of Security Hub.
	ByHand bool
}

// The tools that are known by the names of what they make.
const (
	ToolSecurityResponse = "Automated Security Response on AWS"
	ToolCustodian        = "Cloud Custodian"
	ToolDera             = "another dera"
)

// Triggers tells of rules of EventBridge what they fix. It is safe for concurrent use.
type Triggers struct {
	// Queue is the ARN, or a glob of it, of the queue of this dera; "" where there is none.
	Queue   string
	samples []sample
	names   map[string][]string // types by rule of AWS Config
	config  map[string][]string // types by type of AWS Config
	known   *judged
}

// judged is what was told of rules before: a guardrail asks for every finding.
type judged struct {
	mu sync.Mutex
	of map[string]verdict
}

type verdict struct {
	is Started
	ok bool
}

// mostJudged is how many rules are remembered: more than the accounts of most have.
const mostJudged = 10_000

// sample is an event of which something is known, with the types that it is about.
type sample struct {
	is    eventKind
	types []string
	event map[string]any
}

// eventKind says what an event tells, and so what a function that it starts is for.
type eventKind int

// The kinds: what somebody found in one account, what an administrator hears of all of its
// members, what a person chose, a change, a state.
const (
	isFinding eventKind = iota
	isCentral
	isChosen
	isChange
	isState
)

// NewTriggers returns what tells of rules what they fix, for the dera with the queue.
func NewTriggers(queue string) Triggers {
	t := Triggers{Queue: queue, names: map[string][]string{}, config: Watch().ConfigTypes(), known: &judged{of: map[string]verdict{}}}
	t.sampleCalls()
	t.sampleConfig()
	t.sampleFinders()
	t.sampleAdvisers()
	return t
}

// Matters reports whether the targets of a rule have to be known.
func (t Triggers) Matters(r Trigger) bool {
	if toolOf(r) != "" {
		return true
	}
	if r.Pattern == "" {
		return false // it goes by the clock
	}
	f, err := events.ParseFilter(r.Pattern)
	return err != nil || slices.ContainsFunc(t.samples, func(s sample) bool { return s.is != isState && f.Admits(s.event) })
}

// Judge tells what a rule fixes; ok is false where it fixes nothing of ours. A topic, a log, a
// stream, a bus or a queue that is not dera's is no fixer: who listens there is not known.
func (t Triggers) Judge(r Trigger) (out Started, ok bool) {
	key := strings.Join(append([]string{r.Name, r.Pattern, r.Schedule}, r.Targets...), "\n")
	t.known.mu.Lock()
	defer t.known.mu.Unlock()
	if v, ok := t.known.of[key]; ok {
		return v.is, v.ok
	}
	if len(t.known.of) >= mostJudged {
		clear(t.known.of)
	}
	out, ok = t.judge(r)
	t.known.of[key] = verdict{out, ok}
	return out, ok
}

func (t Triggers) judge(r Trigger) (out Started, ok bool) {
	seen := t.seen(r)
	tool := toolOf(r)
	types := map[string]bool{}
	add := func(what, who string, list []string, any bool) {
		if len(list) == 0 && !any {
			return
		}
		if out.What == "" {
			out.What, out.Tool = what, who
		}
		out.Any = out.Any || any
		for _, typ := range list {
			types[typ] = true
		}
	}
	for _, target := range r.Targets {
		arn := dera.ARN(target)
		what, who := started(arn), tool
		if who == ToolDera {
			who = "" // what is called so and starts something else
		}
		switch {
		case t.ours(arn):
		case tool == ToolDera && (arn.Service() == "sqs" || strings.HasPrefix(arn.Resource(), "event-bus/")):
			add(what, tool, seen.of(isFinding, isCentral, isChange), seen.unread)
		case arn.Service() == "ssm" && strings.HasPrefix(arn.Resource(), "automation-definition/"):
			list, known := DocumentTypes(documentOf(arn))
			switch {
			case !known:
				add(what, who, seen.of(isFinding, isCentral, isChange), seen.unread)
			case len(seen.of(isFinding, isCentral, isChange)) > 0 || seen.unread:
				add(what, who, list, false)
			}
		case tool == ToolCustodian && runs(arn):
			add(what, tool, seen.of(isFinding, isCentral, isChange, isState), seen.unread || r.Pattern == "") // by the clock: of any type
		case tool == ToolSecurityResponse && (runs(arn) || arn.Service() == "sqs"), runs(arn):
			add(what, who, append(seen.of(isFinding, isCentral), seen.named...), seen.unread)
		}
		if seen.chosen && (runs(arn) || arn.Service() == "ssm") && out.What == "" {
			out.What, out.Tool, out.ByHand = what, who, true
		}
	}
	out.Types = slices.Sorted(maps.Keys(types))
	for _, typ := range seen.of(isCentral) {
		if types[typ] {
			out.Central = append(out.Central, typ)
		}
	}
	out.ByHand = out.ByHand && len(types) == 0 && !out.Any
	return out, out.What != ""
}

// seen is what a pattern lets through.
type seen struct {
	types  map[eventKind]map[string]bool
	named  []string // of changes that the pattern names
	chosen bool
	unread bool // nobody knows what the pattern says
}

func (s seen) of(kinds ...eventKind) (out []string) {
	all := map[string]bool{}
	for _, k := range kinds {
		maps.Copy(all, s.types[k])
	}
	return slices.Sorted(maps.Keys(all))
}

func (t Triggers) seen(r Trigger) seen {
	out := seen{types: map[eventKind]map[string]bool{}}
	if r.Pattern == "" {
		return out
	}
	f, err := events.ParseFilter(r.Pattern)
	if err != nil {
		out.unread = true
		return out
	}
	names := len(f.Named("detail", "eventName")) > 0 || len(f.Named("detail", "eventTypeCode")) > 0 || len(f.Named("detail", "configurationItem", "resourceType")) > 0
	rules, all := t.byRules(f.Named("detail", "configRuleName"))
	for _, s := range t.samples {
		if !f.Admits(s.event) {
			continue
		}
		out.chosen = out.chosen || s.is == isChosen
		if out.types[s.is] == nil {
			out.types[s.is] = map[string]bool{}
		}
		for _, typ := range s.types {
			if s.event["source"] == configSource && s.is == isFinding && all && !slices.Contains(rules, typ) {
				continue
			}
			out.types[s.is][typ] = true
			if s.is == isChange && names {
				out.named = append(out.named, typ)
			}
		}
	}
	return out
}

// byRules are the types that rules of AWS Config with these names are about; all is false where
// one of them is not known. Names contain that of a managed rule, where somebody else than
// the customer chose them: securityhub-restricted-ssh-1a2b3c4d,
// OrgConfigRule-restricted-ssh-1a2b3c4d.
func (t Triggers) byRules(names []string) (types []string, all bool) {
	for _, name := range names {
		best := ""
		for rule := range t.names {
			if strings.Contains(name, rule) && len(rule) > len(best) {
				best = rule
			}
		}
		if best == "" {
			return nil, false
		}
		types = append(types, t.names[best]...)
	}
	return types, len(names) > 0
}

// ours reports whether a target is this dera: its queue, or a bus beside the queue.
func (t Triggers) ours(target dera.ARN) bool {
	bus := target.Service() == "events" && target.Account() != "" && target.Account() == dera.ARN(t.Queue).Account()
	return t.Queue != "" && (dera.MatchGlob(t.Queue, string(target)) || bus)
}

// toolOf is the tool that made a rule, or "".
func toolOf(r Trigger) string {
	names := []string{r.Name}
	for _, target := range r.Targets {
		resource := dera.ARN(target).Resource()
		names = append(names, resource[strings.LastIndexAny(resource, ":/")+1:], strings.TrimPrefix(resource, "function:"))
	}
	for _, n := range names {
		switch {
		case strings.HasSuffix(n, "_AutoTrigger") || strings.Contains(n, "SO0111") || strings.Contains(n, "SHARR") || strings.Contains(n, "PreProcessorQueue"):
			return ToolSecurityResponse
		case strings.HasPrefix(n, "custodian-"):
			return ToolCustodian
		}
	}
	if strings.HasPrefix(r.Name, "dera-") {
		return ToolDera
	}
	return ""
}

// runs reports whether a target runs code or a workflow of the customer's.
func runs(target dera.ARN) bool {
	switch target.Service() {
	case "lambda", "states", "codebuild", "codepipeline", "ecs", "batch":
		return true
	case "ssm": // Run Command
		return strings.HasPrefix(target.Resource(), "document/")
	}
	return false
}

// started names a target for people.
func started(target dera.ARN) string {
	resource := target.Resource()
	name := resource[strings.LastIndexAny(resource, ":/")+1:]
	switch target.Service() {
	case "lambda":
		name = strings.TrimPrefix(resource, "function:")
		return "the Lambda function " + name
	case "states":
		return "the state machine " + name
	case "sqs":
		return "the queue " + name + " in account " + target.Account()
	case "events":
		return "the event bus " + name + " in account " + target.Account()
	case "ssm":
		return "the document " + documentOf(target)
	}
	return target.Service() + " " + name
}

// documentOf is the name of the document in the ARN of a target of Systems Manager.
func documentOf(target dera.ARN) string {
	_, name, _ := strings.Cut(target.Resource(), "/")
	name, _, _ = strings.Cut(name, ":") // its version
	return name
}
