package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/services/ec2/vpc"
	"dera.example/dera/services/ec2/vpc/wire"
)

type m = map[string]any

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: vpc.Name, IDs: ids}
}

// TestRead: VPCs of others are left out; one call reads the flow logs of all, and only a VPC
// without one that delivers is asked what is attached to it. What could not be read is not
// known.
func TestRead(t *testing.T) {
	t.Parallel()
	owned := func(id, owner string) m { return m{"VpcId": id, "OwnerId": owner, "IsDefault": false} }
	flow := func(of, traffic, status string) m {
		return m{"FlowLogId": "fl-" + of, "ResourceId": of, "TrafficType": traffic, "FlowLogStatus": "ACTIVE", "DeliverLogsStatus": status, "DeliverLogsErrorMessage": "Access error", "LogDestination": "arn:aws:s3:::flows"}
	}
	good := vpc.VPC{ID: "vpc-1", Flows: []vpc.Flow{{ID: "fl-vpc-1", Traffic: "ALL", Active: true, To: "arn:aws:s3:::flows"}}}
	broken := vpc.VPC{ID: "vpc-2", Interfaces: new(true), Flows: []vpc.Flow{{ID: "fl-vpc-2", Traffic: "ALL", Active: true, Failed: "Access error", To: "arn:aws:s3:::flows"}}}
	all := map[string][]moto.Answer{
		"DescribeVpcs":     {{Output: m{"Vpcs": []m{owned("vpc-1", cloudtest.Hub), owned("vpc-2", cloudtest.Hub), owned("vpc-3", cloudtest.Member)}}}},
		"DescribeFlowLogs": {{Output: m{"FlowLogs": []m{flow("vpc-1", "ALL", "SUCCESS"), flow("vpc-2", "ALL", "FAILED")}}}},
		"DescribeNetworkInterfaces": {{When: m{"NextToken": "2"}, Output: m{"NetworkInterfaces": []m{{"NetworkInterfaceId": "eni-1"}}}},
			{Output: m{"NetworkInterfaces": []m{}, "NextToken": "2"}}},
	}
	stub := moto.StartStub(t)
	for name, tc := range map[string]struct {
		call    string
		says    moto.Answer
		ids     []string
		want    []vpc.VPC
		missing string
		problem string
	}{
		"all":              {"", moto.Answer{}, nil, []vpc.VPC{good, broken}, "", ""},
		"by_id":            {"", moto.Answer{}, []string{"vpc-1", "vpc-2", "vpc-9"}, []vpc.VPC{good, broken}, "vpc-9", ""},
		"of_another":       {"DescribeVpcs", moto.Answer{Output: m{"Vpcs": []m{owned("vpc-3", cloudtest.Member)}}}, []string{"vpc-3"}, nil, "vpc-3", ""},
		"flows_denied":     {"DescribeFlowLogs", moto.Answer{Error: "UnauthorizedOperation"}, nil, []vpc.VPC{{ID: "vpc-1"}, {ID: "vpc-2"}}, "", ""},
		"nothing_attached": {"DescribeNetworkInterfaces", moto.Answer{Output: m{"NetworkInterfaces": []m{}}}, nil, []vpc.VPC{good, {ID: "vpc-2", Interfaces: new(false), Flows: broken.Flows}}, "", ""},
		"use_denied":       {"DescribeNetworkInterfaces", moto.Answer{Error: "UnauthorizedOperation"}, nil, []vpc.VPC{{ID: "vpc-1"}, {ID: "vpc-2"}}, "", ""},
		"flows_of_others":  {"DescribeFlowLogs", moto.Answer{Output: m{"FlowLogs": []m{flow("vpc-9", "ALL", "SUCCESS")}}}, nil, nil, "", "not asked for"},
		"denied":           {"DescribeVpcs", moto.Answer{Error: "UnauthorizedOperation"}, nil, nil, "", "UnauthorizedOperation"},
		"without_owner":    {"DescribeVpcs", moto.Answer{Output: m{"Vpcs": []m{{"VpcId": "vpc-1"}}}}, nil, nil, "", "whose the VPC"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := stub.World(t)
			for call, answers := range all {
				if call == tc.call {
					answers = []moto.Answer{tc.says}
				}
				w.On("ec2", call, answers...)
			}
			page, err := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil).Read(t.Context(), scope(tc.ids...), false)
			if tc.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tc.problem) {
					t.Errorf("got %+v, %v, want an error of %s", page, err, tc.problem)
				}
				return
			}
			if err != nil || strings.Join(page.Missing, " ") != tc.missing {
				t.Fatalf("got %+v, %v", page, err)
			}
			var got []vpc.VPC
			for _, x := range page.Resources {
				got = append(got, *x.Config.(*vpc.VPC))
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if n := len(w.Calls("DescribeFlowLogs")); tc.want != nil && n != 1 && tc.call != "DescribeFlowLogs" {
				t.Errorf("got %d calls for flow logs, want one for all", n)
			}
		})
	}
}
