package usage

import (
	"bytes"
	"time"

	"dera.example/dera/cloudtrail"
)

// Event is what one recorded event shows of use.
type Event struct {
	ID      string
	At      time.Time // zero where nobody can read it
	Account string
	Region  string
	// Data says that it is a data event; else it is a management event.
	Data bool
	// Used are the principals with what they used or were denied: the caller, with what the
	// call needs beside itself, and none where the event is no call of a principal.
	Used []Activity
	// Why it is no use of an action; Counted for one that is.
	Why Reason
}

// Events reads events one by one, as the ledger counts them. It is not safe for concurrent
// use.
type Events struct {
	a      *aggregate
	reader cloudtrail.LogReader
	fields cloudtrail.Fields
}

// NewEvents returns one.
func NewEvents() *Events { return &Events{a: newAggregate()} }

// Read reads one event, in any form in which CloudTrail hands it out.
func (e *Events) Read(body []byte) Event {
	f, err := e.fieldsOf(body)
	if err != nil {
		return Event{Why: reasonOf(err)}
	}
	out := Event{
		ID: string(cloudtrail.Text(f.ID)), Account: string(cloudtrail.Text(f.Account)), Region: string(cloudtrail.Text(f.Region)),
		Data: string(cloudtrail.Text(f.Category)) == "Data",
	}
	if at, ok := parseTime(cloudtrail.Text(f.Time)); ok {
		out.At = Second(at).Time()
	}
	e.a.file()
	e.a.reset()
	if out.Why = e.a.add(f, Unverified); out.Why == Counted {
		e.a.each(func(_ int, list []Activity) { out.Used = append(out.Used, list...) })
	}
	return out
}

// fieldsOf are the fields of an event, good until the following call.
func (e *Events) fieldsOf(body []byte) (*cloudtrail.Fields, error) {
	e.reader.Reset(bytes.NewReader(body))
	return &e.fields, e.reader.Next(&e.fields)
}
