package cloudtrail

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// Report is what another service says of resources: a finding of Security Hub or GuardDuty, a
// changed item of AWS Config, a signed message. It names where to look and nothing else.
type Report struct {
	Source string // one of the Report constants
	Name   string // the detail-type
	// ID is that of the finding without its region: a linked region and the one that
	// aggregates both send it.
	ID string
	// Rule is what found it: a control of Security Hub (EC2.13), a CIS rule (CIS 1.2.0/4.1), a
	// type of GuardDuty, a check of Prowler, or the generator as it was written.
	Rule string
	// Account and Region are the resource's, not the receiving hub's.
	Account, Region, Partition string
	Time                       time.Time
	Resources                  []Reported
	// Now says that a person asked for it by the custom action of the name.
	Now    bool
	Action string
	// Left says why it is no hint: one of the Left constants, or "".
	Left string
	// Trusted is true where the envelope's source is one that only AWS can send.
	Trusted bool
}

// Reported is a resource as a report names it. Region is "" where the report does not say.
type Reported struct {
	ARN              dera.ARN
	Type, ID, Region string
	// Self says that it is the report itself, where reports are resources too: it is looked at
	// beside what the rule is about.
	Self bool
}

// Who reports.
const (
	ReportSecurityHub = "securityhub"
	ReportGuardDuty   = "guardduty"
	ReportConfig      = "config"
)

// Why a report is no hint.
const (
	LeftEcho     = "echo"     // of what dera wrote itself
	LeftSample   = "sample"   // a sample finding, which no resource has
	LeftArchived = "archived" // archived in GuardDuty, which says nothing of the resource
)

// The detail-types of reports.
const (
	ImportedKind   = "Security Hub Findings - Imported"
	ImportedV2Kind = "Findings Imported V2"
	ActionKind     = "Security Hub Findings - Custom Action"
	InsightKind    = "Security Hub Insight Results"
	GuardDutyKind  = "GuardDuty Finding"
	ItemKind       = "Config Configuration Item Change"
)

// mostFindings bounds the findings of one event: Security Hub sends 100 at most.
const mostFindings = 200

// IsReport reports whether raw is an envelope of those kinds, whatever is in it.
func IsReport(raw []byte) bool {
	envelope, err := unwrap(raw)
	return err == nil && slices.Contains(ReportKinds(), envelope.text("detail-type"))
}

// ReportKinds are the detail-types of the envelopes that DecodeReports reads.
func ReportKinds() []string {
	return []string{ImportedKind, ImportedV2Kind, ActionKind, InsightKind, GuardDutyKind, ItemKind}
}

// DecodeReports reads the reports of one EventBridge envelope, plain or in an SNS notification.
// Its errors are those of Decode; that of a finding that cannot be read comes with the reports
// that can.
//
// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html
// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html
func DecodeReports(raw []byte) ([]Report, error) {
	envelope, err := unwrap(raw)
	if err != nil {
		return nil, err
	}
	kind := envelope.text("detail-type")
	detail, err := level(envelope["detail"])
	if err != nil {
		return nil, err
	}
	base := Report{
		Name: kind, ID: clean(envelope.text("id"), 128), Account: envelope.text("account"), Region: envelope.text("region"), Time: moment(envelope.text("time")),
		Now: kind == ActionKind,
	}
	if base.Now {
		base.Action = clean(detail.text("actionName"), 64)
	}
	var list []Report
	switch kind {
	case ImportedKind, ImportedV2Kind, ActionKind:
		base.Source = ReportSecurityHub
		list, err = base.findings(detail["findings"])
	case InsightKind:
		base.Source, base.Rule = ReportSecurityHub, "insight "+clean(detail.text("insightName"), 64)
		list = []Report{base}
	case GuardDutyKind:
		base.Source = ReportGuardDuty
		list = []Report{base.guardDuty(treeOf(envelope["detail"], ""))}
	case ItemKind:
		base.Source = ReportConfig
		list = []Report{base.item(treeOf(envelope["detail"], "").Object("configurationItem"))}
	default:
		return nil, fmt.Errorf("decode event with detail-type %q: %w", clean(kind, 64), ErrNotCloudTrail)
	}
	if source := envelope.text("source"); source != "aws."+base.Source {
		return nil, &FieldError{Field: "source", Value: source}
	}
	var good []Report
	for _, r := range list {
		r.Trusted = true
		if bad := r.check(); bad != nil {
			err = cmp.Or(err, bad)
			continue
		}
		good = append(good, r)
	}
	return good, err
}

