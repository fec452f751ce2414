package dera

import (
	"encoding"
	"strings"
	"testing"
)

type word interface {
	comparable
	String() string
	encoding.TextMarshaler
}

// roundTrip holds every value of an enum against its text, and refuses others.
func roundTrip[T word](t *testing.T, names map[T]string, bad []T, unmarshal func([]byte) (T, error)) {
	t.Helper()
	for v, want := range names {
		text, err := v.MarshalText()
		if err != nil || string(text) != want || v.String() != want {
			t.Errorf("text of %q: got %q, %q, %v", want, text, v.String(), err)
		}
		if back, err := unmarshal([]byte(want)); err != nil || back != v {
			t.Errorf("read %q: got %v, %v", want, back, err)
		}
	}
	for _, v := range bad {
		if text, err := v.MarshalText(); err == nil {
			t.Errorf("text of a value that does not exist: got %q, want an error", text)
		}
		if got := v.String(); !strings.Contains(got, "(") {
			t.Errorf("string of a value that does not exist: got %q, want its number", got)
		}
	}
	for _, s := range []string{"", "AUTO", "Critical", "x", "auto ", "0"} {
		if v, err := unmarshal([]byte(s)); err == nil {
			t.Errorf("read %q: got %v, want an error", s, v)
		}
	}
}

func TestSeverityText(t *testing.T) {
	t.Parallel()
	roundTrip(t, map[Severity]string{Low: "low", Medium: "medium", High: "high", Critical: "critical"}, []Severity{0, -1, 5},
		func(b []byte) (s Severity, err error) { err = s.UnmarshalText(b); return s, err })
	if Low >= Medium || Medium >= High || High >= Critical {
		t.Errorf("severities do not rise")
	}
}

func TestDispositionText(t *testing.T) {
	t.Parallel()
	roundTrip(t, map[Disposition]string{Auto: "auto", Review: "review", Alert: "alert", Exempt: "exempt"}, []Disposition{0, -1, 5},
		func(b []byte) (d Disposition, err error) { err = d.UnmarshalText(b); return d, err })
}

func TestModeText(t *testing.T) {
	t.Parallel()
	roundTrip(t, map[Mode]string{Observe: "observe", ReviewOnly: "review", Enforce: "enforce"}, []Mode{-1, 3},
		func(b []byte) (m Mode, err error) { err = m.UnmarshalText(b); return m, err })
	if Mode(0) != Observe {
		t.Errorf("zero mode: got %v, want observe", Mode(0))
	}
}

// TestLower: the gate only lessens, and an unset disposition never acts more.
func TestLower(t *testing.T) {
	t.Parallel()
	all := []Disposition{Auto, Review, Alert, Exempt}
	for _, a := range all {
		for _, b := range all {
			if got := a.Lower(b); got != max(a, b) || got != b.Lower(a) {
				t.Errorf("lower of %v and %v: got %v", a, b, got)
			}
		}
	}
	d := Decision{Reasons: []Reason{{Guardrail: "a", Disposition: Auto}, {Guardrail: "b", Disposition: Review}, {Guardrail: "c", Disposition: Exempt}}}
	if got := d.Lowered(); len(got) != 2 || got[0].Guardrail != "b" || got[1].Guardrail != "c" {
		t.Errorf("lowered reasons: got %v, want b and c", got)
	}
}

