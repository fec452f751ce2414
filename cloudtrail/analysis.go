package cloudtrail

import (
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
)

// Analysis is a finding of IAM Access Analyzer that came, changed or went, as EventBridge
// delivers it: on access from outside, from inside, or that nobody uses. It comes over the same queue as the
// records, and is worth the same: it names what to look at again.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-eventbridge.html
type Analysis struct {
	ID        string // of the envelope
	Kind      string // the detail-type
	Account   string // that has the resource; the analyzer may be in another one
	Region    string // of the analyzer
	Partition string
	Time      time.Time
	// Resource is an ARN, and ResourceType its CloudFormation type. There may be none of what
	// Access Analyzer could not analyze.
	Resource     dera.ARN
	ResourceType string
	// Trusted is true where the envelope's source is Access Analyzer's own, which only AWS can
	// send. It says nothing about who may write to the queue.
	Trusted bool
}

// AnalysisKinds are the detail-types of the envelopes that DecodeAnalysis reads.
func AnalysisKinds() []string {
	return []string{"Access Analyzer Finding", "Internal Access Finding", "Unused Access Finding for IAM entities"}
}

// analyzer is the source of such envelopes.
const analyzer = "aws.access-analyzer"

// IsAnalysis reports whether raw is an envelope of those kinds, whatever is in it.
func IsAnalysis(raw []byte) bool {
	envelope, err := unwrap(raw)
	return err == nil && slices.Contains(AnalysisKinds(), envelope.text("detail-type"))
}

// DecodeAnalysis reads one, in an EventBridge envelope, plain or in an SNS notification. Its
// errors are those of Decode.
func DecodeAnalysis(raw []byte) (Analysis, error) {
	envelope, err := unwrap(raw)
	if err != nil {
		return Analysis{}, err
	}
	a := Analysis{ID: clean(envelope.text("id"), 128), Kind: envelope.text("detail-type"), Trusted: envelope.text("source") == analyzer}
	if !slices.Contains(AnalysisKinds(), a.Kind) {
		return Analysis{}, fmt.Errorf("decode event with detail-type %q: %w", clean(a.Kind, 64), ErrNotCloudTrail)
	}
	detail, err := level(envelope["detail"])
	if err != nil {
		return Analysis{}, err
	}
	a.Account, a.Time = detail.text("accountId"), moment(detail.text("updatedAt"), envelope.text("time"))
	a.Resource, a.ResourceType = dera.ARN(clean(detail.text("resource"), 2048)), clean(detail.text("resourceType"), 128)
	if err := dera.ValidAccountID(a.Account); err != nil {
		return Analysis{}, &FieldError{Field: "accountId", Value: a.Account}
	}
	if a.Region, err = region(envelope.text("region")); err != nil {
		return Analysis{}, &FieldError{Field: "region", Value: envelope.text("region")}
	}
	a.Partition = dera.PartitionOf(a.Region).ID
	switch owner := a.Resource.Account(); {
	case !a.Trusted:
		return Analysis{}, &FieldError{Field: "source"}
	case a.ResourceType == "":
		return Analysis{}, &FieldError{Field: "resourceType"}
	case a.Resource == "": // of what could not be analyzed
	case a.Resource.Service() == "" || a.Resource.Resource() == "" || owner != "" && owner != a.Account:
		return Analysis{}, &FieldError{Field: "resource", Value: string(a.Resource)}
	}
	return a, nil
}

// HintsOfAnalysis returns where to look because of a finding of Access Analyzer. That one went
// is as good a reason as that one came. A resource type that no type listens to gives none.
func (w Watch) HintsOfAnalysis(a Analysis) (out []dera.Scope) {
	id := a.Resource.Name() // team/app of a repository, orders:live of a function
	for _, t := range w.analyzed {
		if t.owner == a.ResourceType {
			out = append(out, t.find(Record{Partition: a.Partition, Account: a.Account, Region: a.Region}, id)...)
		}
	}
	return out
}

// analyzed is a type that listens to Access Analyzer.
type analyzed struct {
	find  func(r Record, id string) []dera.Scope
	owner string
}

// analyzerRule lets through the findings that are hints at resources of the types.
func (w Watch) analyzerRule(types []string) *Rule {
	var watched []string
	for _, t := range w.analyzed {
		if slices.Contains(types, t.owner) {
			watched = append(watched, t.owner)
		}
	}
	if len(watched) == 0 {
		return nil
	}
	var kinds []any
	for _, k := range AnalysisKinds() {
		kinds = append(kinds, k)
	}
	return &Rule{Name: analyzerRule, For: ForAnalyzer, State: StateEnabled, Pattern: Pattern{
		Source: []any{analyzer}, DetailType: kinds, Detail: &Detail{ResourceType: watched},
	}}
}
