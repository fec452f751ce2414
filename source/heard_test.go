package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services"
)

// TestHeard: calls alone are a sign that the calls of a place are delivered, in the region of the call.
func TestHeard(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)
	call := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		body string
		want map[BackfillPlace]time.Time
	}{
		"call":          {opened(ours, "eu-west-1", "sg-1"), map[BackfillPlace]time.Time{{ours, "eu-west-1"}: call}},
		"other_account": {opened(theirs, "eu-west-1", "sg-1"), nil},
		"finding":       {imported(asff("security-control/EC2.13", "AwsEc2SecurityGroup", groupARN, "")), nil},
		"threat":        {reported(cloudtrail.GuardDutyKind, "aws.guardduty", fmt.Sprintf(`{"accountId":%q,"region":"eu-west-1","id":"0a","type":"Recon:EC2/X","service":{},"resource":{}}`, ours)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newSieve("sqs", services.Watch(), []string{ours}, true).sift([]Message{{ID: "m", Body: tc.body}}, at)
			if len(d.Heard) != len(tc.want) || tc.want != nil && !d.Heard[BackfillPlace{ours, "eu-west-1"}].Equal(call) {
				t.Errorf("got %v, want %v", d.Heard, tc.want)
			}
			if posted := newSieve("webhook", services.Watch(), []string{ours}, false).posted(Message{ID: "m", Body: tc.body}, at); len(posted.Heard) > 0 {
				t.Errorf("by the webhook: got %v", posted.Heard)
			}
		})
	}
}

// TestSieve_same_ID: products give IDs within an account; findings of two with one ID are two.
func TestSieve_same_ID(t *testing.T) {
	t.Parallel()
	one := strings.Replace(asff("security-control/EC2.13", "AwsEc2SecurityGroup", groupARN, ""), `"Id":"arn`, `"Id":"rule-7","Was":"arn`, 1)
	d := newSieve("sqs", services.Watch(), []string{ours, theirs}, true).sift([]Message{{ID: "m", Body: imported(one, strings.ReplaceAll(one, ours, theirs))}}, time.Unix(0, 0))
	if len(d.Events) != 2 || len(d.Tallies) > 0 {
		t.Errorf("got %d hints and %v, want one for each account", len(d.Events), d.Tallies)
	}
}

// TestThreatOnLargeInstance: an instance with more groups than are looked at leaves out no key and not the finding itself.
func TestThreatOnLargeInstance(t *testing.T) {
	t.Parallel()
	var groups []string
	for i := range 80 {
		groups = append(groups, fmt.Sprintf(`{"groupId":"sg-%d"}`, i))
	}
	body := reported(cloudtrail.GuardDutyKind, "aws.guardduty", fmt.Sprintf(`{"accountId":%q,"region":"eu-west-1","id":"0a1b","type":"UnauthorizedAccess:IAMUser/MaliciousIPCaller","service":{},
		"resource":{"instanceDetails":{"instanceId":"i-1","networkInterfaces":[{"securityGroups":[%s]}]},"accessKeyDetails":{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"ann","userType":"IAMUser"}}}`, ours, strings.Join(groups, ",")))
	d := newSieve("sqs", services.Watch(), []string{ours}, true).sift([]Message{{ID: "m", Body: body}}, time.Unix(0, 0))
	for typ, id := range map[string]string{"AWS::GuardDuty::Finding": "0a1b", "AWS::IAM::AccessKey": "ann#AKIAIOSFODNN7EXAMPLE"} {
		if !slices.ContainsFunc(d.Events, func(e dera.Event) bool { return e.Scope.Type == typ && slices.Equal(e.Scope.IDs, []string{id}) }) {
			t.Errorf("got %d hints without one on %s %s: %v", len(d.Events), typ, id, d.Events)
		}
	}
}