func TestARN(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, arn                                            string
		partition, service, region, account, resource, short string
	}{
		{"security_group", "arn:aws:ec2:eu-central-1:111122223333:security-group/sg-1", "aws", "ec2", "eu-central-1", "111122223333", "security-group/sg-1", "sg-1"},
		{"bucket", "arn:aws:s3:::my.bucket", "aws", "s3", "", "", "my.bucket", "my.bucket"},
		{"role_with_path", "arn:aws:iam::111122223333:role/team/a/Name", "aws", "iam", "", "111122223333", "role/team/a/Name", "Name"},
		{"colons_in_resource", "arn:aws-cn:logs:cn-north-1:111122223333:log-group:a:*", "aws-cn", "logs", "cn-north-1", "111122223333", "log-group:a:*", "a:*"},
		{"root", "arn:aws-us-gov:iam::111122223333:root", "aws-us-gov", "iam", "", "111122223333", "root", "root"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, err := ParseARN(tt.arn)
			if err != nil {
				t.Fatal(err)
			}
			got := [6]string{a.Partition(), a.Service(), a.Region(), a.Account(), a.Resource(), a.Name()}
			if want := [6]string{tt.partition, tt.service, tt.region, tt.account, tt.resource, tt.short}; got != want {
				t.Errorf("parts: got %q, want %q", got, want)
			}
			if back := NewARN(tt.partition, tt.service, tt.region, tt.account, tt.resource); back != a {
				t.Errorf("put together: got %s, want %s", back, a)
			}
		})
	}
	for _, bad := range []string{"", "sg-1", "arn:aws:ec2", "arn:aws:ec2:r:1:", "arn::ec2:r:1:x", "arn:aws::r:1:x", "ARN:aws:ec2:r:1:x", "arn:aws:ec2:eu-central-1:111122223333"} {
		if a, err := ParseARN(bad); err == nil {
			t.Errorf("parse %q: got %s, want an error", bad, a)
		}
	}
	if a := ARN("sg-1"); a.Partition() != "" || a.Resource() != "" || a.Name() != "" {
		t.Errorf("parts of a malformed ARN: got %q, %q, %q, want none", a.Partition(), a.Resource(), a.Name())
	}
}

func TestMatchGlob(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "abc", true}, {"?", "", false}, {"?", "a", true}, {"?", "ab", false},
		{"a*c", "abc", true}, {"a*c", "ac", true}, {"a*c", "acb", false}, {"a*c", "abcbc", true}, {"**", "x", true}, {"a?c", "abc", true},
		{"*a*b*", "xxaxxbxx", true}, {"*a*b*", "xxbxxaxx", false}, {"a.c", "abc", false}, {"[a]", "a", false}, {"A", "a", false}, {"a*", "ba", false},
		{"arn:aws:ec2:*:111122223333:security-group/*", "arn:aws:ec2:eu-central-1:111122223333:security-group/sg-1", true},
		{"arn:aws:ec2:*:111122223333:security-group/*", "arn:aws:ec2:eu-central-1:444455556666:security-group/sg-1", false},
		{"\\*", "*", false},
	}
	for _, tt := range tests {
		if got := MatchGlob(tt.pattern, tt.s); got != tt.want {
			t.Errorf("%q matches %q: got %t, want %t", tt.pattern, tt.s, got, tt.want)
		}
	}
	if long := strings.Repeat("a", 50_000); MatchGlob(strings.Repeat("*a", 50)+"b", long) {
		t.Errorf("a pattern of many stars matches what lacks its end")
	}
}

// FuzzMatchGlob holds the matcher against the obvious recursive one.
func FuzzMatchGlob(f *testing.F) {
	f.Add("a*?c*", "abcbc")
	f.Add("**", "")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 12 || len(s) > 12 {
			return
		}
		if got, want := MatchGlob(pattern, s), slowGlob(pattern, s); got != want {
			t.Errorf("%q matches %q: got %t, want %t", pattern, s, got, want)
		}
	})
}

func slowGlob(p, s string) bool {
	switch {
	case p == "":
		return s == ""
	case p[0] == '*':
		return slowGlob(p[1:], s) || s != "" && slowGlob(p, s[1:])
	}
	return s != "" && (p[0] == '?' || p[0] == s[0]) && slowGlob(p[1:], s[1:])
}

func TestAccountID(t *testing.T) {
	t.Parallel()
	for id, ok := range map[string]bool{"111122223333": true, "000000000000": true, "11112222333": false, "1111222233334": false, "11112222333x": false, "": false, "1111-2222-33": false} {
		if err := ValidAccountID(id); (err == nil) != ok {
			t.Errorf("account ID %q: got %v, want valid %t", id, err, ok)
		}
	}
}

// TestFindingID: the ID is fixed for ever, and no two parts can be confused.
func TestFindingID(t *testing.T) {
	t.Parallel()
	r := Resource{Partition: "aws", Account: "111122223333", Region: "eu-central-1", ARN: "arn:aws:ec2:eu-central-1:111122223333:security-group/sg-1"}
	const want = "f-51774989df0b3c54731f"
	if got := FindingID(r.Key(), "ec2-securitygroup-admin-ports-open", "tcp/22"); got != want {
		t.Errorf("finding ID: got %s, want %s", got, want)
	}
	f := Finding{Partition: r.Partition, Account: r.Account, Region: r.Region, Resource: r.ARN}
	if f.ResourceKey() != r.Key() {
		t.Errorf("resource key: got %s, want %s", f.ResourceKey(), r.Key())
	}
	seen := map[string]string{}
	for _, parts := range [][3]string{{"a", "b", "c"}, {"ab", "", "c"}, {"a", "bc", ""}, {"", "ab", "c"}, {"abc", "", ""}, {"a", "b", "d"}, {"a", "c", "b"}} {
		id := FindingID(parts[0], parts[1], parts[2])
		if other, twice := seen[id]; twice {
			t.Errorf("%q and %q share the ID %s", parts, other, id)
		}
		seen[id] = strings.Join(parts[:], "|")
	}
}

