package wire_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/instance"
)

const body = running + v1 + `<instanceType>m5d.large</instanceType><instanceLifecycle>spot</instanceLifecycle><vpcId>vpc-1</vpcId>
<networkInterfaceSet><item><networkInterfaceId>eni-2</networkInterfaceId><groupSet><item><groupId>sg-3</groupId></item></groupSet></item>
<item><networkInterfaceId>eni-1</networkInterfaceId><groupSet><item><groupId>sg-2</groupId></item><item><groupId>sg-1</groupId></item></groupSet></item></networkInterfaceSet>
<blockDeviceMapping><item><deviceName>/dev/sdb</deviceName><ebs><volumeId>vol-2</volumeId></ebs></item><item><deviceName>/dev/sda</deviceName><ebs><volumeId>vol-1</volumeId></ebs></item></blockDeviceMapping>
<tagSet><item><key>aws:autoscaling:groupName</key><value>shop</value></item></tagSet>`

func ec2Answer(operation, text string) string {
	return `<` + operation + `Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">` + text + `</` + operation + `Response>`
}

// around answers what stands around an instance; an answer that begins with ! refuses.
func around(over map[string]string) func(cloudtest.Asked) (int, string) {
	answers := map[string]string{
		"DescribeSecurityGroups": `<securityGroupInfo><item><groupId>sg-9</groupId><groupName>dera-isolation</groupName><ownerId>` + account + `</ownerId><vpcId>vpc-1</vpcId><ipPermissions/><ipPermissionsEgress/></item></securityGroupInfo>`,
		"DescribeInstanceTypes":  `<instanceTypeSet><item><instanceType>m5d.large</instanceType><instanceStorageSupported>true</instanceStorageSupported></item></instanceTypeSet>`,
		"DescribeSnapshots": `<snapshotSet><item><snapshotId>snap-1</snapshotId><volumeId>vol-1</volumeId><description>dera contain a-1</description><status>pending</status></item>
			<item><snapshotId>snap-2</snapshotId><volumeId>vol-2</volumeId><description>dera contain a-1</description><status>error</status></item>
			<item><snapshotId>snap-3</snapshotId><volumeId>vol-9</volumeId><description>dera contain a-1</description><status>completed</status></item>
			<item><snapshotId>snap-4</snapshotId><volumeId>vol-2</volumeId><description>nightly</description><status>completed</status></item></snapshotSet>`,
		"DescribeAutoScalingInstances": `<DescribeAutoScalingInstancesResult><AutoScalingInstances><member><InstanceId>` + web + `</InstanceId><AutoScalingGroupName>shop</AutoScalingGroupName><LifecycleState>InService</LifecycleState></member></AutoScalingInstances></DescribeAutoScalingInstancesResult>`,
	}
	for k, v := range over {
		answers[k] = v
	}
	return func(a cloudtest.Asked) (int, string) {
		text, ok := answers[a.Operation]
		switch {
		case !ok || strings.HasPrefix(text, "!"):
			return 403, failure("UnauthorizedOperation", "no")
		case a.Operation == "DescribeAutoScalingInstances":
			return 200, `<DescribeAutoScalingInstancesResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">` + text + `</DescribeAutoScalingInstancesResponse>`
		}
		return 200, ec2Answer(a.Operation, text)
	}
}

