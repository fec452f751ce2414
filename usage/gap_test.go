package usage_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/usage"
)

const management = `{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}%s]}`

// TestScopeGaps has a trail whose every hour is proved, so that all that is left
// is what its selectors leave out.
func TestScopeGaps(t *testing.T) {
	t.Parallel()
	basic := func(more string) string { return `"EventSelectors":[{"IncludeManagementEvents":true` + more + `}]` }
	advanced := func(list ...string) string { return `"AdvancedEventSelectors":[` + strings.Join(list, ",") + `]` }
	for _, tt := range []struct{ name, scope, want string }{
		{"everything", basic(`,"ReadWriteType":"All"`), "data"},
		{"no_reads", basic(`,"ReadWriteType":"WriteOnly"`), "data kms rds reads"},
		{"no_writes", basic(`,"ReadWriteType":"ReadOnly"`), "data writes"},
		{"kms_excluded", basic(`,"ReadWriteType":"All","ExcludeManagementEventSources":["kms.amazonaws.com"]`), "data kms"},
		{"rds_data_excluded", basic(`,"ReadWriteType":"All","ExcludeManagementEventSources":["rdsdata.amazonaws.com"]`), "data rds"},
		{"no_management", `"EventSelectors":[{"IncludeManagementEvents":false,"ReadWriteType":"All"}]`, "data kms rds reads writes"},
		{"s3_data", basic(`,"ReadWriteType":"All","DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3"]}]`), "data[AWS::S3::Object]"},
		{"one_bucket", basic(`,"ReadWriteType":"All","DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3:::b/"]}]`), "data"},
		{"advanced", advanced(fmt.Sprintf(management, "")), "data"},
		{"advanced_writes", advanced(fmt.Sprintf(management, `,{"Field":"readOnly","Equals":["false"]}`)), "data kms rds reads"},
		{"advanced_without_kms", advanced(fmt.Sprintf(management, `,{"Field":"eventSource","NotEquals":["kms.amazonaws.com"]}`)), "data kms"},
		{"advanced_narrow", advanced(fmt.Sprintf(management, `,{"Field":"eventName","StartsWith":["Put"]}`)), "data kms rds reads writes"},
		{"advanced_data", advanced(fmt.Sprintf(management, ""), `{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Lambda::Function"]}]}`), "data[AWS::Lambda::Function]"},
		{"advanced_data_of_one", advanced(fmt.Sprintf(management, ""), `{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Lambda::Function"]},{"Field":"resources.ARN","Equals":["x"]}]}`), "data"},
		{"rule", `"event_bridge_rule_state":"ENABLED"`, "data rule"},
		{"rule_with_reads", `"event_bridge_rule_state":"ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"`, "data"},
		{"rule_off", `"event_bridge_rule_state":"DISABLED"`, "data kms rds reads writes"},
		{"since_later", basic(`,"ReadWriteType":"All"`) + `,"since":"2026-03-01T02:00:00Z"`, "data short"},
		{"other_region", basic(`,"ReadWriteType":"All"`) + `,"regions":["eu-west-1"]`, "data region region scope"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := tt.scope
			if !strings.Contains(text, `"since"`) {
				text += `,"since":"2026-01-01T00:00:00Z"`
			}
			if !strings.Contains(text, `"regions"`) {
				text += `,"regions":["us-east-1"]`
			}
			scope, err := usage.ParseScope([]byte(`{"accounts":["111122223333"],` + text + `}`))
			if err != nil {
				t.Fatal(err)
			}
			r, s := newTrail(t), newStore(t)
			r.hours(t)
			importing(t, s, usage.ImportConfig{Keys: r.keys()}, r.dir)
			if err := usage.New(s, nil).Declare(t.Context(), scope); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, g := range gapsOf(t, s, start, start.Add(5*time.Hour)) {
				word := map[usage.GapKind]string{
					usage.GapData: "data", usage.GapKMS: "kms", usage.GapRDSData: "rds", usage.GapReads: "reads", usage.GapWrites: "writes",
					usage.GapRule: "rule", usage.GapShort: "short", usage.GapRegion: "region", usage.GapScope: "scope",
				}[g.Kind]
				if len(g.Covered) > 0 {
					word += fmt.Sprint(g.Covered)
				}
				got = append(got, word)
			}
			if slices.Sort(got); strings.Join(got, " ") != tt.want {
				t.Errorf("gaps: got %v, want %s", got, tt.want)
			}
		})
	}
}

func TestScopeRefusals(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no_json": `x`, "nothing": `{}`, "unknown_member": `{"account":"1"}`, "bad_account": `{"accounts":["1"],"regions":["r"],"since":"2026-01-01T00:00:00Z"}`,
		"no_selectors": `{"accounts":["111122223333"],"regions":["r"],"since":"2026-01-01T00:00:00Z"}`,
		"rule_state":   `{"accounts":["111122223333"],"regions":["r"],"since":"2026-01-01T00:00:00Z","event_bridge_rule_state":"ON"}`,
		"both":         `{"accounts":["111122223333"],"regions":["r"],"since":"2026-01-01T00:00:00Z","EventSelectors":[{}],"AdvancedEventSelectors":[{}]}`,
		"no_since":     `{"accounts":["111122223333"],"regions":["r"],"EventSelectors":[{}]}`,
	} {
		if s, err := usage.ParseScope([]byte(text)); err == nil {
			t.Errorf("%s: got %+v", name, s)
		}
	}
}

