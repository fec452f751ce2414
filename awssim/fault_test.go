package awssim_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dera.example/dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// TestWriteFaults makes one revoke meet each fault: what the caller is told, what is so, and what the trail says.
func TestWriteFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		fault  awssim.Fault
		code   string
		status int
		left   []int  // ports that are still open
		event  string // error code of the event
	}{
		{name: "none", fault: awssim.Fault{Kind: awssim.Denied, Match: awssim.Match{Operation: "CreateVpc"}}, left: []int{80, 443}},
		{name: "throttle", fault: awssim.Fault{Kind: awssim.Throttle}, code: "RequestLimitExceeded", status: 503, left: []int{22, 80, 443}, event: "Client.RequestLimitExceeded"},
		{name: "error_before", fault: awssim.Fault{Kind: awssim.Error5xxBefore}, code: "InternalError", status: 500, left: []int{22, 80, 443}, event: "Server.InternalError"},
		{name: "error_after", fault: awssim.Fault{Kind: awssim.Error5xxAfter}, code: "InternalError", status: 500, left: []int{80, 443}},
		{name: "denied", fault: awssim.Fault{Kind: awssim.Denied}, code: "UnauthorizedOperation", status: 403, left: []int{22, 80, 443}, event: "Client.UnauthorizedOperation"},
		{name: "expired_token", fault: awssim.Fault{Kind: awssim.ExpiredToken}, code: "RequestExpired", status: 400, left: []int{22, 80, 443}, event: "Client.RequestExpired"},
		{name: "refuse", fault: awssim.Fault{Kind: awssim.Refuse, Code: "ConcurrentModification", Status: 409}, code: "ConcurrentModification", status: 409, left: []int{22, 80, 443}, event: "Client.ConcurrentModification"},
		{name: "lie_no_effect", fault: awssim.Fault{Kind: awssim.LieNoEffect}, left: []int{22, 80, 443}},
		{name: "lie_neighbour", fault: awssim.Fault{Kind: awssim.LieNeighbour}, left: []int{443}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cloud, _ := newCloud(t)
			http := https()
			http.FromPort, http.ToPort = 80, 80
			group := must(cloud.Account(hub).Region(east).CreateSecurityGroup(t.Context(), "web", openSSH(), http, https()))(t)
			if tt.fault.Match.Operation == "" {
				tt.fault.Match = awssim.Match{Service: "ec2", Operation: "RevokeSecurityGroupIngress", Account: hub, Region: east}
			}
			injected := cloud.Inject(tt.fault)
			_, err := ec2Client(cloud, hub).RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, IpPermissions: sshPermission()})
			wantCode(t, err, tt.code, tt.status)
			var left []int
			for _, r := range ingress(t, cloud, group) {
				left = append(left, r.FromPort)
			}
			if !slices.Equal(left, tt.left) {
				t.Errorf("open ports: got %v, want %v", left, tt.left)
			}
			events := cloud.Events()
			if last := events[len(events)-1]; last.Name != "RevokeSecurityGroupIngress" || last.ErrorCode != tt.event {
				t.Errorf("event: got %s with error %q, want the revoke with %q", last.Name, last.ErrorCode, tt.event)
			}
			if want := tt.name != "none"; (injected.Fired() == 1) != want {
				t.Errorf("fired: got %d times", injected.Fired())
			}
		})
	}
}

func TestHang(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		kind   awssim.Kind
		effect bool
	}{
		{"before", awssim.Hang, false},
		{"after", awssim.HangAfter, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cloud := awssim.New(awssim.Config{})
				group := must(cloud.Account(hub).Region(east).CreateSecurityGroup(t.Context(), "web", openSSH()))(t)
				cloud.Inject(awssim.Fault{Kind: tt.kind, Match: awssim.Match{Operation: "RevokeSecurityGroupIngress"}})
				before := len(cloud.Events())
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				start := time.Now()
				_, err := ec2Client(cloud, hub).RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, IpPermissions: sshPermission()})
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 30*time.Second {
					t.Errorf("got error %v after %v, want the deadline after 30s", err, time.Since(start))
				}
				if took := len(ingress(t, cloud, group)) == 0; took != tt.effect {
					t.Errorf("took effect: got %t, want %t", took, tt.effect)
				}
				if emitted := len(cloud.Events()) > before; emitted != tt.effect {
					t.Errorf("event: got %t, want %t", emitted, tt.effect)
				}
			})
		})
	}
}

