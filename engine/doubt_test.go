package engine_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
)

// rewrite injects a fault that changes the answers to the engine's calls.
func (w *world) rewrite(match awssim.Match, answer func(status int, body string) (int, string)) *awssim.Injected {
	return w.cloud.Inject(awssim.Fault{Match: match, Kind: awssim.Rewrite, Answer: answer})
}

// says is an answer, whatever the real one is.
func says(status int, body string) func(int, string) (int, string) {
	return func(int, string) (int, string) { return status, body }
}

const (
	ec2Space = `xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"`
	proxy    = `<html><head><title>Sign in</title></head><body>Please sign in to the network.</body></html>`
)

func ec2Answer(operation, inner string) string {
	return `<?xml version="1.0"?><` + operation + `Response ` + ec2Space + `><requestId>r</requestId>` + inner + `</` + operation + `Response>`
}

// TestDoubtResolvesNothing: a world rule stays there while reads lie about it, each
// in another way. Its finding stays open through events and sweeps, and one that
// was never seen becomes unknown; when the reads are right again it is found.
func TestDoubtResolvesNothing(t *testing.T) {
	t.Parallel()
	const groups, rules, interfaces = "DescribeSecurityGroups", "DescribeSecurityGroupRules", "DescribeNetworkInterfaces"
	without := func(element string) func(int, string) (int, string) {
		return func(status int, body string) (int, string) {
			return status, regexp.MustCompile(`(?s)<`+element+`>.*?</`+element+`>`).ReplaceAllString(body, "<"+element+"/>")
		}
	}
	tests := []struct {
		name      string
		operation string
		answer    func(status int, body string) (int, string)
	}{
		{name: "rules_are_empty", operation: rules, answer: without("securityGroupRuleSet")},
		{name: "page_of_rules_is_lost", operation: rules, answer: says(200, ec2Answer(rules, "<securityGroupRuleSet/>"))},
		{name: "permissions_are_empty", operation: groups, answer: without("ipPermissions")},
		{name: "rules_of_another_group", operation: rules, answer: func(s int, b string) (int, string) {
			return s, regexp.MustCompile(`sg-[0-9a-f]+`).ReplaceAllString(b, "sg-0123456789abcdef0")
		}},
		{name: "another_group", operation: groups, answer: func(s int, b string) (int, string) {
			return s, regexp.MustCompile(`sg-[0-9a-f]+`).ReplaceAllString(b, "sg-0123456789abcdef0")
		}},
		{name: "not_found_of_another_group", operation: groups, answer: says(400, `<Response><Errors><Error><Code>InvalidGroup.NotFound</Code>`+
			`<Message>The security group 'sg-0123456789abcdef0' does not exist</Message></Error></Errors><RequestID>r</RequestID></Response>`)},
		{name: "proxy_answers_for_groups", operation: groups, answer: says(200, proxy)},
		{name: "proxy_answers_for_rules", operation: rules, answer: says(200, proxy)},
		{name: "proxy_answers_for_interfaces", operation: interfaces, answer: says(200, proxy)},
		{name: "empty_body", operation: rules, answer: says(200, "")},
		{name: "empty_xml", operation: rules, answer: says(200, ec2Answer(rules, ""))},
		{name: "answer_to_another_call", operation: rules, answer: says(200, ec2Answer("DescribeVpcs", "<vpcSet/>"))},
		{name: "wrong_namespace", operation: rules, answer: says(200, `<`+rules+`Response xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><securityGroupRuleSet/></`+rules+`Response>`)},
		{name: "garbage", operation: groups, answer: says(200, "\x00\xff{")},
	}
	for _, tt := range tests {
		for _, known := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s_known_%t", tt.name, known), func(t *testing.T) {
				t.Parallel()
				w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
				id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
				if known {
					w.look(id)
				}
				w.clock.Advance(time.Minute)
				lie := w.rewrite(byEngine(tt.operation), tt.answer)
				w.ingest(w.event(id))
				for range 10 {
					w.drain()
					w.clock.Advance(3 * time.Second)
				}
				if lie.Fired() == 0 {
					t.Fatal("no read was changed, so this shows nothing")
				}
				_ = w.engine.Sweep(t.Context(), "sweep")
				for range 10 {
					w.drain()
					w.clock.Advance(3 * time.Second)
				}
				for key, f := range w.findings(id) {
					if f.State == dera.FindingResolved {
						t.Errorf("finding %s: got it resolved, and the rule is there", key)
					}
				}
				if f := w.findings(id)[sshKey]; known && f.State != dera.FindingOpen {
					t.Errorf("finding: got %q, want it open as before", f.State)
				}
				lie.Remove()
				w.quiet()
				w.sweep()
				w.settle()
				if f := w.findings(id)[sshKey]; f.State != dera.FindingOpen {
					t.Errorf("finding when the reads are right again: got %q, want open", f.State)
				}
				for key, f := range w.findings(id) {
					if strings.HasSuffix(key, " unknown") && f.State != dera.FindingResolved {
						t.Errorf("finding %s when the reads are right again: got %q, want it over", key, f.State)
					}
				}
			})
		}
	}
}

