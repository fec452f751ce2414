package cloudtrail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNotLog says that a file holds no CloudTrail in any form.
var ErrNotLog = errors.New("neither JSON nor CSV of CloudTrail")

// errOther says that a file is of AWS, and not of CloudTrail's events.
var errOther = errors.New(", which holds no events")

// FormError says that a file holds CloudTrail in a form that is not read.
type FormError struct{ Form, Instead string }

// Error names the form and says what to export instead.
func (e *FormError) Error() string { return e.Form + " is not read: " + e.Instead }

const (
	fromTrail = "export the log files from the trail's S3 bucket (aws s3 sync), or the last 90 days with aws cloudtrail lookup-events"
	allOfIt   = "select eventjson in CloudTrail Lake, and every column in Athena"
)

// formOf tells the forms of packed columns and archives by their first bytes.
func formOf(magic []byte) error {
	for _, f := range []struct{ magic, form, instead string }{
		{"PAR1", "Parquet, as of Security Lake,", fromTrail},
		{"ORC", "ORC", fromTrail},
		{"Obj\x01", "Avro", fromTrail},
	} {
		if bytes.HasPrefix(magic, []byte(f.magic)) {
			return &FormError{f.form, f.instead}
		}
	}
	for _, archive := range []string{"PK\x03\x04", "\x28\xb5\x2f\xfd", "BZh", "\xfd7zX"} {
		if bytes.HasPrefix(magic, []byte(archive)) {
			return fmt.Errorf("%w: an archive, which has to be unpacked first", ErrNotLog)
		}
	}
	return nil
}

// copyOf names the product whose copy of an event an object is; nil for none that
// is known. Copies rename fields and leave some out, so that nothing can be said
// from them.
func copyOf(o object) error {
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return o[n] == nil })
	}
	switch event := o.object("event"); {
	case has("_source"), has("hits"), has("_index"), has("@timestamp", "event"), has("@timestamp", "aws"), has("aws.cloudtrail"), event["dataset"] != nil,
		o.object("index")["_index"] != nil, o.object("create")["_index"] != nil:
		return &FormError{"An Elastic copy of CloudTrail", fromTrail}
	case has("_raw"), has("result", "preview"), has("result", "offset"), has("result", "lastrow"), o.object("result")["_raw"] != nil, has("sourcetype"):
		return &FormError{"A Splunk copy of CloudTrail", fromTrail}
	case has("class_uid"), has("category_uid"), o.object("metadata")["product"] != nil:
		return &FormError{"OCSF, as of Security Lake,", fromTrail}
	case has("TimeGenerated"):
		return &FormError{"A Microsoft Sentinel copy of CloudTrail", fromTrail}
	case has("EventName", "EventSource"):
		return &FormError{"An answer of LookupEvents without its CloudTrailEvent", "export it whole (aws cloudtrail lookup-events --output json)"}
	case has("digestS3Object"):
		return fmt.Errorf("a digest file%w", errOther)
	case has("hashSignature", "publicKeyFingerprint"):
		return fmt.Errorf("a signature of saved results of CloudTrail Lake%w", errOther)
	case has("configurationItems"), has("configSnapshotId"):
		return fmt.Errorf("a file of AWS Config%w", errOther)
	}
	return nil
}

// maxWraps is how often a record may be packed in texts: an EventBridge envelope
// in an SNS notification in a message of SQS in an event of CloudWatch Logs.
const maxWraps = 5

var errHeader = errors.New("row of the names of columns")

// inObject skims the record in an object that is not one itself: an EventBridge
// envelope, an event of an answer of LookupEvents or CloudWatch Logs, a message of
// SQS or SNS, a row of a table. It returns the text of the record, or the envelope.
func (f *Fields) inObject(raw []byte, columns *[]string, depth int) ([]byte, error) {
	o, err := level(raw)
	switch {
	case err != nil:
		return nil, err
	case depth > maxWraps:
		return nil, fmt.Errorf("packed more than %d times: %w", maxWraps, ErrNotCloudTrail)
	case o["eventSource"] != nil || o["eventName"] != nil:
		return raw, f.Skim(raw)
	case o.text("eventCategory") == "Insight", o.text("eventCategory") == "Aggregated": // some name no call
		return nil, ErrOtherEvent
	case o["detail-type"] != nil || o["detail"] != nil:
		return raw, f.skimEnvelope(o)
	case o.text("Type") == "Notification" && o["Message"] != nil:
		return f.inText([]byte(o.text("Message")), columns, depth+1)
	case o["Data"] != nil:
		return f.athenaRow(o, columns)
	case o["VarCharValue"] != nil || o["field"] != nil:
		return nil, ErrNotCloudTrail
	}
	if o["CloudTrailEvent"] == nil {
		if err := copyOf(o); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"CloudTrailEvent", "message", "Body", "body"} {
		if len(o[name]) > 0 && o[name][0] == '"' {
			return f.inText([]byte(o.text(name)), columns, depth+1)
		}
	}
	if event := o.object("event"); event["eventSource"] != nil && event["eventName"] != nil { // a collection of events
		return f.inObject(o["event"], columns, depth+1)
	}
	return f.row(cellsOf(o), depth)
}

// inText skims the record that a text holds.
func (f *Fields) inText(text []byte, columns *[]string, depth int) ([]byte, error) {
	switch text = bytes.TrimSpace(text); {
	case bytes.HasPrefix(text, []byte("CWL CONTROL MESSAGE")):
		return nil, ErrOtherEvent
	case len(text) == 0 || text[0] != '{' || !json.Valid(text):
		return nil, ErrNotJSON
	}
	return f.inObject(text, columns, depth)
}

// skimEnvelope skims the detail of an EventBridge envelope. What old records lack
// is taken from the envelope.
func (f *Fields) skimEnvelope(envelope object) error {
	if kind := envelope.text("detail-type"); !strings.HasSuffix(kind, " via CloudTrail") {
		if kind == "" {
			return ErrNotCloudTrail
		}
		return ErrOtherEvent
	}
	if err := f.Skim(envelope["detail"]); err != nil {
		return err
	}
	for _, m := range []struct {
		to   *[]byte
		name string
	}{{&f.Account, "account"}, {&f.Region, "region"}, {&f.Time, "time"}, {&f.ID, "id"}} {
		if len(*m.to) == 0 {
			*m.to = envelope[m.name]
		}
	}
	f.Identity.region = f.Region
	return nil
}
