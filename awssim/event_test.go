package awssim_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// paths returns where an event has values: requestParameters.ipPermissions.items[].fromPort.
func paths(prefix string, value any) []string {
	var found []string
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			found = append(found, paths(prefix+"."+name, member)...)
		}
	case []any:
		for _, member := range v {
			found = append(found, paths(prefix+"[]", member)...)
		}
	}
	if len(found) == 0 {
		found = []string{strings.TrimPrefix(prefix, ".")}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// members returns the named members of an event.
func members(t *testing.T, event json.RawMessage, names []string) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(event, &all); err != nil {
		t.Fatalf("event is no JSON: %v\n%s", err, event)
	}
	chosen := map[string]any{}
	for _, name := range names {
		if _, ok := all[name]; ok {
			chosen[name] = all[name]
		}
	}
	return chosen
}

// TestEventShapes holds our events against recorded ones of AWS: every member is there, and no other.
func TestEventShapes(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("testdata", "recorded.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recorded []struct {
		Name  string
		Event map[string]json.RawMessage
	}
	if err := json.Unmarshal(raw, &recorded); err != nil {
		t.Fatal(err)
	}
	calls := map[string]func(t *testing.T, cloud *awssim.Cloud, group string){
		"authorize_flat": func(t *testing.T, cloud *awssim.Cloud, group string) {
			must(ec2Client(cloud, hub).AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &group, IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), CidrIp: aws.String("0.0.0.0/0"),
			}))(t)
		},
		"authorize_nested": func(t *testing.T, cloud *awssim.Cloud, group string) {
			must(ec2Client(cloud, hub).AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &group, IpPermissions: []types.IpPermission{{
					IpProtocol: aws.String("-1"),
					IpRanges:   []types.IpRange{{CidrIp: aws.String("0.0.0.0/0"), Description: aws.String("all")}},
					Ipv6Ranges: []types.Ipv6Range{{CidrIpv6: aws.String("::/0"), Description: aws.String("all")}},
				}},
			}))(t)
		},
		"create_group": func(t *testing.T, cloud *awssim.Cloud, _ string) {
			vpc := must(cloud.Account(hub).Region(east).CreateVPC(t.Context(), "10.0.0.0/16"))(t)
			must(ec2Client(cloud, hub).CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{GroupName: aws.String("api"), Description: aws.String("about"), VpcId: &vpc}))(t)
		},
		"describe_groups": func(t *testing.T, cloud *awssim.Cloud, _ string) {
			must(ec2Client(cloud, hub).DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(1000)}))(t)
		},
		"denied_session": func(t *testing.T, cloud *awssim.Cloud, group string) {
			arn := cloud.Account(hub).AddRole("reader", hub, "", "ec2:Describe*")
			session := must(assume(t, cloud, cloud.Account(hub).Credentials(), &sts.AssumeRoleInput{RoleArn: &arn}))(t)
			_, err := ec2.NewFromConfig(config(cloud, session)).DeleteSecurityGroup(t.Context(), &ec2.DeleteSecurityGroupInput{GroupId: &group})
			wantCode(t, err, "UnauthorizedOperation", 403)
		},
	}
	if len(recorded) != len(calls) {
		t.Fatalf("got %d recorded events, want one for each of %d calls", len(recorded), len(calls))
	}
	for _, r := range recorded {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			cloud, _ := newCloud(t)
			calls[r.Name](t, cloud, must(cloud.Account(hub).Region(east).CreateSecurityGroup(t.Context(), "web"))(t))
			names := make([]string, 0, len(r.Event))
			for name := range r.Event {
				names = append(names, name)
			}
			whole, err := json.Marshal(r.Event)
			if err != nil {
				t.Fatal(err)
			}
			events := cloud.Events()
			ours := members(t, events[len(events)-1].Record, names)
			if diff := cmp.Diff(paths("", members(t, whole, names)), paths("", ours)); diff != "" {
				t.Errorf("members of the recorded event (-) and of ours (+):\n%s", diff)
			}
		})
	}
}