// TestAround: what containing an instance has to know; where one thing of it cannot be read,
// nothing of it is known.
func TestAround(t *testing.T) {
	t.Parallel()
	store, none := true, false
	full := instance.Around{Isolation: "sg-9", Scaling: "shop", Lifecycle: "InService", Store: &store}
	with := func(change func(*instance.Around)) *instance.Around {
		a := full
		change(&a)
		return &a
	}
	group := func(old, text string) map[string]string {
		_, all := around(nil)(cloudtest.Asked{Operation: "DescribeSecurityGroups"})
		inner := all[strings.Index(all, "<securityGroupInfo>"):strings.Index(all, "</DescribeSecurityGroups")]
		return map[string]string{"DescribeSecurityGroups": strings.Replace(inner, old, text, 1)}
	}
	for name, tc := range map[string]struct {
		over map[string]string
		want *instance.Around
	}{
		"all":                 {nil, &full},
		"no_group":            {map[string]string{"DescribeSecurityGroups": "<securityGroupInfo/>"}, with(func(a *instance.Around) { a.Isolation = "" })},
		"group_with_outbound": {group("<ipPermissionsEgress/>", "<ipPermissionsEgress><item><ipProtocol>-1</ipProtocol></item></ipPermissionsEgress>"), with(func(a *instance.Around) { a.Open = true })},
		"group_of_another":    {group(account, cloudtest.Member), with(func(a *instance.Around) { a.Isolation = "" })},
		"standby": {map[string]string{"DescribeAutoScalingInstances": `<DescribeAutoScalingInstancesResult><AutoScalingInstances><member><InstanceId>` + web + `</InstanceId><AutoScalingGroupName>shop</AutoScalingGroupName><LifecycleState>Standby</LifecycleState></member></AutoScalingInstances></DescribeAutoScalingInstancesResult>`},
			with(func(a *instance.Around) { a.Lifecycle = "Standby" })},
		"detached": {map[string]string{"DescribeAutoScalingInstances": `<DescribeAutoScalingInstancesResult><AutoScalingInstances/></DescribeAutoScalingInstancesResult>`},
			with(func(a *instance.Around) { a.Scaling, a.Lifecycle = "", "" })},
		"no_store":          {map[string]string{"DescribeInstanceTypes": `<instanceTypeSet><item><instanceType>m5d.large</instanceType><instanceStorageSupported>false</instanceStorageSupported></item></instanceTypeSet>`}, with(func(a *instance.Around) { a.Store = &none })},
		"store_not_told":    {map[string]string{"DescribeInstanceTypes": `<instanceTypeSet/>`}, with(func(a *instance.Around) { a.Store = nil })},
		"scaling_not_read":  {map[string]string{"DescribeAutoScalingInstances": "!"}, nil},
		"groups_not_read":   {map[string]string{"DescribeSecurityGroups": "!"}, nil},
		"kinds_are_refused": {map[string]string{"DescribeInstanceTypes": "!"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.instances[web], w.write = body, around(tc.over)
			c := read(t, w, web)
			if diff := cmp.Diff(tc.want, c.Around); diff != "" {
				t.Errorf("around (-want +got):\n%s", diff)
			}
			if want := []instance.Snapshot{{ID: "snap-1", Volume: "vol-1", Request: "a-1"}}; !cmp.Equal(want, c.Snapshots) || !slices.Equal(c.Volumes, []string{"vol-1", "vol-2"}) || !c.Spot {
				t.Errorf("got the snapshots %+v of %v, spot %t", c.Snapshots, c.Volumes, c.Spot)
			}
			if want := []instance.Interface{{ID: "eni-1", Groups: []string{"sg-1", "sg-2"}}, {ID: "eni-2", Groups: []string{"sg-3"}}}; !cmp.Equal(want, c.Interfaces) {
				t.Errorf("got the interfaces %+v", c.Interfaces)
			}
		})
	}
}

// TestFailedAround: a type that EC2 does not offer any more hides no instance, and neither does
// a read of its surroundings that fails: they are not known.
func TestFailedAround(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := around(nil)
	w.instances[web] = body
	w.write = func(a cloudtest.Asked) (int, string) {
		if a.Operation == "DescribeInstanceTypes" {
			return 400, failure("InvalidInstanceType", "The following supplied instance types do not exist: [m5d.large]")
		}
		return good(a)
	}
	page, err := w.Read(t.Context(), scope(), true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("got %+v, %v", page, err)
	}
	c := page.Resources[0].Config.(*instance.Instance)
	if c.Around != nil || len(c.Snapshots) != 1 || len(c.Interfaces) != 2 || !strings.Contains(page.Resources[0].Unread, "InvalidInstanceType") {
		t.Errorf("got %+v, %q", c, page.Resources[0].Unread)
	}
}

