package engine_test

import (
	"regexp"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
)

// lagging lets every read of the engine be behind by the last write until stop.
func (w *world) lagging() (stop func()) {
	var faults []*awssim.Injected
	for _, op := range []string{"DescribeSecurityGroups", "DescribeSecurityGroupRules"} {
		faults = append(faults, w.cloud.Inject(awssim.Fault{Match: byEngine(op), Kind: awssim.StaleRead, Behind: 1}))
	}
	return func() {
		for _, f := range faults {
			f.Remove()
		}
	}
}

// passing works while time passes in small steps.
func (w *world) passing(d time.Duration) {
	for range d / (100 * time.Millisecond) {
		w.clock.Advance(100 * time.Millisecond)
		w.drain()
	}
}

// TestRepeatOfABusyResource: the repetition that one event waits for is not that of
// a later event, which is due the settling time after its own look.
func TestRepeatOfABusyResource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mode = dera.Observe
	id := w.group("web")
	w.ingest(w.event(id))
	w.drain()
	w.passing(1900 * time.Millisecond)
	w.authorize(id, tcp(22, 22, "0.0.0.0/0"))
	stop := w.lagging()
	w.ingest(w.event(id))
	w.drain()
	w.passing(time.Second)
	if len(w.findings(id)) != 0 {
		t.Fatal("the rule was found at once, so this shows nothing")
	}
	stop()
	w.passing(3 * time.Second)
	if f := w.findings(id)[sshKey]; f.State != dera.FindingOpen {
		t.Errorf("finding: got %q, want open: the look at the last event was repeated after the settling time", f.State)
	}
}

// TestEqualReadsOfABusyResource lie the settling time apart, also where a
// repetition of an earlier look is due between them.
func TestEqualReadsOfABusyResource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mode = dera.Observe
	id := w.group("web")
	w.authorize(id, tcp(22, 22, "0.0.0.0/0"))
	w.look(id)
	w.passing(5 * time.Second)
	w.ingest(w.event(id))
	w.drain()
	w.passing(1900 * time.Millisecond)
	stop := w.lagging()
	w.ingest(w.event(id))
	w.drain()
	w.passing(time.Second)
	stop()
	if f := w.findings(id)[sshKey]; f.State != dera.FindingOpen {
		t.Errorf("finding within a second of the first read: got %q, want open", f.State)
	}
	w.passing(5 * time.Second)
	if f := w.findings(id)[sshKey]; f.State != dera.FindingOpen {
		t.Errorf("finding in the end: got %q, want open", f.State)
	}
	w.revoke(id, tcp(22, 22, "0.0.0.0/0"))
	for range 8 { // the events do not stop
		w.ingest(w.event(id))
		w.passing(time.Second)
	}
	if f := w.findings(id)[sshKey]; f.State != dera.FindingResolved {
		t.Errorf("finding of a rule that is gone, with an event each second: got %q, want resolved", f.State)
	}
}

// TestOneSickGroupBlindsNobody: a group that is listed, and of which the service
// does not say afterwards whether it is there, is unknown alone.
func TestOneSickGroupBlindsNobody(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(int, string) (int, string){
		"none": nil, "an_error": says(400, "<Response><Errors><Error><Code>InvalidRequest</Code><Message>x</Message></Error></Errors><RequestID>r</RequestID></Response>"), "not_found_of_another": says(400, `<Response><Errors><Error><Code>InvalidGroup.NotFound</Code><Message>The security group 'sg-0123456789abcdef0' does not exist</Message></Error></Errors><RequestID>r</RequestID></Response>`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			sick := w.group("sick", tcp(22, 22, "0.0.0.0/0"))
			id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
			item := regexp.MustCompile(`(?s)<item>(?:[^<]|<[^i]|<i[^t])*?<groupId>` + sick + `</groupId>.*?</tagSet></item>|<item><groupId>` + sick + `.*?</item>`)
			lost := func(status int, body string) (int, string) { return status, item.ReplaceAllString(body, "") }
			if answer == nil {
				answer = lost
			}
			w.rewrite(describing("Filter.1.Name", "group-id"), lost)
			fault := w.rewrite(describing("GroupId.1", sick), answer)
			_ = w.engine.Sweep(t.Context(), "sweep") // lists it: that it fails is found by that
			w.drain()
			if f := w.findings(sick)[sshKey]; f.State != dera.FindingOpen {
				t.Errorf("the sick group after the sweep: got %q, want it open", f.State)
			}
			w.ingest(w.event(sick))
			for range 4 {
				w.drain()
				w.clock.Advance(10 * time.Second)
			}
			if fault.Fired() == 0 {
				t.Fatal("no read was changed, so this shows nothing")
			}
			if f := w.findings(id)[sshKey]; f.State != dera.FindingResolved {
				t.Errorf("the group beside it: got %q, want it fixed", f.State)
			}
			if f := w.findings(sick)["ec2-securitygroup-admin-ports-open unknown"]; f.State != dera.FindingUnknown {
				t.Errorf("the sick group: got %q, want unknown", f.State)
			}
		})
	}
}

// describing matches the engine's calls for groups with a parameter.
func describing(parameter, value string) awssim.Match {
	match := byEngine("DescribeSecurityGroups")
	mine := match.Where
	match.Where = func(c awssim.Call) bool { return mine(c) && c.Parameters[parameter] == value }
	return match
}

// TestLookThatFindsOnlyAnEarlierChange is repeated too: what its own event tells of
// may not show yet.
func TestLookThatFindsOnlyAnEarlierChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mode = dera.Observe
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.authorize(id, tcp(3389, 3389, "0.0.0.0/0"))
	stop := w.lagging()
	w.ingest(w.event(id))
	w.drain()
	stop()
	if list := w.findings(id); len(list) != 1 {
		t.Fatalf("got %d findings at once, want the one of before: this shows nothing", len(list))
	}
	w.passing(3 * time.Second)
	if list := w.findings(id); len(list) != 2 {
		t.Errorf("got %d findings after the settling time, want both", len(list))
	}
}
