package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services"
	"github.com/spf13/cobra"
)

func newPatternCommand(a *cli) *cobra.Command {
	var only []string
	var queue string
	cmd := &cobra.Command{
		Use:   "pattern",
		Short: "Print the EventBridge rules and the queue policy for the controls",
		Long: "pattern prints the EventBridge rules that match every call after which a control has to re-read a resource, and\n" +
			"nothing else; the rules for what others find: AWS Config, Access Analyzer, Security Hub with its custom actions,\n" +
			"GuardDuty; and one for the usage ledger, which requires every call. It says which state each must have, where to create it, and who may write to the queue.\n\n" +
			"--output cloudformation and --output terraform print a template for one region (JSON, which both take).",
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return a.pattern(only, queue) },
	}
	cmd.Flags().StringSliceVar(&only, "control", nil, "the controls to listen for, separated by commas (default: all)")
	cmd.Flags().StringVar(&queue, "queue", "", "URL of the SQS queue (default: the configuration's)")
	return withFormats(cmd, "table", "json", "cloudformation", "terraform")
}

// patternReport is what dera pattern prints with --output json.
type patternReport struct {
	Rules       []patternRule `json:"rules"`
	QueuePolicy queuePolicy   `json:"queue_policy"`
	Notes       []string      `json:"notes"`
}

// patternRule is a rule, its pattern also as the text that EventBridge takes.
type patternRule struct {
	cloudtrail.Rule
	Text string `json:"text"`
}

func (a *cli) pattern(only []string, queue string) error {
	cfg, err := a.configuration()
	if err != nil {
		return err
	}
	if queue == "" {
		queue = cfg.Queue
	}
	at, err := patternQueue(queue)
	if err != nil {
		return usage("--queue: %w", err)
	}
	types, err := watchedTypes(only)
	if err != nil {
		return usage("--control: %w", err)
	}
	rules := services.Watch().Rules(types)
	switch a.flags.output {
	case "cloudformation":
		return a.printJSON(cloudFormation(rules))
	case "terraform":
		return a.printJSON(terraform(rules))
	}
	r := patternReport{QueuePolicy: policyOf(at, rules), Notes: patternNotes()}
	for _, rule := range rules {
		r.Rules = append(r.Rules, patternRule{rule, rule.Pattern.Text()})
	}
	if a.json() {
		return a.printJSON(r)
	}
	return a.printPattern(r)
}

// watchedTypes are the resource types that the controls look at; none named
// means all of them.
func watchedTypes(only []string) ([]string, error) {
	var types []string
	for _, id := range only {
		if _, err := services.FindControl(id); err != nil {
			return nil, err
		}
	}
	for _, c := range services.Controls() {
		if (len(only) == 0 || slices.Contains(only, c.ID)) && !slices.Contains(types, c.Type) {
			types = append(types, c.Type)
		}
	}
	return types, nil
}

// patternQueue is the ARN of a queue by its URL, https://sqs.REGION.amazonaws.com/ACCOUNT/NAME.
// Without one it is an example that has to be replaced.
func patternQueue(text string) (dera.ARN, error) {
	if text == "" {
		return dera.NewARN("aws", "sqs", "REGION", "ACCOUNT", "dera-events"), nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", err
	}
	host, path := strings.Split(u.Hostname(), "."), strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(host) < 3 || host[0] != "sqs" || len(path) != 2 || dera.ValidAccountID(path[0]) != nil {
		return "", fmt.Errorf("%q is not the URL of a queue, such as https://sqs.eu-west-1.amazonaws.com/111122223333/dera-events", text)
	}
	return dera.NewARN(dera.PartitionOf(host[1]).ID, "sqs", host[1], path[0], path[1]), nil
}

// queuePolicy is a resource policy. Its types fix the order of the members.
type queuePolicy struct {
	Version   string           `json:"Version"`
	Statement []queueStatement `json:"Statement"`
}

type queueStatement struct {
	Sid       string                    `json:"Sid"`
	Effect    string                    `json:"Effect"`
	Principal map[string]any            `json:"Principal"`
	Action    string                    `json:"Action"`
	Resource  any                       `json:"Resource"`
	Condition map[string]map[string]any `json:"Condition"`
}

// policyOf lets the rules beside the queue write to it, and nobody else.
func policyOf(queue dera.ARN, rules []cloudtrail.Rule) queuePolicy {
	var sources []any
	for _, r := range rules {
		if r.Region == dera.GlobalRegion {
			r.Region = dera.PartitionOf(queue.Region()).Home
		}
		if r.Region == "" || r.Region == queue.Region() || queue.Region() == "REGION" {
			sources = append(sources, string(dera.NewARN(queue.Partition(), "events", queue.Region(), queue.Account(), "rule/"+r.Name)))
		}
	}
	return onlyRules(string(queue), sources)
}

func onlyRules(queue any, sources []any) queuePolicy {
	return queuePolicy{Version: "2012-10-17", Statement: []queueStatement{{
		Sid: "OnlyTheRulesOfDera", Effect: "Allow", Principal: map[string]any{"Service": "events.amazonaws.com"},
		Action: "sqs:SendMessage", Resource: queue, Condition: map[string]map[string]any{"ArnEquals": {"aws:SourceArn": sources}},
	}}}
}

// patternNotes is what a rule cannot say of itself.
func patternNotes() []string {
	return []string{
		"EventBridge delivers these events only where a trail records management events.",
		"The rules for re-reads and for Config require the state " + cloudtrail.StateEnabled + ": all of their events are writes or changes.",
		"The rule for the usage ledger requires the state " + cloudtrail.StateAllCalls + ", or calls that only read are dropped. It passes all calls, so the rules for re-reads are not required.",
		"The rules for Security Hub and GuardDuty are required only where these are on. With findings aggregated, those of one region are enough; a finding that comes from both is taken once.",
		"A custom action of Security Hub means now: its resources are looked at before all others, and a plan that nobody answered is made again. It approves nothing. Add its ARN to the pattern (resources) to take one action alone.",
		"Events of global services (CloudFront, IAM, Organizations, Route 53) arrive in us-east-1 alone: create the rules for them, and the one for the ledger, there.",
		"A rule sends to a queue of its own region only. From other regions and accounts, send to an event bus next to the queue that has the same rules.",
	}
}

func (a *cli) printPattern(r patternReport) error {
	p := newPaint(a.out)
	t := table{head: []string{"RULE", "FOR", "REGION", "STATE", "SIZE"}}
	for _, rule := range r.Rules {
		where := rule.Region
		switch where {
		case "":
			where = "each"
		case dera.GlobalRegion:
			where = "IAM's"
		}
		t.row(rule.Name, rule.For, where, rule.State, fmt.Sprintf("%d of %d", len(rule.Text), cloudtrail.MaxPattern))
	}
	t.print(a.out)
	for _, rule := range r.Rules {
		a.printf("\n%s\n%s\n", p.bold(rule.Name), rule.Text)
	}
	a.printf("\n%s\n", p.bold("queue policy"))
	if err := a.printJSON(r.QueuePolicy); err != nil {
		return err
	}
	a.printf("\n")
	width, _ := terminal(a.out)
	for _, n := range r.Notes {
		a.printf("%s\n", wrap(n, "", width))
	}
	return nil
}