// DecodeFinding reads one finding outside an envelope: ASFF or OCSF. Its errors are those of
// Decode.
func DecodeFinding(raw []byte) (Report, error) {
	if len(raw) > MaxSize {
		return Report{}, fmt.Errorf("decode finding of %d bytes: %w", len(raw), ErrTooLarge)
	}
	r, err := Report{Source: ReportSecurityHub, Name: "finding"}.finding(raw)
	if err != nil {
		return Report{}, err
	}
	return r, r.check()
}

// findings reads a list of findings. One that is unreadable makes the event so: it is kept whole.
func (r Report) findings(raw json.RawMessage) ([]Report, error) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 || len(list) > mostFindings {
		return nil, &FieldError{Field: "findings"}
	}
	out := make([]Report, 0, len(list))
	var bad error
	for _, one := range list {
		f, err := r.finding(one)
		if err != nil {
			bad = cmp.Or(bad, err)
			continue
		}
		out = append(out, f)
	}
	return out, bad
}

// finding reads one in either format.
func (r Report) finding(raw json.RawMessage) (Report, error) {
	o, err := level(raw)
	if err != nil {
		return Report{}, err
	}
	t := treeOf(raw, "")
	switch {
	case o["AwsAccountId"] != nil:
		return r.asff(t), nil
	case o["class_uid"] != nil || o["finding_info"] != nil:
		return r.ocsf(t), nil
	}
	return Report{}, &FieldError{Field: "AwsAccountId"}
}

// Checked is a report that was made of other words, held to what every one must say: an account,
// or the ARN of a resource with one. The error is a *FieldError.
func (r Report) Checked() (Report, error) {
	if len(r.Resources) > maxReported {
		return Report{}, &FieldError{Field: "resources"}
	}
	list := r.Resources
	r.Resources, r.Name = nil, clean(r.Name, 256)
	for _, x := range list {
		r.name(x)
	}
	if len(list) > 0 && r.Region == "" {
		r.Region = list[0].ARN.Region()
	}
	err := r.check()
	return r, err
}

// check holds a report to what every one must say, and fills in what follows from that.
func (r *Report) check() error {
	if r.Account == "" && len(r.Resources) > 0 {
		r.Account = r.Resources[0].ARN.Account()
	}
	if err := dera.ValidAccountID(r.Account); err != nil {
		return &FieldError{Field: "account", Value: r.Account}
	}
	if r.Region == "" || r.Region == "global" || r.Region == "aws-global" {
		r.Region = dera.Partitions()[0].Home
	}
	var err error
	if r.Region, err = region(r.Region); err != nil {
		return &FieldError{Field: "region", Value: r.Region}
	}
	r.Partition = dera.PartitionOf(r.Region).ID
	for i, x := range r.Resources {
		if x.Region == "global" || x.Region == "aws-global" || !IsRegion(x.Region) {
			r.Resources[i].Region = ""
		}
	}
	r.Rule = clean(r.Rule, 128)
	return nil
}

// withoutRegion is the ID of a finding with its region taken out of an ARN.
func withoutRegion(id string) string {
	parts := strings.SplitN(id, ":", 6)
	if len(parts) == 6 && parts[0] == "arn" {
		parts[3] = ""
		id = strings.Join(parts, ":")
	}
	return clean(id, 512)
}

// maxReported bounds the resources of one finding.
const maxReported = 50

func (r *Report) name(x Reported) {
	if len(r.Resources) >= maxReported || x.ARN == "" && x.ID == "" {
		return
	}
	x.Type, x.ID, x.ARN = clean(x.Type, 128), clean(x.ID, 1024), dera.ARN(clean(string(x.ARN), 2048))
	if !slices.Contains(r.Resources, x) {
		r.Resources = append(r.Resources, x)
	}
}

// item reads an item of AWS Config that changed.
//
// https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html
func (r Report) item(t Tree) Report {
	r.Account, r.Region = first(t.Value("awsAccountId"), r.Account), first(t.Text("awsRegion"), r.Region)
	r.Time = moment(t.Text("configurationItemCaptureTime"), r.Time.Format(time.RFC3339))
	x := Reported{Type: t.Text("resourceType"), ID: t.Text("resourceId"), Region: r.Region}
	if arn := t.Text("ARN"); strings.HasPrefix(arn, "arn:") {
		x.ARN = dera.ARN(arn)
	}
	r.name(x)
	return r
}
