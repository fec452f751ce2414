package evaluate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
)

// brokenFixers cannot be read.
type brokenFixers struct{}

func (brokenFixers) Fixers(context.Context, string, string, string) ([]Fixer, error) {
	return nil, errors.New("denied")
}

func TestOtherFixers(t *testing.T) {
	t.Parallel()
	const typ = "AWS::EC2::SecurityGroup"
	config := []Fixers{FixerList{{Name: "AWS Config rule restricted-ssh", Account: "1111*", Region: "us-east-1", Type: typ}}}
	found := []Fixers{FixerList{{Name: "the EventBridge rule siem-1 in us-east-1 of 111122223333", Rule: "siem-1", Account: "111122223333", Region: "us-east-1", Type: typ}}}
	at := func(c *Case) { c.Finding.Region, c.Finding.ResourceType = "us-east-1", typ }
	in := func(region, typ string) func(*Case) {
		return func(c *Case) { c.Finding.Region, c.Finding.ResourceType = region, typ }
	}
	owner := func(names ...string) (out []FixerOwner) {
		for _, n := range names {
			out = append(out, FixerOwner{Control: "c*", Account: "111122223333", Owner: n})
		}
		return out
	}
	tests := []struct {
		name   string
		rail   OtherFixers
		change func(*Case)
		want   dera.Disposition // 0: an error
		why    string
	}{
		{name: "nobody_was_looked_for", change: at, want: dera.Auto, why: "were not checked"},
		{name: "nobody_else", rail: OtherFixers{Sources: []Fixers{FixerList{}}}, change: at, want: dera.Auto, why: "no other tool"},
		{name: "config_remediation", rail: OtherFixers{Sources: config}, change: at, want: dera.Review, why: "restricted-ssh fixes such resources too"},
		{name: "of_another_type", rail: OtherFixers{Sources: config}, change: in("us-east-1", "AWS::S3::Bucket"), want: dera.Auto},
		{name: "in_another_region", rail: OtherFixers{Sources: config}, change: in("eu-west-1", typ), want: dera.Auto},
		{name: "is_none", rail: OtherFixers{Sources: found, Not: []Fixer{{Name: "siem-*", Account: "1111*", Region: "us-east-1", Type: typ}}}, change: at, want: dera.Auto, why: "no other tool"},
		{name: "is_none_elsewhere", rail: OtherFixers{Sources: found, Not: []Fixer{{Name: "siem-*", Region: "eu-west-1"}}}, change: at, want: dera.Review, why: "in us-east-1 of 111122223333 fixes such"},
		{name: "another_is_none", rail: OtherFixers{Sources: found, Not: []Fixer{{Name: "siem"}}}, change: at, want: dera.Review},
		{name: "what_is_declared_stays", rail: OtherFixers{Sources: config, Not: []Fixer{{Name: "AWS Config*"}}}, change: at, want: dera.Review},
		{name: "several", rail: OtherFixers{Sources: []Fixers{append(slices.Clone(found[0].(FixerList)), found[0].(FixerList)...)}}, change: at, want: dera.Review, why: "(and 1 more)"},
		{name: "second_source", rail: OtherFixers{Sources: append([]Fixers{FixerList{}}, config...)}, change: at, want: dera.Review},
		{name: "dera_is_named", rail: OtherFixers{Sources: config, Owners: owner("dera")}, change: at, want: dera.Auto, why: "names dera"},
		{name: "this_dera_is_named", rail: OtherFixers{Sources: config, Owners: owner("blue"), Instance: "blue"}, change: at, want: dera.Auto},
		{name: "another_is_named", rail: OtherFixers{Owners: owner("asr")}, change: at, want: dera.Review, why: "names asr"},
		{name: "the_last_that_fits_counts", rail: OtherFixers{Owners: owner("dera", "asr")}, change: at, want: dera.Review},
		{name: "named_for_another_control", rail: OtherFixers{Sources: config, Owners: []FixerOwner{{Control: "x*", Owner: "dera"}}}, change: at, want: dera.Review},
		{name: "security_response_by_key", change: tagsOf(map[string]string{"SO0111-ASR": "x"}), want: dera.Review, why: "Automated Security Response"},
		{name: "security_response_by_value", change: tagsOf(map[string]string{"Solutions:SolutionID": "SO0111"}), want: dera.Review},
		{name: "another_solution", change: tagsOf(map[string]string{"Solutions:SolutionID": "SO0112"}), want: dera.Auto},
		{name: "a_second_dera", rail: OtherFixers{Instance: "blue"}, change: tagsOf(map[string]string{InstanceTag: "green"}), want: dera.Review, why: `another dera ("green")`},
		{name: "this_dera", rail: OtherFixers{Instance: "blue"}, change: tagsOf(map[string]string{InstanceTag: "blue", "dera:finding": "f-1"}), want: dera.Auto},
		{name: "named_over_a_second_dera", rail: OtherFixers{Instance: "blue", Owners: owner("dera")}, change: tagsOf(map[string]string{InstanceTag: "green"}), want: dera.Auto},
		{name: "cannot_be_read", rail: OtherFixers{Sources: []Fixers{brokenFixers{}}}, change: at},
		{name: "cannot_be_read_and_need_not", rail: OtherFixers{Sources: []Fixers{brokenFixers{}}, Owners: owner("dera")}, change: at, want: dera.Auto},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := tt.rail.Check(t.Context(), caseOf(tt.change))
			if tt.want == 0 {
				if err == nil {
					t.Errorf("got %+v, want an error", r)
				}
				return
			}
			if err != nil || r.Disposition != tt.want || !strings.Contains(r.Why, tt.why) {
				t.Errorf("got %s %q, %v, want %s with %q", r.Disposition, r.Why, err, tt.want, tt.why)
			}
		})
	}
	bad := OtherFixers{Sources: []Fixers{FixerList{{Name: "a"}, {}}}, Owners: []FixerOwner{{}}, Not: []Fixer{{Name: "a"}, {Name: "*"}}}.Validate()
	if bad == nil || !strings.Contains(bad.Error(), "not_fixers[1].name") || strings.Contains(bad.Error(), "not_fixers[0]") || !strings.Contains(bad.Error(), "other_fixers[1].name") || !strings.Contains(bad.Error(), "fixers[0].owner") {
		t.Errorf("faults: got %v, want both with their fields", bad)
	}
}
