package cloudtrail

import (
	"testing"

	"dera.example/dera"
)

// TestEventsClaims: a plan that loses data events, changes something else or leaves some
// management events out is not proved.
func TestEventsClaims(t *testing.T) {
	t.Parallel()
	data := Basic{ReadWrite: "WriteOnly", Data: []Data{{Type: "AWS::S3::Object", Values: []string{"arn:aws:s3:::b/"}}}}
	narrow := data
	narrow.Management, narrow.Exclude = true, []string{"kms.amazonaws.com"}
	good := EventsClaims{Trail: "audit", Only: true, Before: Selectors{Basic: []Basic{narrow}}, After: Selectors{Basic: []Basic{{ReadWrite: "All", Management: true}, data}}}
	wider := data
	wider.ReadWrite = "All"
	for name, tc := range map[string]struct {
		change  func(*EventsClaims)
		refuted string
	}{
		"as_it_should_be":     {func(*EventsClaims) {}, ""},
		"data_events_lost":    {func(e *EventsClaims) { e.After = *Default() }, "only_these_changed"},
		"data_events_widened": {func(e *EventsClaims) { e.After.Basic = []Basic{{ReadWrite: "All", Management: true}, wider} }, "only_these_changed"},
		"something_else":      {func(e *EventsClaims) { e.Only = false }, "only_these_changed"},
		"a_source_left_out":   {func(e *EventsClaims) { e.After = e.Before }, "finding_resolved"},
		"it_was_so_before":    {func(e *EventsClaims) { e.Before = e.After }, "finding_resolved"},
		"reads_and_writes": {func(e *EventsClaims) {
			e.After.Basic = []Basic{{ReadWrite: "ReadOnly", Management: true}, {ReadWrite: "WriteOnly", Management: true}, data}
		}, "finding_resolved"},
		"advanced_with_a_hole": {func(e *EventsClaims) {
			e.Before, e.After = Selectors{}, Selectors{Advanced: []Advanced{{Fields: []Field{{Field: category, Equals: []string{management}}, {Field: "readOnly", Equals: []string{"false"}}}}}}
		}, "finding_resolved"},
	} {
		e := good
		tc.change(&e)
		ev, err := e.Evidence()
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, c := range ev.Claims {
			if c.Verdict != dera.Proved {
				got += c.Name
			}
		}
		if got != tc.refuted {
			t.Errorf("%s: refuted %q, want %q", name, got, tc.refuted)
		}
	}
}
