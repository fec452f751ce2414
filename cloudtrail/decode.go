package cloudtrail

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
)

// MaxSize is the largest event that Decode looks at, in bytes. EventBridge
// delivers up to 1 MiB and SQS takes as much.
const MaxSize = 1 << 20

// Decode reads one event: a CloudTrail record, an EventBridge envelope around
// one (detail-type "… via CloudTrail"), or either in an SNS notification. The
// error is one of those of this package, wrapped. The record aliases raw.
//
// Each level is read by its own members only. A member that stands twice in a
// level that AWS writes is an error, since two readers could see two events.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
func Decode(raw []byte) (Record, error) {
	envelope, err := unwrap(raw)
	if err != nil {
		return Record{}, err
	}
	if envelope["detail-type"] == nil && envelope["detail"] == nil {
		return record(envelope, nil)
	}
	kind := envelope.text("detail-type")
	if !strings.HasSuffix(kind, " via CloudTrail") {
		return Record{}, fmt.Errorf("decode event with detail-type %q: %w", clean(kind, 64), ErrNotCloudTrail)
	}
	detail, err := level(envelope["detail"])
	if err != nil {
		return Record{}, err
	}
	return record(detail, envelope)
}

// unwrap takes the outermost level of an event apart, or that of the message of
// an SNS notification.
func unwrap(raw []byte) (object, error) {
	if len(raw) > MaxSize {
		return nil, fmt.Errorf("decode event of %d bytes: %w", len(raw), ErrTooLarge)
	}
	if !json.Valid(raw) {
		return nil, fmt.Errorf("decode event: %w", ErrNotJSON)
	}
	envelope, err := level(raw)
	if err != nil || envelope.text("Type") != "Notification" || envelope.text("Message") == "" {
		return envelope, err
	}
	message := []byte(envelope.text("Message"))
	if !json.Valid(message) {
		return nil, fmt.Errorf("decode SNS message: %w", ErrNotJSON)
	}
	return level(message)
}

// level takes one level apart that AWS writes.
func level(raw []byte) (object, error) {
	o, duplicate, ok := parseObject(raw)
	switch {
	case !ok:
		return nil, fmt.Errorf("decode event: %w", ErrNotJSON)
	case duplicate != "":
		return nil, fmt.Errorf("decode event: %w: %q", ErrDuplicateName, clean(duplicate, 64))
	}
	return o, nil
}

// record reads the members of a CloudTrail record; envelope is nil for a bare one.
func record(o, envelope object) (Record, error) {
	if o["eventSource"] == nil && o["eventName"] == nil {
		return Record{}, fmt.Errorf("decode event without eventSource and eventName: %w", ErrNotCloudTrail)
	}
	r := Record{
		ID:        clean(first(o.text("eventID"), envelope.text("id")), 128),
		RequestID: clean(o.text("requestID"), 128),
		Type:      clean(o.text("eventType"), 64),
		Time:      moment(o.text("eventTime"), envelope.text("time")),
		ReadOnly:  string(o["readOnly"]) == "true",
		ErrorCode: clean(o.text("errorCode"), 128),
		Caller:    caller(o.object("userIdentity")),
		UserAgent: clean(o.text("userAgent"), 512),
		SourceIP:  clean(o.text("sourceIPAddress"), 128),
		Request:   o["requestParameters"],
		Response:  o["responseElements"],
	}
	var err error
	if r.Source, err = word("eventSource", o.text("eventSource")); err != nil {
		return Record{}, err
	}
	if r.Name, err = word("eventName", o.text("eventName")); err != nil {
		return Record{}, err
	}
	if r.Region, err = region(first(o.text("awsRegion"), envelope.text("region"))); err != nil {
		return Record{}, err
	}
	r.Partition = dera.PartitionOf(r.Region).ID
	// Events that some deliveries pass on lack the envelope's account, and old
	// records lack recipientAccountId: the caller's account is the last resort.
	r.Account = first(o.text("recipientAccountId"), envelope.text("account"), r.Caller.Account)
	if dera.ValidAccountID(r.Account) != nil {
		return Record{}, &FieldError{Field: "recipientAccountId", Value: r.Account}
	}
	r.Trusted = strings.HasPrefix(envelope.text("source"), "aws.") &&
		envelope.text("account") == r.Account && envelope.text("region") == r.Region
	return r, nil
}

func caller(o object) Caller {
	return Caller{
		Type:      clean(o.text("type"), 64),
		ARN:       clean(o.text("arn"), 2048),
		Issuer:    clean(o.object("sessionContext").object("sessionIssuer").text("arn"), 2048),
		Account:   clean(o.text("accountId"), 12),
		InvokedBy: clean(o.text("invokedBy"), 128),
	}
}

// word accepts what AWS uses for names of services and operations.
func word(field, s string) (string, error) {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return "", &FieldError{Field: field, Value: s}
		}
	}
	if s == "" || len(s) > 128 {
		return "", &FieldError{Field: field, Value: s}
	}
	return s, nil
}

// region accepts the form of a region's name; whether dera covers it is
// not decided here.
func region(s string) (string, error) {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return "", &FieldError{Field: "awsRegion", Value: s}
		}
	}
	if s == "" || len(s) > 32 {
		return "", &FieldError{Field: "awsRegion", Value: s}
	}
	return s, nil
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// moment returns the first text that is a time, in UTC. In UTC it must have a year of four digits too, else nobody
// could write it down: an event with one could never be committed.
func moment(texts ...string) time.Time {
	for _, s := range texts {
		if t, err := time.Parse(time.RFC3339, s); err == nil && t.UTC().Year() > 0 && t.UTC().Year() <= 9999 {
			return t.UTC()
		}
	}
	return time.Time{}
}