// TestContradictionIsUnknown says so in the finding, after some tries.
func TestContradictionIsUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.rewrite(byEngine("DescribeSecurityGroupRules"), says(200, ec2Answer("DescribeSecurityGroupRules", "<securityGroupRuleSet/>")))
	w.ingest(w.event(id))
	for range 5 {
		w.drain()
		w.clock.Advance(3 * time.Second)
	}
	f := w.findings(id)["ec2-securitygroup-admin-ports-open unknown"]
	if f.State != dera.FindingUnknown || !strings.Contains(f.Why, "DescribeSecurityGroupRules") {
		t.Errorf("finding: got %q %q, want it unknown, and why", f.State, f.Why)
	}
	if n := len(w.ours("")); n > 0 {
		t.Errorf("writes on such a ground: got %d, want none", n)
	}
}

// TestResolvedNeedsTwoEqualReads: a read that is behind, once, resolves nothing,
// be it that of an event or of a sweep; neither does a "not found" that is over.
func TestResolvedNeedsTwoEqualReads(t *testing.T) {
	t.Parallel()
	notFound := func(id string) func(int, string) (int, string) {
		return says(400, `<Response><Errors><Error><Code>InvalidGroup.NotFound</Code><Message>The security group '`+id+
			`' does not exist</Message></Error></Errors><RequestID>r</RequestID></Response>`)
	}
	empty := func(status int, body string) (int, string) {
		return status, regexp.MustCompile(`(?s)<(ipPermissions|securityGroupRuleSet)>.*?</(ipPermissions|securityGroupRuleSet)>`).ReplaceAllString(body, "<$1/>")
	}
	tests := []struct {
		name  string
		calls int // of the lie
		lie   func(id string) func(int, string) (int, string)
		look  func(w *world, id string)
	}{
		{name: "event_and_empty_rules", calls: 1, lie: func(string) func(int, string) (int, string) { return empty }, look: (*world).look},
		{name: "sweep_and_empty_rules", calls: 1, lie: func(string) func(int, string) (int, string) { return empty }, look: func(w *world, _ string) { w.sweep() }},
		{name: "event_and_not_found", calls: 2, lie: notFound, look: (*world).look},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
			id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
			w.look(id)
			w.clock.Advance(time.Minute)
			for _, op := range []string{"DescribeSecurityGroups", "DescribeSecurityGroupRules"} {
				w.cloud.Inject(awssim.Fault{Match: byEngine(op), Kind: awssim.Rewrite, Times: tt.calls, Answer: tt.lie(id)})
			}
			tt.look(w, id)
			w.quiet()
			if f := w.findings(id)[sshKey]; f.State != dera.FindingOpen {
				t.Errorf("finding: got %q, want open: one read is none", f.State)
			}
			wantState(t, w.only(id), dera.Waiting)
		})
	}
}

// TestEventThatFindsNothingIsLookedAtAgain: the event tells of a rule that the
// first read does not show yet, or of a group that does not exist for it yet. No
// sweep comes for an hour.
func TestEventThatFindsNothingIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	for _, behind := range []int{1, 2} { // without the rule, without the group
		t.Run(fmt.Sprintf("behind_%d", behind), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
			for _, op := range []string{"DescribeSecurityGroups", "DescribeSecurityGroupRules"} {
				w.cloud.Inject(awssim.Fault{Match: byEngine(op), Kind: awssim.StaleRead, Behind: behind, Times: behind})
			}
			ev := w.event(id)
			ev.Authenticated, ev.Actor = true, "arn:aws:iam::"+account+":user/eve"
			w.ingest(ev)
			w.drain()
			if got := len(w.findings(id)); got != 0 {
				t.Fatalf("findings of the first look: got %d, want none, else this shows nothing", got)
			}
			w.quiet()
			f := w.findings(id)[sshKey]
			if f.State != dera.FindingResolved || f.Actor != ev.Actor || len(w.ingress(id)) > 0 {
				t.Errorf("finding: got %q by %q, rules %q, want it found, attributed and fixed", f.State, f.Actor, w.ingress(id))
			}
		})
	}
}