func TestFaultTimesAndAfter(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	injected := cloud.Inject(awssim.Fault{Kind: awssim.Throttle, Times: 2, After: 1, Match: awssim.Match{Service: "ec2", Region: east}})
	call := func() string {
		_, err := ec2Client(cloud, hub).DescribeSecurityGroups(t.Context(), nil)
		code, _ := codeOf(t, err)
		return code
	}
	want := []string{"", "RequestLimitExceeded", "RequestLimitExceeded", "", ""}
	for i, code := range want {
		if got := call(); got != code {
			t.Errorf("call %d: got error %q, want %q", i+1, got, code)
		}
	}
	if got := injected.Fired(); got != 2 {
		t.Errorf("fired: got %d, want 2", got)
	}
	forever := cloud.Inject(awssim.Fault{Kind: awssim.Denied, Match: awssim.Match{Where: func(c awssim.Call) bool { return strings.HasSuffix(c.Principal, "user/admin") }}})
	if got := call(); got != "UnauthorizedOperation" {
		t.Errorf("matched by principal: got error %q", got)
	}
	forever.Remove()
	if got := call(); got != "" {
		t.Errorf("after removal: got error %q", got)
	}
}

func TestThrottleOfOtherServices(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	cloud.Inject(awssim.Fault{Kind: awssim.Throttle})
	c := config(cloud, cloud.Account(hub).Credentials())
	_, err := sts.NewFromConfig(c).GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "Throttling", 400)
	_, err = sqs.NewFromConfig(c).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("events")})
	wantCode(t, err, "RequestThrottled", 400)
}

func TestSDKRetriesThrottling(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	cloud.Inject(awssim.Fault{Kind: awssim.Throttle, Times: 1})
	c := config(cloud, cloud.Account(hub).Credentials())
	c.RetryMaxAttempts = 2
	must(ec2.NewFromConfig(c).DescribeSecurityGroups(t.Context(), nil))(t)
	if got := cloud.Count(awssim.Match{Operation: "DescribeSecurityGroups"}); got != 2 {
		t.Errorf("got %d calls, want 2", got)
	}
}

func TestStaleRead(t *testing.T) {
	t.Parallel()
	cloud, now := newCloud(t)
	group := must(cloud.Account(hub).Region(east).CreateSecurityGroup(t.Context(), "web", openSSH()))(t)
	now.Advance(time.Minute)
	client := ec2Client(cloud, hub)
	must(client.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, IpPermissions: sshPermission()}))(t)
	isOpen := func() bool {
		out := must(client.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{group}}))(t)
		return len(out.SecurityGroups[0].IpPermissions) > 0
	}
	if isOpen() {
		t.Fatal("without a fault: the revoked rule is there")
	}
	late := cloud.Inject(awssim.Fault{Kind: awssim.StaleRead, Lag: 5 * time.Second})
	if !isOpen() {
		t.Error("five seconds ago: the rule is not there")
	}
	now.Advance(5 * time.Second)
	if isOpen() {
		t.Error("five seconds later: the rule is still there")
	}
	late.Remove()
	cloud.Inject(awssim.Fault{Kind: awssim.StaleRead, Behind: 1, Times: 1})
	if !isOpen() {
		t.Error("one write ago: the rule is not there")
	}
	cloud.Inject(awssim.Fault{Kind: awssim.StaleRead, Behind: 3, Times: 1})
	_, err := client.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{group}})
	wantCode(t, err, "InvalidGroup.NotFound", 400)
	cloud.Inject(awssim.Fault{Kind: awssim.StaleRead, Behind: 100, Times: 1})
	if out := must(client.DescribeSecurityGroups(t.Context(), nil))(t); len(out.SecurityGroups) != 1 || *out.SecurityGroups[0].GroupName != "default" {
		t.Errorf("before every write: got %d groups, want the default one", len(out.SecurityGroups))
	}
}

func TestHook(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	r := cloud.Account(hub).Region(east)
	group := must(r.CreateSecurityGroup(t.Context(), "web", openSSH()))(t)
	cloud.Inject(awssim.Fault{
		Kind: awssim.Hook, Times: 1, Match: awssim.Match{Operation: "RevokeSecurityGroupIngress"},
		Func: func() { must(r.Authorize(t.Context(), group, https()))(t) },
	})
	seen := 0
	cloud.Inject(awssim.Fault{
		Kind: awssim.HookAfter, Times: 1, Match: awssim.Match{Operation: "RevokeSecurityGroupIngress"},
		Func: func() { seen = len(ingress(t, cloud, group)) },
	})
	out := must(ec2Client(cloud, hub).RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, IpPermissions: sshPermission()}))(t)
	if len(out.RevokedSecurityGroupRules) != 1 {
		t.Errorf("revoked: got %d rules, want 1", len(out.RevokedSecurityGroupRules))
	}
	if left := ingress(t, cloud, group); len(left) != 1 || left[0].FromPort != 443 || seen != 1 {
		t.Errorf("left: got %+v (and %d in the second hook), want the rule of the concurrent writer", left, seen)
	}
}

func TestInjectRefusesNonsense(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	for name, fault := range map[string]awssim.Fault{
		"no kind": {}, "unknown kind": {Kind: 99}, "stale read without lag": {Kind: awssim.StaleRead}, "hook without function": {Kind: awssim.Hook},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: got no panic", name)
				}
			}()
			cloud.Inject(fault)
		}()
	}
}