// TestEventsGolden shows every kind of event that awssim emits.
func TestEventsGolden(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	account, client := cloud.Account(hub), ec2Client(cloud, hub)
	r := account.Region(east)
	group := must(r.CreateSecurityGroup(t.Context(), "web", openSSH()))(t)
	rule := ingress(t, cloud, group)[0].ID
	must(client.ModifySecurityGroupRules(t.Context(), &ec2.ModifySecurityGroupRulesInput{GroupId: &group, SecurityGroupRules: []types.SecurityGroupRuleUpdate{{
		SecurityGroupRuleId: &rule,
		SecurityGroupRule:   &types.SecurityGroupRuleRequest{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), CidrIpv4: aws.String("192.0.2.0/24"), Description: aws.String("office")},
	}}}))(t)
	must(client.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, SecurityGroupRuleIds: []string{rule}}))(t)
	if err := r.Tag(t.Context(), group, map[string]string{"team": "red"}); err != nil {
		t.Fatal(err)
	}
	list := must(r.CreatePrefixList(t.Context(), "office", 5, "192.0.2.0/24"))(t)
	must(client.ModifyManagedPrefixList(t.Context(), &ec2.ModifyManagedPrefixListInput{PrefixListId: &list, CurrentVersion: aws.Int64(1), AddEntries: []types.AddPrefixListEntry{{Cidr: aws.String("198.51.100.0/24")}, {Cidr: aws.String("203.0.113.0/24")}}}))(t)
	must(client.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{{Name: aws.String("group-id"), Values: []string{group}}}}))(t)
	_, err := client.DeleteSecurityGroup(t.Context(), &ec2.DeleteSecurityGroupInput{GroupId: aws.String("sg-00000000000000000")})
	wantCode(t, err, "InvalidGroup.NotFound", 400)
	_, err = client.DeleteSecurityGroup(t.Context(), &ec2.DeleteSecurityGroupInput{GroupId: &group, DryRun: aws.Bool(true)})
	wantCode(t, err, "DryRunOperation", 412)
	must(r.As(account.RootCredentials()).CreateQueue(t.Context(), "events"))(t)
	arn := cloud.Account(member).AddRole("fixer", hub, "secret", "ec2:*")
	must(assume(t, cloud, account.Credentials(), &sts.AssumeRoleInput{RoleArn: &arn, ExternalId: aws.String("secret")}))(t)

	var shown strings.Builder
	for _, e := range cloud.Events() {
		record := members(t, e.Record, []string{"userIdentity", "eventTime", "errorCode", "errorMessage", "requestParameters", "responseElements", "readOnly", "recipientAccountId", "sharedEventID"})
		encoded, err := json.MarshalIndent(record, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&shown, "-- %s %s %s %s --\n%s\n", e.Source, e.Name, e.Account, e.ErrorCode, encoded)
	}
	golden := filepath.Join("testdata", "events.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(shown.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), shown.String()); diff != "" {
		t.Errorf("events (-want +got), rewrite with -update:\n%s", diff)
	}
}

func TestForwardEvents(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	queue := must(cloud.Account(hub).Region(east).CreateQueue(t.Context(), "events"))(t)
	if err := cloud.ForwardEvents(awssim.Forward{Account: member, Region: east, Queue: queue}); err != nil {
		t.Fatal(err)
	}
	for _, account := range []string{hub, member} {
		for _, region := range []string{east, "eu-west-1"} {
			must(cloud.Account(account).Region(region).CreateSecurityGroup(t.Context(), "web"))(t)
		}
	}
	must(ec2Client(cloud, member).DescribeSecurityGroups(t.Context(), nil))(t)

	got := must(sqsClient(cloud, hub).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue, MaxNumberOfMessages: 10}))(t)
	if len(got.Messages) != 1 {
		t.Fatalf("got %d messages, want the one of the other account's write in %s", len(got.Messages), east)
	}
	var envelope struct {
		DetailType string `json:"detail-type"`
		Source     string
		Account    string
		Region     string
		Time       time.Time
		Detail     struct{ EventName, RecipientAccountID, EventVersion string }
	}
	if err := json.Unmarshal([]byte(*got.Messages[0].Body), &envelope); err != nil {
		t.Fatal(err)
	}
	if envelope.DetailType != "AWS API Call via CloudTrail" || envelope.Source != "aws.ec2" || envelope.Account != member || envelope.Region != east ||
		!envelope.Time.Equal(newClock().Now()) || envelope.Detail.EventName != "CreateSecurityGroup" || envelope.Detail.RecipientAccountID != member || envelope.Detail.EventVersion != "1.09" {
		t.Errorf("envelope: got %+v", envelope)
	}
	if err := cloud.ForwardEvents(awssim.Forward{Queue: queue + "-absent"}); err == nil {
		t.Error("forward to a queue that is not there: got no error")
	}
}

func TestEventNamesTheCaller(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	account := cloud.Account(hub)
	pipeline := account.Region(east).As(account.AddUser("pipeline", "ec2:*")).Via("192.0.2.44", "HashiCorp Terraform/1.9")
	must(pipeline.CreateSecurityGroup(t.Context(), "web"))(t)
	got := members(t, cloud.Events()[0].Record, []string{"sourceIPAddress", "userAgent", "userIdentity"})
	user, _ := got["userIdentity"].(map[string]any)
	if got["sourceIPAddress"] != "192.0.2.44" || got["userAgent"] != "HashiCorp Terraform/1.9" || user["userName"] != "pipeline" {
		t.Errorf("caller: got %v", got)
	}
}

func TestForwardReadOnlyAndTamper(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	r := cloud.Account(hub).Region(east)
	all, twice, dropped := must(r.CreateQueue(t.Context(), "all"))(t), must(r.CreateQueue(t.Context(), "twice"))(t), must(r.CreateQueue(t.Context(), "dropped"))(t)
	for _, f := range []awssim.Forward{
		{Queue: all, ReadOnly: true},
		{Queue: twice, Tamper: func(e []byte) [][]byte { return [][]byte{e, e} }},
		{Queue: dropped, Tamper: func([]byte) [][]byte { return nil }},
	} {
		if err := cloud.ForwardEvents(f); err != nil {
			t.Fatal(err)
		}
	}
	must(r.CreateSecurityGroup(t.Context(), "web"))(t)
	must(ec2Client(cloud, hub).DescribeSecurityGroups(t.Context(), nil))(t)
	want := map[string]int{all: 2, twice: 2, dropped: 0}
	for _, q := range cloud.Snapshot().Queues {
		if len(q.Bodies) != want[q.URL] {
			t.Errorf("queue %s: got %d messages, want %d", q.URL, len(q.Bodies), want[q.URL])
		}
	}
}
