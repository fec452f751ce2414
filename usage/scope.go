package usage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// Coverage is what someone declares about where records come from. Log files do not
// say what was left out of them: without a scope, nothing is unused.
type Coverage struct {
	Accounts []string `json:"accounts"`
	// Regions are all regions that the accounts can use; IAM's events are in
	// us-east-1.
	Regions []string `json:"regions"`
	// Since is when the trail or rule began to record as it does now.
	Since Second `json:"since"`
	// Selectors and AdvancedSelectors are as aws cloudtrail get-event-selectors
	// prints them.
	Selectors         []Selector         `json:"EventSelectors,omitempty"`
	AdvancedSelectors []AdvancedSelector `json:"AdvancedEventSelectors,omitempty"`
	// RuleState is the state of the EventBridge rule that feeds the queue, where
	// records come from one.
	RuleState string `json:"event_bridge_rule_state,omitempty"`
	TrailARN  string `json:"TrailARN,omitempty"`

	noData bool // whatever the selectors say
}

// Selector is a basic event selector.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html
type Selector struct {
	ReadWriteType                 string
	IncludeManagementEvents       *bool
	ExcludeManagementEventSources []string
	DataResources                 []struct {
		Type   string
		Values []string
	}
}

// AdvancedSelector is an advanced event selector.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedEventSelector.html
type AdvancedSelector struct {
	Name           string
	FieldSelectors []FieldSelector
}

// FieldSelector is one condition of an advanced selector.
type FieldSelector struct {
	Field         string
	Equals        []string `json:",omitempty"`
	NotEquals     []string `json:",omitempty"`
	StartsWith    []string `json:",omitempty"`
	NotStartsWith []string `json:",omitempty"`
	EndsWith      []string `json:",omitempty"`
	NotEndsWith   []string `json:",omitempty"`
}

// ParseScope reads a declared scope.
func ParseScope(raw []byte) (Coverage, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var s Coverage
	if err := d.Decode(&s); err != nil {
		return Coverage{}, fmt.Errorf("read scope: %w", err)
	}
	for _, a := range s.Accounts {
		if err := dera.ValidAccountID(a); err != nil {
			return Coverage{}, fmt.Errorf("read scope: %w", err)
		}
	}
	switch {
	case len(s.Accounts) == 0 || len(s.Regions) == 0 || s.Since == 0:
		return Coverage{}, errors.New("read scope: accounts, regions and since must be there")
	case len(s.Selectors) > 0 && len(s.AdvancedSelectors) > 0:
		return Coverage{}, errors.New("read scope: a trail has EventSelectors or AdvancedEventSelectors, not both")
	case len(s.Selectors)+len(s.AdvancedSelectors) == 0 && s.RuleState == "":
		return Coverage{}, errors.New("read scope: want EventSelectors, AdvancedEventSelectors or event_bridge_rule_state")
	case s.RuleState != "" && !slices.Contains([]string{"ENABLED", "DISABLED", RuleWithReads}, s.RuleState):
		return Coverage{}, fmt.Errorf("read scope: event_bridge_rule_state is %q", s.RuleState)
	}
	return s, nil
}

// RuleWithReads is the state of a rule that gets read-only events too.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
const RuleWithReads = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

// Declare notes a scope for each of its accounts, in the place of an older one.
func (l *Ledger) Declare(ctx context.Context, s Coverage) error {
	var b Batch
	for _, account := range s.Accounts {
		f, err := newFact(factScope, account, SecondOf(l.now()), s)
		if err != nil {
			return err
		}
		b.Facts = append(b.Facts, f)
	}
	return l.store.CommitUsage(ctx, b)
}

// scopeOfQueue stands in the ID of the scope of a queue.
const scopeOfQueue = "queue/"

// DeclareQueue notes what an event queue delivers, beside what is declared of
// trails. Only accounts, regions and the state of the rule are asked for; a state
// that is left out says that the rule lets through only some calls. It is
// recorded so since it was first declared so.
func (l *Ledger) DeclareQueue(ctx context.Context, s Coverage) error {
	known, err := l.store.UsageFacts(ctx, factScope)
	if err != nil {
		return fmt.Errorf("declare queue: %w", err)
	}
	var b Batch
	for _, account := range s.Accounts {
		one := Coverage{Accounts: []string{account}, Regions: s.Regions, Since: SecondOf(l.now()), RuleState: s.RuleState}
		for _, f := range known {
			var old Coverage
			if f.ID != factScope+"/"+scopeOfQueue+account {
				continue
			}
			if err := json.Unmarshal(f.Body, &old); err != nil {
				return fmt.Errorf("declare queue: %s: %w", f.ID, err)
			}
			if old.RuleState == s.RuleState && slices.Equal(old.Regions, s.Regions) {
				one.Since = old.Since
			}
		}
		f, err := newFact(factScope, scopeOfQueue+account, SecondOf(l.now()), one)
		if err != nil {
			return err
		}
		b.Facts = append(b.Facts, f)
	}
	return l.store.CommitUsage(ctx, b)
}

