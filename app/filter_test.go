package app

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"unicode/utf8"

	"dera.example/dera"
	"dera.example/dera/store"
)

func filtered() dera.Finding {
	return dera.Finding{
		ID: "f-1", Control: "s3-bucket-policy-public", Account: "111122223333", Resource: "arn:aws:s3:::reports", ResourceName: "Reports",
		Severity: dera.High, State: dera.FindingOpen, Disposition: dera.Auto, Owner: "arn:aws:iam::111122223333:role/Shop",
	}
}

func TestFilterFits(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		filter Filter
		want   bool
	}{
		"zero":               {Filter{}, true},
		"same_severity":      {Filter{Severity: dera.High}, true},
		"worse_alone":        {Filter{Severity: dera.Critical}, false},
		"account":            {Filter{Accounts: []string{"111122223333"}}, true},
		"other_account":      {Filter{Accounts: []string{"444455556666"}}, false},
		"one_of_two":         {Filter{Accounts: []string{"444455556666", "1111*"}}, true},
		"control":            {Filter{Controls: []string{"s3-*"}}, true},
		"other_control":      {Filter{Controls: []string{"ec2-*"}}, false},
		"arn":                {Filter{Resources: []string{"arn:aws:s3:::reports"}}, true},
		"id":                 {Filter{Resources: []string{"reports"}}, true},
		"name":               {Filter{Resources: []string{"Reports"}}, true},
		"part_of_a_name":     {Filter{Resources: []string{"report"}}, false},
		"glob_of_names":      {Filter{Resources: []string{"rep*"}}, true},
		"owner":              {Filter{Owners: []string{"shop"}}, true},
		"owner_as_arn":       {Filter{Owners: []string{"arn:aws:iam::*:role/shop"}}, true},
		"other_owner":        {Filter{Owners: []string{"ops"}}, false},
		"state":              {Filter{States: []dera.FindingState{dera.FindingUnknown, dera.FindingOpen}}, true},
		"other_state":        {Filter{States: []dera.FindingState{dera.FindingResolved}}, false},
		"all_but_one_fits":   {Filter{Severity: dera.Low, Controls: []string{"s3-*"}, Owners: []string{"ops"}}, false},
		"everything_that_is": {Filter{Severity: dera.Low, Controls: []string{"*"}, Resources: []string{"*"}, Owners: []string{"*"}, Accounts: []string{"*"}}, true},
	} {
		if got := tt.filter.Fits(filtered()); got != tt.want {
			t.Errorf("%s: got %t, want %t", name, got, tt.want)
		}
	}
	if (Filter{Owners: []string{"*"}}).Fits(dera.Finding{}) {
		t.Error("a finding without an owner has one")
	}
}

// TestOnly: what is left out is counted, also what of it was not read; what could
// not be read, stops and half-done work stay.
func TestOnly(t *testing.T) {
	t.Parallel()
	waits, low, unread := FindingView{Finding: filtered(), Plan: &PlanView{State: dera.Waiting}}, FindingView{Finding: filtered()}, FindingView{Finding: filtered()}
	low.Severity, unread.NotRead = dera.Low, &low.LastSeen
	r := ScanReport{
		Findings: []FindingView{waits, low, unread}, Unreadable: []Unreadable{{}}, UnderWay: []UnderWay{{}}, Stops: []dera.Stop{{}},
		Summary: ScanSummary{Mode: "enforce", Resources: 7, Hidden: 2},
	}
	got := r.Only(Filter{Waiting: true})
	if len(got.Findings) != 1 || len(got.Unreadable) != 1 || len(got.UnderWay) != 1 || len(got.Stops) != 1 {
		t.Errorf("got %+v", got)
	}
	if s := got.Summary; s.LeftOut != 2 || s.LeftOutNotRead != 1 || s.Open != 1 || s.Findings != 1 || s.Resources != 7 || s.Hidden != 2 || s.Mode != "enforce" || s.Unreadable != 1 {
		t.Errorf("summary: got %+v", s)
	}
	if got := r.Only(Filter{Severity: dera.Critical}); got.Findings == nil || len(got.Findings) != 0 {
		t.Errorf("nothing fits: got %v, want an empty list", got.Findings)
	}
	for least, want := range map[dera.Severity]int{dera.Low: 3, dera.High: 2, dera.Critical: 0, dera.Critical + 1: 0} {
		if got := r.OpenFrom(least); got != want {
			t.Errorf("open from %v on: got %d, want %d", least, got, want)
		}
	}
}

type someFindings map[string]dera.Finding

var errStore = errors.New("the store is away")

// Finding implements FindingReader.
func (s someFindings) Finding(_ context.Context, id string) (dera.Finding, error) {
	if id == "f-broken" {
		return dera.Finding{}, errStore
	}
	f, ok := s[id]
	if !ok {
		return f, fmt.Errorf("finding %s: %w", id, store.ErrNotFound)
	}
	return f, nil
}

// TestFilterPlan: a plan fits where all that it fixes does, and in doubt not.
func TestFilterPlan(t *testing.T) {
	t.Parallel()
	low := filtered()
	low.Severity = dera.Low
	from := someFindings{"f-high": filtered(), "f-low": low}
	high := Filter{Severity: dera.High}
	for name, tt := range map[string]struct {
		filter    Filter
		findings  []string
		all, some bool
	}{
		"all":           {high, []string{"f-high"}, true, true},
		"mixed":         {high, []string{"f-high", "f-low"}, false, true},
		"none":          {high, []string{"f-low"}, false, false},
		"not_known":     {high, []string{"f-high", "f-none"}, false, true},
		"of_nothing":    {high, nil, false, false},
		"without_limit": {Filter{}, []string{"f-low", "f-none"}, true, true},
	} {
		all, some, err := tt.filter.Plan(t.Context(), from, dera.Remediation{Findings: tt.findings})
		if all != tt.all || some != tt.some || err != nil {
			t.Errorf("%s: got %t, %t, %v, want %t, %t", name, all, some, err, tt.all, tt.some)
		}
	}
	if all, some, err := high.Plan(t.Context(), from, dera.Remediation{Findings: []string{"f-high", "f-broken"}}); all || some || !errors.Is(err, errStore) {
		t.Errorf("the store is away: got %t, %t, %v", all, some, err)
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "web": "web", "a\nb\tc\rd": "a b c d", "\x1b[31mred\x00": "�[31mred�", "a\xffb": "a�b", "abc\u202egnp": "abc�gnp", "é 数 🗄️": "é 数 🗄️", "\u009b31m": "�31m",
	} {
		got := Plain(text)
		if got != want || !utf8.ValidString(got) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := PlainLines("a\r\nb\x07\tc"); got != "a\nb�\tc" {
		t.Errorf("lines: got %q", got)
	}
}
