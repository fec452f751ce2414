package cloudtrail

import (
	"fmt"
	"time"

	"dera.example/dera"
)

// Compliance is a compliance change of AWS Config, as EventBridge delivers it. It
// stands in this package because it comes over the same queue as the records, in
// the same envelope, and is worth the same: it names what to look at again. Who
// wrote the rule, and what the rule says, is not read: users name rules as they
// like.
//
// https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html
type Compliance struct {
	ID        string // of the envelope
	Account   string
	Region    string
	Partition string // of the region
	Time      time.Time
	// Result is the new compliance type: COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE
	// or INSUFFICIENT_DATA.
	Result       string
	ResourceType string
	ResourceID   string
	// Trusted is true where the envelope's source is AWS Config's own, which only
	// AWS can send. It says nothing about who may write to the queue.
	Trusted bool
}

// ComplianceKind is the detail-type of the envelopes that DecodeCompliance reads.
const ComplianceKind = "Config Rules Compliance Change"

// NonCompliantQuery asks an aggregator for what the rules of AWS Config found, newest first. The language knows no comparison
// but =, IN and BETWEEN.
//
// https://docs.aws.amazon.com/config/latest/developerguide/query-components.html
const NonCompliantQuery = "SELECT accountId, awsRegion, configurationItemCaptureTime, configuration.targetResourceId, configuration.targetResourceType " +
	"WHERE resourceType = 'AWS::Config::ResourceCompliance' AND configuration.complianceType = 'NON_COMPLIANT' ORDER BY configurationItemCaptureTime DESC"

// The results that are worth a look.
const (
	compliant    = "COMPLIANT"
	notCompliant = "NON_COMPLIANT"
)

// IsCompliance reports whether raw is an envelope of that kind, whatever is in
// it.
func IsCompliance(raw []byte) bool {
	envelope, err := unwrap(raw)
	return err == nil && envelope.text("detail-type") == ComplianceKind
}

// DecodeCompliance reads one compliance change, in an EventBridge envelope, plain
// or in an SNS notification. Its errors are those of Decode; an envelope whose
// account or region is not that of its detail is a *FieldError.
func DecodeCompliance(raw []byte) (Compliance, error) {
	envelope, err := unwrap(raw)
	if err != nil {
		return Compliance{}, err
	}
	if kind := envelope.text("detail-type"); kind != ComplianceKind {
		return Compliance{}, fmt.Errorf("decode event with detail-type %q: %w", clean(kind, 64), ErrNotCloudTrail)
	}
	detail, err := level(envelope["detail"])
	if err != nil {
		return Compliance{}, err
	}
	c := Compliance{
		ID: clean(envelope.text("id"), 128), Account: detail.text("awsAccountId"),
		Time: moment(detail.text("notificationCreationTime"), envelope.text("time")), Trusted: envelope.text("source") == "aws.config",
		ResourceType: clean(detail.text("resourceType"), 128), ResourceID: clean(detail.text("resourceId"), 1024),
		Result: clean(detail.object("newEvaluationResult").text("complianceType"), 64),
	}
	switch account := envelope.text("account"); {
	case dera.ValidAccountID(c.Account) != nil:
		return Compliance{}, &FieldError{Field: "awsAccountId", Value: c.Account}
	case account != c.Account:
		return Compliance{}, &FieldError{Field: "account", Value: account}
	}
	if c.Region, err = region(detail.text("awsRegion")); err != nil {
		return Compliance{}, err
	}
	if at := envelope.text("region"); at != c.Region {
		return Compliance{}, &FieldError{Field: "region", Value: at}
	}
	c.Partition = dera.PartitionOf(c.Region).ID
	for _, f := range []struct{ field, value string }{
		{"source", map[bool]string{true: "aws.config"}[c.Trusted]}, {"resourceType", c.ResourceType}, {"complianceType", c.Result},
	} {
		if f.value == "" {
			return Compliance{}, &FieldError{Field: f.field}
		}
	}
	return c, nil
}