// ofQueue reports whether the scope says nothing of a trail.
func (s Coverage) ofQueue() bool {
	return len(s.Selectors)+len(s.AdvancedSelectors) == 0 && s.RuleState == ""
}

// Complete reports whether a queue with this scope delivers every management
// event.
func (s Coverage) Complete() bool { return s.RuleState == RuleWithReads }

// recorded is what a scope says is recorded.
type recorded struct {
	reads, writes bool
	kms, rdsData  bool
	data          []string // resource types of which all data events are recorded
}

// recorded reads the selectors. What it does not understand records nothing.
func (s Coverage) recorded() recorded {
	var r recorded
	for _, sel := range s.Selectors {
		sel.into(&r)
	}
	for _, sel := range s.AdvancedSelectors {
		sel.into(&r)
	}
	if s.noData {
		r.data = nil
	}
	switch s.RuleState {
	case "ENABLED":
		r.writes, r.kms, r.rdsData = true, true, true
	case RuleWithReads:
		r.reads, r.writes, r.kms, r.rdsData = true, true, true, true
	}
	return r
}

func (s Selector) into(r *recorded) {
	reads, writes := s.ReadWriteType != "WriteOnly", s.ReadWriteType != "ReadOnly"
	if s.IncludeManagementEvents == nil || *s.IncludeManagementEvents {
		r.reads, r.writes = r.reads || reads, r.writes || writes
		r.kms = r.kms || reads && !slices.Contains(s.ExcludeManagementEventSources, "kms.amazonaws.com")
		r.rdsData = r.rdsData || reads && !slices.Contains(s.ExcludeManagementEventSources, "rdsdata.amazonaws.com")
	}
	if !reads || !writes {
		return
	}
	for _, d := range s.DataResources {
		// A bare prefix means every resource of the type.
		if slices.ContainsFunc(d.Values, func(v string) bool {
			_, rest, _ := strings.Cut(strings.TrimPrefix(v, "arn:"), ":") // whatever the partition
			return slices.Contains([]string{"s3", "s3:::", "lambda", "dynamodb"}, rest)
		}) {
			r.data = append(r.data, d.Type)
		}
	}
}

func (s AdvancedSelector) into(r *recorded) {
	category, types := "", []string(nil)
	reads, writes, narrow := true, true, false
	var excluded []string
	for _, f := range s.FieldSelectors {
		only := f.NotEquals == nil && f.StartsWith == nil && f.NotStartsWith == nil && f.EndsWith == nil && f.NotEndsWith == nil
		switch {
		case f.Field == "eventCategory" && only && len(f.Equals) == 1:
			category = f.Equals[0]
		case f.Field == "resources.type" && only:
			types = f.Equals
		case f.Field == "readOnly" && only && len(f.Equals) == 1:
			reads, writes = f.Equals[0] == "true", f.Equals[0] == "false"
		case f.Field == "eventSource" && len(f.NotEquals) > 0 && f.Equals == nil:
			excluded = f.NotEquals
		default:
			narrow = true
		}
	}
	switch {
	case narrow:
	case category == "Management":
		r.reads, r.writes = r.reads || reads, r.writes || writes
		r.kms = r.kms || reads && writes && !slices.Contains(excluded, "kms.amazonaws.com")
		r.rdsData = r.rdsData || reads && writes && !slices.Contains(excluded, "rdsdata.amazonaws.com")
		for _, e := range excluded {
			if e != "kms.amazonaws.com" && e != "rdsdata.amazonaws.com" {
				r.reads, r.writes = false, false // some service is left out
			}
		}
	case category == "Data" && reads && writes && len(excluded) == 0:
		r.data = append(r.data, types...)
	}
}

// dataType is the resource type of data events by the source of the event, for the
// services whose data events are most used.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
func dataType(source string) string {
	return map[string]string{
		"s3": "AWS::S3::Object", "lambda": "AWS::Lambda::Function", "dynamodb": "AWS::DynamoDB::Table",
		"sqs": "AWS::SQS::Queue", "sns": "AWS::SNS::Topic", "kinesis": "AWS::Kinesis::Stream",
	}[strings.TrimSuffix(source, ".amazonaws.com")]
}

// maxWindow bounds the window that a question may have.
const maxWindow = 400 * 24 * time.Hour
