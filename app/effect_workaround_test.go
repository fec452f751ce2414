package app_test

import (
	"fmt"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
)

const (
	bob  = "arn:aws:iam::111122223333:user/bob"
	job1 = "arn:aws:sts::111122223333:assumed-role/deploy/run-1"
	job2 = "arn:aws:sts::111122223333:assumed-role/deploy/run-2"
)

// openedBy is a finding about SSH on a group that an actor opened some days ago.
func openedBy(id, group, actor string, days int) dera.Finding {
	f := found(id, "111122223333", dera.High, dera.Auto)
	f.Control, f.ResourceType, f.Key, f.Sources = "ssh", "AWS::EC2::SecurityGroup", "tcp/22", []string{"0.0.0.0/0"}
	f.Resource = dera.ARN("arn:aws:ec2:us-east-1:111122223333:security-group/" + group)
	f.Actor, f.FirstSeen = actor, ago(days)
	return f
}

func TestWorkarounds(t *testing.T) {
	t.Parallel()
	type change = func(f *dera.Finding)
	as := func(list ...change) change {
		return func(f *dera.Finding) {
			for _, c := range list {
				c(f)
			}
		}
	}
	nothing := func(*dera.Finding) {}
	by := func(who string) change { return func(f *dera.Finding) { f.Actor = who } }
	key := func(k string) change { return func(f *dera.Finding) { f.Key = k } }
	same := func(f *dera.Finding) { f.Resource = "arn:aws:ec2:us-east-1:111122223333:security-group/sg-1" }
	other := func(f *dera.Finding) { f.Control, f.Key = "other-ports", "tcp/8000-9000" }
	day := func(n int) change { return func(f *dera.Finding) { f.FirstSeen = ago(n) } }
	for name, c := range map[string]struct {
		fixedBy string // who opened what was fixed
		then    change // what was opened after it
		want    app.Workarounds
	}{
		"another group":               {ann, nothing, app.Workarounds{Same: 1}},
		"another person":              {ann, by(bob), app.Workarounds{}},
		"not known who":               {ann, by(""), app.Workarounds{NotKnown: 1}},
		"not known who was first":     {"", nothing, app.Workarounds{NotKnown: 1}},
		"nobody is known":             {"", by(""), app.Workarounds{NotKnown: 1}},
		"the role again":              {job1, by(job2), app.Workarounds{MayBe: 1}},
		"the session again":           {job1, by(job1), app.Workarounds{Same: 1}},
		"another account":             {ann, func(f *dera.Finding) { f.Account = "444455556666" }, app.Workarounds{}},
		"another kind of resource":    {ann, func(f *dera.Finding) { f.ResourceType = "AWS::EC2::NetworkAcl" }, app.Workarounds{}},
		"other ports":                 {ann, key("tcp/80"), app.Workarounds{}},
		"another protocol":            {ann, key("udp/22"), app.Workarounds{}},
		"ports that overlap":          {ann, key("tcp/20-25"), app.Workarounds{Same: 1}},
		"fewer addresses":             {ann, key("tcp/22/bounded"), app.Workarounds{Same: 1}},
		"same group, other access":    {ann, as(same, other), app.Workarounds{Same: 1}},
		"same group, no access":       {ann, as(same, other, func(f *dera.Finding) { f.Sources = nil }), app.Workarounds{}},
		"another group, other access": {ann, other, app.Workarounds{}},
		"30 days later":               {ann, day(10), app.Workarounds{Same: 1}},
		"31 days later":               {ann, day(9), app.Workarounds{}},
		"before the fix":              {ann, day(41), app.Workarounds{}},
		"came back itself":            {ann, func(f *dera.Finding) { f.FirstSeen, f.Returns, f.LastActor = ago(60), []time.Time{ago(38)}, ann }, app.Workarounds{Same: 1}},
		"came back by an unknown":     {ann, func(f *dera.Finding) { f.FirstSeen, f.Returns = ago(60), []time.Time{ago(38)} }, app.Workarounds{NotKnown: 1}},
		"came back earlier than last": {ann, func(f *dera.Finding) {
			f.FirstSeen, f.Returns, f.LastActor = ago(60), []time.Time{ago(38), ago(2)}, ann
		}, app.Workarounds{NotKnown: 1}},
	} {
		fixed := openedBy("f-1", "sg-1", c.fixedBy, 45)
		then := openedBy("f-2", "sg-2", ann, 39)
		c.then(&then)
		s := shelf{findings: []dera.Finding{fixed, then}, remediations: []dera.Remediation{made("r-1", dera.Resolved, fixed, dera.Step{State: dera.Resolved, At: ago(40)})}}
		v := over(t, s, app.Effects{}, 60)
		if len(v.Workarounds) != 1 {
			t.Fatalf("%s: got %+v, want one control", name, v.Workarounds)
		}
		got := v.Workarounds[0]
		if got.Fixes != 1 || got.Running != 0 || got.Same != c.want.Same || got.MayBe != c.want.MayBe || got.NotKnown != c.want.NotKnown || len(got.Found) != got.Same+got.MayBe {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestCameBackIsNoOtherWay(t *testing.T) {
	t.Parallel()
	f := openedBy("f-1", "sg-1", ann, 45)
	f.Returns, f.LastActor = []time.Time{ago(38), ago(3)}, ann
	s := shelf{findings: []dera.Finding{f}, remediations: []dera.Remediation{
		made("r-1", dera.Resolved, f, dera.Step{State: dera.Resolved, At: ago(40)}), made("r-2", dera.Resolved, f, dera.Step{State: dera.Resolved, At: ago(37)}),
	}}
	got := over(t, s, app.Effects{}, 60).Workarounds[0]
	if got.Fixes != 2 || got.CameBack != 1 || got.Same+got.MayBe+got.NotKnown != 0 {
		t.Errorf("got %+v, want one of two fixes undone by a return within 30 days, and no other way", got)
	}
	if got := over(t, s, app.Effects{}, 30).Workarounds; len(got) != 0 {
		t.Errorf("got %+v of a period without fixes", got)
	}
}

// TestWhatAFixLeaves: the remainder of a rule that was split is dera's own doing, until somebody opens it.
func TestWhatAFixLeaves(t *testing.T) {
	t.Parallel()
	fixed, rest, more := openedBy("f-1", "sg-1", ann, 45), openedBy("f-2", "sg-1", "", 45), openedBy("f-3", "sg-1", "", 40)
	rest.Control, rest.Key, more.Control, more.Key = "other-ports", "tcp/21", "other-ports", "tcp/23-25"
	r := made("r-1", dera.Resolved, fixed, dera.Step{State: dera.Applying, At: ago(40).Add(-time.Minute)}, dera.Step{State: dera.Resolved, At: ago(40)})
	r.Leaves, more.FirstSeen = []string{rest.ID}, more.FirstSeen.Add(time.Second)
	s := shelf{findings: []dera.Finding{fixed, rest, more}, remediations: []dera.Remediation{r}}
	if got := over(t, s, app.Effects{}, 60).Workarounds[0]; got.Same+got.MayBe+got.NotKnown != 0 {
		t.Errorf("the remainder: got %+v", got)
	}
	s.findings[2].FirstSeen = more.FirstSeen.Add(2 * time.Hour)
	if got := over(t, s, app.Effects{}, 60).Workarounds[0]; got.NotKnown != 1 {
		t.Errorf("hours later: got %+v", got)
	}
	s.findings[2].FirstSeen, s.findings[2].Actor = more.FirstSeen, ann
	if got := over(t, s, app.Effects{}, 60).Workarounds[0]; got.Same != 1 || got.Found[0].Way != app.SameResource {
		t.Errorf("somebody opened it: got %+v", got)
	}
}

// TestWorkaroundsOfMany: what is named is bounded, and the latest.
func TestWorkaroundsOfMany(t *testing.T) {
	t.Parallel()
	fixed := openedBy("f-1", "sg-1", ann, 29)
	s := shelf{findings: []dera.Finding{fixed}, remediations: []dera.Remediation{made("r-1", dera.Resolved, fixed, dera.Step{State: dera.Resolved, At: ago(28)})}}
	for i := range 25 {
		s.findings = append(s.findings, openedBy(fmt.Sprintf("f-then-%02d", i), fmt.Sprintf("sg-then-%d", i), ann, 1+i))
	}
	got := over(t, s, app.Effects{}, 60).Workarounds[0]
	if got.Same != 25 || len(got.Found) != 20 || got.Found[0].Finding != "f-then-00" || got.Running != 1 || got.Found[0].Way != app.AnotherResource {
		t.Errorf("got %d, %d named, first %+v", got.Same, len(got.Found), got.Found[0])
	}
}