// TestTrailChange has someone change the trail within the window.
func TestTrailChange(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"PutEventSelectors": true, "StopLogging": true, "UpdateTrail": true, "DeleteTrail": true, "GetTrail": false, "DescribeTrails": false} {
		s := newStore(t)
		text := strings.Replace(record("1", "intruder", name, start.Add(90*time.Minute)), "s3.amazonaws.com", "cloudtrail.amazonaws.com", 1)
		failed := strings.Replace(strings.Replace(text, `"1"`, `"2"`, 1), `{"eventID"`, `{"errorCode":"AccessDenied","eventID"`, 1)
		importing(t, s, usage.ImportConfig{}, write(t, t.TempDir(), "f.json", logFile(text, failed)))
		var got []string
		for _, g := range gapsOf(t, s, start, start.Add(5*time.Hour)) {
			if g.Kind == usage.GapChanged {
				got = append(got, g.Why)
			}
		}
		if want != (len(got) == 1 && strings.Contains(got[0], name+" by arn:aws:iam::111122223333:role/intruder")) {
			t.Errorf("%s: got %q, want a gap: %t", name, got, want)
		}
	}
}

func TestGapMatters(t *testing.T) {
	t.Parallel()
	read, write := usage.Need{Source: "ec2.amazonaws.com", ReadOnly: true}, usage.Need{Source: "ec2.amazonaws.com"}
	object := usage.Need{Source: "s3.amazonaws.com", ReadOnly: true, Data: true}
	for _, tt := range []struct {
		gap  usage.Gap
		need usage.Need
		want bool
	}{
		{usage.Gap{Kind: usage.GapReads}, read, true}, {usage.Gap{Kind: usage.GapReads}, write, false}, {usage.Gap{Kind: usage.GapReads}, object, false},
		{usage.Gap{Kind: usage.GapRule}, read, true}, {usage.Gap{Kind: usage.GapWrites}, write, true}, {usage.Gap{Kind: usage.GapWrites}, read, false},
		{usage.Gap{Kind: usage.GapKMS}, write, false}, {usage.Gap{Kind: usage.GapKMS}, usage.Need{Source: "kms.amazonaws.com"}, true},
		{usage.Gap{Kind: usage.GapRDSData}, usage.Need{Source: "rdsdata.amazonaws.com"}, true},
		{usage.Gap{Kind: usage.GapData}, object, true}, {usage.Gap{Kind: usage.GapData, Covered: []string{"AWS::S3::Object"}}, object, false}, {usage.Gap{Kind: usage.GapData}, read, false},
		{usage.Gap{Kind: usage.GapHours}, write, true}, {usage.Gap{Kind: usage.GapScope}, object, true}, {usage.Gap{Kind: "new"}, write, true},
		{usage.Gap{Kind: usage.GapKMS}, usage.Need{}, true},
	} {
		if got := tt.gap.Matters(tt.need); got != tt.want {
			t.Errorf("%s for %+v: got %t, want %t", tt.gap.Kind, tt.need, got, tt.want)
		}
	}
	if _, err := usage.New(newStore(t), nil).Gaps(t.Context(), usage.Window{From: start, To: start}); err == nil {
		t.Errorf("empty window: got no error")
	}
}

// TestObserve takes only what is authenticated and trusted.
func TestObserve(t *testing.T) {
	t.Parallel()
	envelope := func(detail, account string) []byte {
		return []byte(`{"detail-type":"AWS API Call via CloudTrail","source":"aws.s3","account":"` + account + `","region":"us-east-1","detail":` + detail + `}`)
	}
	r := record("1", "a", "Get", start)
	s := newStore(t)
	o := usage.New(s, nil).Observer(usage.ObserverConfig{Complete: true})
	for _, tt := range []struct {
		name  string
		event usage.Message
		want  usage.Reason
	}{
		{"trusted", usage.Message{Body: envelope(r, "111122223333"), Authenticated: true}, usage.Counted},
		{"again", usage.Message{Body: envelope(r, "111122223333"), Authenticated: true}, usage.Repeated},
		{"from_anywhere", usage.Message{Body: envelope(record("2", "b", "Get", start), "111122223333")}, usage.NotAuthenticated},
		{"account_is_another", usage.Message{Body: envelope(record("3", "b", "Get", start), "444455556666"), Authenticated: true}, usage.NotAuthenticated},
		{"bare", usage.Message{Body: []byte(record("4", "b", "Get", start)), Authenticated: true}, usage.Unreadable},
		{"another_event", usage.Message{Body: []byte(`{"detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","detail":{}}`), Authenticated: true}, usage.NotACall},
		{"no_json", usage.Message{Body: []byte("x"), Authenticated: true}, usage.Unreadable},
	} {
		counts, err := o.Observe(t.Context(), []usage.Message{tt.event})
		if err != nil || counts[tt.want] != 1 || counts.Total() != 1 {
			t.Errorf("%s: got %v, %v, want %s", tt.name, counts, err, tt.want)
		}
	}
	if got := all(t, s); strings.Contains(got, "role/b") || !strings.Contains(got, "s3:Get verified 2026-03-01T00:00:00Z 2026-03-01T00:00:00Z 1 ") {
		t.Errorf("ledger: got\n%s", got)
	}
	f := &faulty{Store: newStore(t), in: 1}
	o = usage.New(f, nil).Observer(usage.ObserverConfig{Complete: true})
	for i, want := range []bool{false, true} {
		if _, err := o.Observe(t.Context(), []usage.Message{{Body: envelope(r, "111122223333"), Authenticated: true}}); (err == nil) != want {
			t.Errorf("time %d: got %v", i, err)
		}
	}
	if got := all(t, f.Store); !strings.Contains(got, " 1 ") {
		t.Errorf("ledger after a fault: got\n%s", got)
	}
}
