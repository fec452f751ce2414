package main

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/awssim/moto"
)

// TestMotoHouseOfAGroup: what a group is attached to, what its VPC is and where its
// routes lead are read from another simulated AWS than ours.
func TestMotoHouseOfAGroup(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	w := newMotoWorld(t, server)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	open := perm("tcp", 22, 22, "0.0.0.0/0", "")
	bastion, plain, alone := w.group("launch-wizard-1", open), w.group("launch-wizard-2", open), w.group("launch-wizard-3", open)
	for group, name := range map[string]string{bastion: "bastion-host", plain: "web-1"} {
		_, err := w.api.RunInstances(ctx, &ec2.RunInstancesInput{
			ImageId: aws.String("ami-12c6146b"), MinCount: aws.Int32(1), MaxCount: aws.Int32(1), SecurityGroupIds: []string{group},
			TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{{Key: aws.String("Name"), Value: &name}}}},
		})
		must(err)
	}
	// A peered network with public addresses, and a public range of the VPC's own.
	other, err := w.api.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("203.0.113.0/24")})
	must(err)
	peering, err := w.api.CreateVpcPeeringConnection(ctx, &ec2.CreateVpcPeeringConnectionInput{VpcId: &w.vpc, PeerVpcId: other.Vpc.VpcId})
	must(err)
	_, err = w.api.AcceptVpcPeeringConnection(ctx, &ec2.AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: peering.VpcPeeringConnection.VpcPeeringConnectionId})
	must(err)
	tables, err := w.api.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{w.vpc}}}})
	must(err)
	_, err = w.api.CreateRoute(ctx, &ec2.CreateRouteInput{
		RouteTableId: tables.RouteTables[0].RouteTableId, DestinationCidrBlock: aws.String("203.0.113.0/24"), VpcPeeringConnectionId: peering.VpcPeeringConnection.VpcPeeringConnectionId,
	})
	must(err)
	_, err = w.api.AssociateVpcCidrBlock(ctx, &ec2.AssociateVpcCidrBlockInput{VpcId: &w.vpc, CidrBlock: aws.String("198.51.100.0/24")})
	must(err)
	w.emptyDefaults()

	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	if got, want := findingsOf(r, bastion), []finding{{"tcp/22", "ec2-securitygroup-admin-ports-open", "review", "open"}}; !slices.Equal(got, want) {
		t.Errorf("on a bastion: got %v, want %v", got, want)
	}
	after := inside("tcp 22-22 %s", "tcp 22-22 198.51.100.0/24", "tcp 22-22 203.0.113.0/24")
	for name, group := range map[string]string{"on a web server": plain, "on nothing": alone} {
		if got, want := findingsOf(r, group), []finding{{"tcp/22", "ec2-securitygroup-admin-ports-open", "auto", "resolved"}}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
		if got := w.inbound(group); !slices.Equal(got, after) {
			t.Errorf("%s: got the rules %q, want %q", name, got, after)
		}
	}
	for _, f := range r.Findings {
		if want := map[string]string{plain: "critical", alone: "high"}[f.Resource.Name()]; want != "" && f.Severity.String() != want {
			t.Errorf("severity of %s: got %s, want %s", f.Resource.Name(), f.Severity, want)
		}
	}
	// What is kept is no finding at the next look.
	again := w.scan(exitNo, "--mode", "enforce", "--no-exemptions")
	for _, f := range again.Findings {
		if n := f.Resource.Name(); (n == plain || n == alone) && f.State != "resolved" {
			t.Errorf("the next look: got %s of %s, want none", f.Key, n)
		}
	}
}
