package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
)

// containWorld is an account of moto with an instance, and an isolation group without rules.
type containWorld struct {
	*motoWorld
	api          *ec2.Client
	id, group    string
	first, other moto.Credentials
}

func newContainWorld(t *testing.T) *containWorld {
	t.Helper()
	w := &containWorld{motoWorld: newSettingWorld(t, moto.Start(t, moto.Config{}), "ec2-instance-contain-*")}
	w.first = w.creds
	w.api = ec2.New(ec2.Options{Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()), Credentials: credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken)})
	out, err := w.api.RunInstances(t.Context(), &ec2.RunInstancesInput{ImageId: aws.String("ami-12c6146b"), InstanceType: types.InstanceTypeM5Large, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		// Of an address that AWS assigns moto says that the account owns it.
		NetworkInterfaces: []types.InstanceNetworkInterfaceSpecification{{DeviceIndex: aws.Int32(0), AssociatePublicIpAddress: aws.Bool(false)}}})
	if err != nil {
		t.Fatal(err)
	}
	w.id = *out.Instances[0].InstanceId
	group, err := w.api.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{GroupName: aws.String("dera-isolation"), Description: aws.String("nothing"), VpcId: out.Instances[0].VpcId})
	if err != nil {
		t.Fatal(err)
	}
	w.group = *group.GroupId
	if _, err := w.api.RevokeSecurityGroupEgress(t.Context(), &ec2.RevokeSecurityGroupEgressInput{GroupId: group.GroupId,
		IpPermissions: []types.IpPermission{{IpProtocol: aws.String("-1"), IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.server.AddRole(t.Context(), w.creds, "approver", "sts:GetCallerIdentity"); err != nil {
		t.Fatal(err)
	}
	if w.other, err = w.server.AssumeRole(t.Context(), w.creds.Account, "approver"); err != nil {
		t.Fatal(err)
	}
	w.scan(exitGood, "--mode", "observe", "--no-exemptions")
	return w
}

// contain asks for the instance to be contained.
func (w *containWorld) contain(how string, want int) app.AccessView {
	w.t.Helper()
	out, errOut, code := w.dera("contain", w.id, "--how", how, "--reason", "it mines coins", "--region", "us-east-1", "--output", "json")
	var v app.AccessView
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != want {
		w.t.Fatalf("contain: got exit code %d, %v\n%s%s", code, err, out, errOut)
	}
	return v
}

// grant is refused to who asked, and carried out for another person.
func (w *containWorld) grant(v app.AccessView) {
	w.t.Helper()
	if _, errOut, code := w.dera("access", "grant", v.Access.ID, "--digest", v.Digest); code != exitNo || !strings.Contains(errOut, "another person has to grant it") {
		w.t.Errorf("who asked grants: got exit code %d, %s", code, errOut)
	}
	w.use(w.other)
	if out, errOut, code := w.dera("access", "grant", v.Access.ID, "--digest", v.Digest); code != exitGood {
		w.t.Fatalf("grant: got exit code %d\n%s%s", code, out, errOut)
	}
	w.use(w.first)
}

func (w *containWorld) instance() (groups []string, state types.InstanceStateName) {
	w.t.Helper()
	out, err := w.api.DescribeInstances(w.t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{w.id}})
	if err != nil || len(out.Reservations) != 1 {
		w.t.Fatalf("got %+v, %v", out, err)
	}
	i := out.Reservations[0].Instances[0]
	for _, g := range i.NetworkInterfaces[0].Groups {
		groups = append(groups, *g.GroupId)
	}
	return groups, i.State.Name
}

// setGroups gives the interface of the instance other groups, as somebody else does.
func (w *containWorld) setGroups(groups []string) {
	w.t.Helper()
	out, err := w.api.DescribeInstances(w.t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{w.id}})
	if err != nil {
		w.t.Fatal(err)
	}
	id := out.Reservations[0].Instances[0].NetworkInterfaces[0].NetworkInterfaceId
	if _, err := w.api.ModifyNetworkInterfaceAttribute(w.t.Context(), &ec2.ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: id, Groups: groups}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *containWorld) snapshots() (n int) {
	w.t.Helper()
	out, err := w.api.DescribeSnapshots(w.t.Context(), &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range out.Snapshots {
		if strings.HasPrefix(aws.ToString(s.Description), "dera contain ") {
			n++
		}
	}
	return n
}

// TestMotoQuarantine: another person grants it; the snapshots come first and are kept, and the
// rollback brings the groups back.
func TestMotoQuarantine(t *testing.T) {
	w := newContainWorld(t)
	before, _ := w.instance()
	v := w.contain("quarantine", exitGood)
	if now, _ := w.instance(); !slices.Equal(now, before) || w.snapshots() != 0 || len(v.Diff) != 3 || !strings.HasPrefix(v.Diff[0], "+ snapshot of ") {
		t.Fatalf("asked: got %v, %d snapshots and the plan %q", now, w.snapshots(), v.Diff)
	}
	if _, errOut, code := w.dera("contain", w.id, "--how", "quarantine", "--reason", "again", "--region", "us-east-1"); code != exitNo || !strings.Contains(errOut, "already") {
		t.Errorf("asked twice: got exit code %d, %s", code, errOut)
	}
	w.grant(v)
	if now, _ := w.instance(); !slices.Equal(now, []string{w.group}) || w.snapshots() != 1 {
		t.Errorf("granted: got %v and %d snapshots, want the isolation group alone, and one", now, w.snapshots())
	}
	w.setGroups(before)
	key := "undone/" + v.Access.ID
	if got := findingsOf(w.scan(exitNo, "--mode", "observe", "--no-exemptions"), w.id); !slices.Contains(got, finding{key, "ec2-instance-contain-request", "alert", "open"}) {
		t.Errorf("undone by somebody: got %v", got)
	}
	again := w.contain("quarantine", exitGood)
	if out, errOut, code := w.dera("access", "deny", again.Access.ID, "--reason", "it is a test"); code != exitGood {
		t.Errorf("deny: got exit code %d\n%s%s", code, out, errOut)
	}
	w.setGroups([]string{w.group})
	w.scan(exitGood, "--mode", "observe", "--no-exemptions")
	w.rollBackAll()
	if now, _ := w.instance(); !slices.Equal(now, before) || w.snapshots() != 1 {
		t.Errorf("rolled back: got %v and %d snapshots, want %v, and the snapshot kept", now, w.snapshots(), before)
	}
	if out, _, code := w.dera("audit", "verify"); code != exitGood {
		t.Errorf("audit verify: got exit code %d\n%s", code, out)
	}
}

// TestMotoStop: the instance is stopped once another person granted it, and runs again after
// the rollback; what is denied stays as it is.
func TestMotoStop(t *testing.T) {
	w := newContainWorld(t)
	v := w.contain("stop", exitGood)
	w.grant(v)
	if _, state := w.instance(); state != types.InstanceStateNameStopped {
		t.Errorf("granted: got %s", state)
	}
	w.rollBackAll()
	if _, state := w.instance(); state != types.InstanceStateNameRunning {
		t.Errorf("rolled back: got %s", state)
	}
	v = w.contain("stop", exitGood)
	if out, errOut, code := w.dera("access", "deny", v.Access.ID, "--reason", "it is a test"); code != exitGood {
		t.Errorf("deny: got exit code %d\n%s%s", code, out, errOut)
	}
	if _, state := w.instance(); state != types.InstanceStateNameRunning {
		t.Errorf("denied: got %s", state)
	}
	out, _, _ := w.dera("access", "list")
	if !strings.Contains(out, "denied") {
		t.Errorf("list: got\n%s", out)
	}
}