func TestLeftOpen(t *testing.T) {
	t.Parallel()
	tests := []struct {
		state       FindingState
		disposition Disposition
		want        bool
	}{
		{FindingOpen, Auto, true}, {FindingOpen, Alert, true}, {FindingOpen, Exempt, false},
		{FindingUnknown, Review, true}, {FindingResolved, Auto, false}, {FindingResolved, Exempt, false},
	}
	for _, tt := range tests {
		if got := (Finding{State: tt.state, Disposition: tt.disposition}).LeftOpen(); got != tt.want {
			t.Errorf("%s and %s left open: got %t, want %t", tt.state, tt.disposition, got, tt.want)
		}
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	a := Scope{Partition: "aws", Account: "111122223333", Region: "eu-central-1", Type: "T", IDs: []string{"b", "a"}}
	b := a
	b.IDs = []string{"a", "b"}
	if a.Key() != b.Key() || a.IDs[0] != "b" {
		t.Errorf("keys of the same IDs: got %s and %s, IDs %q", a.Key(), b.Key(), a.IDs)
	}
	page := Scope{Partition: "aws", Account: "111122223333", Region: "eu-central-1", Type: "T", Page: "2"}
	if a.Sweep() || !page.Sweep() || page.Key() == a.Key() {
		t.Errorf("sweep: got %t and %t, keys %s and %s", a.Sweep(), page.Sweep(), a.Key(), page.Key())
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	tests := []struct {
		stop  Stop
		where string
		want  bool // covers account 1 and control c
	}{
		{Stop{}, "everywhere", true},
		{Stop{Account: "1"}, "account 1", true},
		{Stop{Account: "2"}, "account 2", false},
		{Stop{Control: "c"}, "control c", true},
		{Stop{Control: "d"}, "control d", false},
		{Stop{Account: "1", Control: "c"}, "account 1, control c", true},
		{Stop{Account: "1", Control: "d"}, "account 1, control d", false},
	}
	for _, tt := range tests {
		if got := tt.stop.Covers("1", "c"); got != tt.want || tt.stop.Where() != tt.where {
			t.Errorf("stop %s: got covers %t, %q, want %t", tt.where, got, tt.stop.Where(), tt.want)
		}
	}
}

func TestRemediation(t *testing.T) {
	t.Parallel()
	for s, want := range map[State]bool{
		Waiting: false, Ready: false, Applying: false, Verifying: false, Undoing: false,
		Observed: true, Resolved: true, Collateral: true, Failed: true, RolledBack: true, UndoFailed: true, Rejected: true, Expired: true, Superseded: true,
	} {
		if got := s.Final(); got != want {
			t.Errorf("%s is final: got %t, want %t", s, got, want)
		}
	}
	var r Remediation
	if r.Before() != "" || r.Expect() != "" {
		t.Errorf("way of nothing: got %q and %q", r.Before(), r.Expect())
	}
	r.Way = []string{"a", "b", "c"}
	r.Plan = samplePlan()
	if r.Before() != "a" || r.Expect() != "c" || !strings.HasSuffix(r.ResourceKey(), string(r.Plan.Resource)) {
		t.Errorf("way: got %q, %q, key %s", r.Before(), r.Expect(), r.ResourceKey())
	}
}

// TestPiece: the resource of a piece is known again, whatever its path is; any other ARN
// is its own.
func TestPiece(t *testing.T) {
	t.Parallel()
	for _, arn := range []ARN{"arn:aws:iam::111122223333:user/ann", "arn:aws:iam::111122223333:user/a#b/c#/ann", "arn:aws:s3:::files", "", "arn:aws:iam::111122223333:root"} {
		if got := arn.Piece("AKIA1").Whole(); got != arn || arn.Whole() != arn {
			t.Errorf("%q: got %q of its piece, %q of itself", arn, got, arn.Whole())
		}
	}
}
