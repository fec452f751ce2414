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
		}, ""},
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

// TestMissing: what one selector leaves out another may take, and advanced selectors that say
// no more than basic ones count as those do.
func TestMissing(t *testing.T) {
	t.Parallel()
	of := func(fields ...Field) Advanced {
		return Advanced{Fields: append([]Field{{Field: category, Equals: []string{management}}}, fields...)}
	}
	reads, writes := Field{Field: "readOnly", Equals: []string{"true"}}, Field{Field: "readOnly", Equals: []string{"false"}}
	without := func(sources ...string) Field { return Field{Field: "eventSource", NotEquals: sources} }
	kms, rds := "kms.amazonaws.com", "rdsdata.amazonaws.com"
	for name, tc := range map[string]struct {
		s         Selectors
		all, most bool
	}{
		"reads_and_writes":               {Selectors{Basic: []Basic{{ReadWrite: "ReadOnly", Management: true}, {ReadWrite: "WriteOnly", Management: true}}}, true, true},
		"reads_and_data_of_writes":       {Selectors{Basic: []Basic{{ReadWrite: "ReadOnly", Management: true}, {ReadWrite: "WriteOnly"}}}, false, false},
		"each_without_another":           {Selectors{Basic: []Basic{{ReadWrite: "All", Management: true, Exclude: []string{kms}}, {ReadWrite: "All", Management: true, Exclude: []string{rds}}}}, true, true},
		"both_without_the_same":          {Selectors{Basic: []Basic{{ReadWrite: "ReadOnly", Management: true, Exclude: []string{kms}}, {ReadWrite: "WriteOnly", Management: true, Exclude: []string{kms}}}}, false, true},
		"advanced_reads_and_writes":      {Selectors{Advanced: []Advanced{of(reads), of(writes)}}, true, true},
		"advanced_writes":                {Selectors{Advanced: []Advanced{of(writes)}}, false, false},
		"advanced_both_at_once":          {Selectors{Advanced: []Advanced{of(reads, writes)}}, false, false},
		"advanced_without_kms":           {Selectors{Advanced: []Advanced{of(without(kms))}}, false, true},
		"advanced_without_iam":           {Selectors{Advanced: []Advanced{of(without("iam.amazonaws.com"))}}, false, false},
		"advanced_reads_without_kms":     {Selectors{Advanced: []Advanced{of(reads, without(kms)), of(writes)}}, false, true},
		"advanced_by_a_condition":        {Selectors{Advanced: []Advanced{of(Field{Field: "eventSource", NotStartsWith: []string{"k"}})}}, false, false},
		"advanced_two_operators":         {Selectors{Advanced: []Advanced{of(Field{Field: "eventSource", NotEquals: []string{kms}, StartsWith: []string{"s3"}})}}, false, false},
		"advanced_data":                  {Selectors{Advanced: []Advanced{{Fields: []Field{{Field: category, Equals: []string{"Data"}}}}}}, false, false},
		"nothing_":                       {Selectors{}, false, false},
		"advanced_of_a_user_and_all":     {Selectors{Advanced: []Advanced{of(Field{Field: "userIdentity.arn", NotEquals: []string{"x"}}), of()}}, true, true},
		"basic_without_others_and_reads": {Selectors{Basic: []Basic{{ReadWrite: "All", Management: true, Exclude: []string{kms}}, {ReadWrite: "ReadOnly", Management: true}}}, false, true},
	} {
		why, most := tc.s.Missing()
		if (why == "") != tc.all || most != tc.most {
			t.Errorf("%s: got %q and most %t, want all %t and most %t", name, why, most, tc.all, tc.most)
		}
	}
}