// TestOnItsWay: one that is stopping is neither running nor stopped, and not known.
func TestOnItsWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.instances[web] = strings.Replace(running, "running", "stopping", 1) + v1
	page, err := w.Read(t.Context(), scope(web), false)
	if err != nil || len(page.Resources) != 1 || !strings.Contains(page.Resources[0].Unread, "it is stopping") || page.Resources[0].Config.(*instance.Instance).Running != nil {
		t.Errorf("got %+v, %v", page, err)
	}
}

// TestContainWrites: each write and its undo names just what it is about, and has a dry run.
func TestContainWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write = func(a cloudtest.Asked) (int, string) {
		if a.Form.Get("DryRun") == "true" {
			return 412, failure("DryRunOperation", "it would")
		}
		return 200, ec2Answer(a.Operation, "")
	}
	yes := true
	i := &instance.Instance{ID: web, Running: &yes}
	stop, err := instance.Type().Set(i, "running", false)
	if err != nil {
		t.Fatal(err)
	}
	make := func(operation string, input, undo any) dera.Change {
		c, err := resource.NewChange(operation, input, nil, nil, operation, undo, nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	groups := make(instance.ModifyInterface, instance.InterfaceInput{Resource: web, Interface: instance.Interface{ID: "eni-1", Groups: []string{"sg-9"}}},
		instance.InterfaceInput{Resource: web, Interface: instance.Interface{ID: "eni-1", Groups: []string{"sg-1", "sg-2"}}})
	snapshots := make(instance.CreateSnapshots, instance.SnapshotsInput{Resource: web, Request: "a-1"}, nil)
	snapshots.Undo, snapshots.Kept = nil, true
	p := dera.Plan{Partition: "aws", Account: account, Region: region, Resource: instance.Type().ARN("aws", account, region, web), Type: instance.Name, Changes: []dera.Change{snapshots, groups, stop}}
	for _, c := range p.Changes {
		if err := w.DryRun(t.Context(), p, resource.Of(c)); err != nil {
			t.Errorf("dry run of %s: %v", c.Operation, err)
		}
		ops := []resource.Operation{resource.Of(c)}
		if c.Undo != nil {
			undo, err := resource.OfUndo(*c.Undo, nil)
			if err != nil {
				t.Fatal(err)
			}
			ops = append(ops, undo)
		}
		for _, op := range ops {
			if _, err := w.Do(t.Context(), p, op, cloudtest.Allow); err != nil {
				t.Errorf("%s: %v", op.Name, err)
			}
		}
	}
	if f := w.Sent("CreateSnapshots")[1].Form; f.Get("InstanceSpecification.InstanceId") != web || f.Get("Description") != "dera contain a-1" {
		t.Errorf("snapshots: got %v", f)
	}
	sent := w.Sent("ModifyNetworkInterfaceAttribute")
	if on, off := sent[1].Form, sent[2].Form; on.Get("SecurityGroupId.1") != "sg-9" || on.Has("SecurityGroupId.2") || off.Get("SecurityGroupId.1") != "sg-1" || off.Get("SecurityGroupId.2") != "sg-2" || off.Get("NetworkInterfaceId") != "eni-1" {
		t.Errorf("groups: got %v and %v", on, off)
	}
	if len(w.Sent("StopInstances")) != 2 || len(w.Sent("StartInstances")) != 1 || w.Sent("StartInstances")[0].Form.Get("InstanceId.1") != web {
		t.Errorf("stop: got %d, start: %v", len(w.Sent("StopInstances")), w.Sent("StartInstances"))
	}
}
