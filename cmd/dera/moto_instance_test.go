package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchschemas "github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go/transport/http/protocol/awsquery"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
)

// keeping sends requests on to moto. Of the metadata options AWS keeps what a request leaves
// out (API reference, ModifyInstanceMetadataOptions), and moto sets it to nothing: so it is
// filled in as it was set before.
func keeping(t *testing.T, server *moto.Server, kept map[string]string) string {
	t.Helper()
	to, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		form, _ := url.ParseQuery(string(body))
		if form.Get("DryRun") == "true" && slices.Contains([]string{"ModifyInstanceMetadataOptions", "CreateNetworkAclEntry", "DeleteNetworkAclEntry"}, form.Get("Action")) {
			w.WriteHeader(http.StatusPreconditionFailed) // moto carries it out
			_, _ = io.WriteString(w, `<Response><Errors><Error><Code>DryRunOperation</Code><Message>it would</Message></Error></Errors></Response>`)
			return
		}
		if form.Get("Action") == "ModifyInstanceMetadataOptions" {
			for k, v := range kept {
				if !form.Has(k) {
					form.Set(k, v)
				}
			}
			body = []byte(form.Encode())
			r.ContentLength = int64(len(body))
			r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestMotoIMDS: an instance on which nothing asked without a token needs one after the fix,
// with its hop limit and endpoint as they were, and none after the rollback. Of one of which
// CloudWatch says nothing a person decides.
func TestMotoIMDS(t *testing.T) {
	w := newSettingWorld(t, moto.Start(t, moto.Config{}), "ec2-instance-imdsv1-*")
	creds := credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken)
	api := ec2.New(ec2.Options{Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()), Credentials: creds})
	counts := cloudwatch.New(cloudwatch.Options{Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()), Credentials: creds}, func(o *cloudwatch.Options) {
		o.Protocol = awsquery.New(cloudwatchschemas.GraniteServiceVersion20100801)
	})
	t.Setenv("AWS_ENDPOINT_URL", keeping(t, w.server, map[string]string{"HttpPutResponseHopLimit": "2", "HttpEndpoint": "enabled", "HttpProtocolIpv6": "disabled", "InstanceMetadataTags": "disabled"}))
	out, err := api.RunInstances(t.Context(), &ec2.RunInstancesInput{ImageId: aws.String("ami-12c6146b"), MinCount: aws.Int32(2), MaxCount: aws.Int32(2),
		MetadataOptions: &types.InstanceMetadataOptionsRequest{HttpTokens: types.HttpTokensStateOptional, HttpEndpoint: types.InstanceMetadataEndpointStateEnabled, HttpPutResponseHopLimit: aws.Int32(2)}})
	if err != nil {
		t.Fatal(err)
	}
	quiet, silent := *out.Instances[0].InstanceId, *out.Instances[1].InstanceId
	in := &cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/EC2")}
	for h := range 14*24 + 3 {
		at := time.Now().Add(-time.Duration(h) * time.Hour)
		in.MetricData = append(in.MetricData, cloudwatchtypes.MetricDatum{MetricName: aws.String("MetadataNoToken"), Value: aws.Float64(0), Timestamp: &at,
			Dimensions: []cloudwatchtypes.Dimension{{Name: aws.String("InstanceId"), Value: &quiet}}})
	}
	if _, err := counts.PutMetricData(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	options := func(id string) types.InstanceMetadataOptionsResponse {
		t.Helper()
		out, err := api.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		if err != nil || len(out.Reservations) != 1 {
			t.Fatalf("got %+v, %v", out, err)
		}
		return *out.Reservations[0].Instances[0].MetadataOptions
	}
	before := options(quiet)
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	for id, want := range map[string]finding{
		quiet:  {"http_tokens", "ec2-instance-imdsv1-allowed", "auto", "resolved"},
		silent: {"http_tokens", "ec2-instance-imdsv1-allowed", "review", "open"},
	} {
		if got := findingsOf(r, id); len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %v, want %v", id, got, want)
		}
	}
	after := options(quiet)
	if after.HttpTokens != types.HttpTokensStateRequired || *after.HttpPutResponseHopLimit != *before.HttpPutResponseHopLimit || after.HttpEndpoint != before.HttpEndpoint || options(silent).HttpTokens != types.HttpTokensStateOptional {
		t.Errorf("after the fix: got %+v and %+v", after, options(silent))
	}
	w.rollBackAll()
	if now := options(quiet); now.HttpTokens != types.HttpTokensStateOptional {
		t.Errorf("after the rollback: got %+v", now)
	}
	if again := w.scan(exitNo, "--mode", "observe", "--no-exemptions"); openOf(again) != 2 {
		t.Errorf("after the rollback: got %+v, want both to be found", again.Findings)
	}
	if out, _, code := w.dera("audit", "verify"); code != exitGood {
		t.Errorf("audit verify: got exit code %d\n%s", code, out)
	}
}

// TestMotoElasticAddress: after a person approved, an Elastic IP address is taken off, stays
// allocated, and is back after the rollback.
func TestMotoElasticAddress(t *testing.T) {
	w := newSettingWorld(t, moto.Start(t, moto.Config{}), "ec2-instance-public-*")
	api := ec2.New(ec2.Options{Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()), Credentials: credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken)})
	out, err := api.RunInstances(t.Context(), &ec2.RunInstancesInput{ImageId: aws.String("ami-12c6146b"), MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		NetworkInterfaces: []types.InstanceNetworkInterfaceSpecification{{DeviceIndex: aws.Int32(0), AssociatePublicIpAddress: aws.Bool(false)}}})
	if err != nil {
		t.Fatal(err)
	}
	id := *out.Instances[0].InstanceId
	address, err := api.AllocateAddress(t.Context(), &ec2.AllocateAddressInput{Domain: types.DomainTypeVpc})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.AssociateAddress(t.Context(), &ec2.AssociateAddressInput{AllocationId: address.AllocationId, NetworkInterfaceId: out.Instances[0].NetworkInterfaces[0].NetworkInterfaceId}); err != nil {
		t.Fatal(err)
	}
	where := func() string {
		t.Helper()
		out, err := api.DescribeAddresses(t.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{*address.AllocationId}})
		if err != nil || len(out.Addresses) != 1 {
			t.Fatalf("got %+v, %v", out, err)
		}
		return aws.ToString(out.Addresses[0].NetworkInterfaceId)
	}
	before := where()
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	if got := findingsOf(r, id); len(got) != 1 || got[0] != (finding{"elastic-address", "ec2-instance-public-address", "review", "open"}) || where() != before {
		t.Fatalf("got %v, and the address on %q", got, where())
	}
	w.approveAll(r, id)
	if where() != "" {
		t.Errorf("after the approval: got it on %s", where())
	}
	w.rollBackAll()
	if where() != before {
		t.Errorf("after the rollback: got it on %q, want %q", where(), before)
	}
}

// TestMotoSubnet: a subnet without a way to an internet gateway stops giving public addresses,
// and gives them again after the rollback; one with such a way waits for a person.
func TestMotoSubnet(t *testing.T) {
	w := newSettingWorld(t, moto.Start(t, moto.Config{}), "ec2-subnet-*")
	api := ec2.New(ec2.Options{Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()), Credentials: credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken)})
	make := func(cidr string, gateway bool) string {
		t.Helper()
		vpc, err := api.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String(cidr)})
		if err != nil {
			t.Fatal(err)
		}
		subnet, err := api.CreateSubnet(t.Context(), &ec2.CreateSubnetInput{VpcId: vpc.Vpc.VpcId, CidrBlock: aws.String(cidr)})
		if err != nil {
			t.Fatal(err)
		}
		if gateway {
			igw, err := api.CreateInternetGateway(t.Context(), &ec2.CreateInternetGatewayInput{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := api.AttachInternetGateway(t.Context(), &ec2.AttachInternetGatewayInput{InternetGatewayId: igw.InternetGateway.InternetGatewayId, VpcId: vpc.Vpc.VpcId}); err != nil {
				t.Fatal(err)
			}
			tables, err := api.DescribeRouteTables(t.Context(), &ec2.DescribeRouteTablesInput{Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{*vpc.Vpc.VpcId}}}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := api.CreateRoute(t.Context(), &ec2.CreateRouteInput{RouteTableId: tables.RouteTables[0].RouteTableId, DestinationCidrBlock: aws.String("0.0.0.0/0"), GatewayId: igw.InternetGateway.InternetGatewayId}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := api.ModifySubnetAttribute(t.Context(), &ec2.ModifySubnetAttributeInput{SubnetId: subnet.Subnet.SubnetId, MapPublicIpOnLaunch: &types.AttributeBooleanValue{Value: aws.Bool(true)}}); err != nil {
			t.Fatal(err)
		}
		return *subnet.Subnet.SubnetId
	}
	maps := func(id string) bool {
		t.Helper()
		out, err := api.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{SubnetIds: []string{id}})
		if err != nil || len(out.Subnets) != 1 {
			t.Fatalf("got %+v, %v", out, err)
		}
		return *out.Subnets[0].MapPublicIpOnLaunch
	}
	private := make("10.1.0.0/24", false)
	w.settingLoop(finding{"map_public_ip_on_launch", "ec2-subnet-auto-public-address", "auto", "resolved"}, private, func() bool { return !maps(private) })
	public := make("10.2.0.0/24", true)
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	if got := findingsOf(r, public); len(got) != 1 || got[0] != (finding{"map_public_ip_on_launch", "ec2-subnet-auto-public-address", "review", "open"}) || !maps(public) {
		t.Errorf("with a way to the internet: got %v, and %t", got, maps(public))
	}
}

// TestMotoNetworkACL: after a person approved, an entry for SSH from the internet makes way for
// private networks, and is back after the rollback; default network ACLs are reported.
func TestMotoNetworkACL(t *testing.T) {
	w := newSettingWorld(t, moto.Start(t, moto.Config{}), "ec2-networkacl-*")
	t.Setenv("AWS_ENDPOINT_URL", keeping(t, w.server, nil))
	api := ec2.New(ec2.Options{Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()), Credentials: credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken)})
	vpc, err := api.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.3.0.0/24")})
	if err != nil {
		t.Fatal(err)
	}
	acl, err := api.CreateNetworkAcl(t.Context(), &ec2.CreateNetworkAclInput{VpcId: vpc.Vpc.VpcId})
	if err != nil {
		t.Fatal(err)
	}
	id := *acl.NetworkAcl.NetworkAclId
	if _, err := api.CreateNetworkAclEntry(t.Context(), &ec2.CreateNetworkAclEntryInput{NetworkAclId: &id, Egress: aws.Bool(false), RuleNumber: aws.Int32(100), RuleAction: types.RuleActionAllow,
		Protocol: aws.String("6"), PortRange: &types.PortRange{From: aws.Int32(22), To: aws.Int32(22)}, CidrBlock: aws.String("0.0.0.0/0")}); err != nil {
		t.Fatal(err)
	}
	entries := func() (out []string) {
		t.Helper()
		got, err := api.DescribeNetworkAcls(t.Context(), &ec2.DescribeNetworkAclsInput{NetworkAclIds: []string{id}})
		if err != nil || len(got.NetworkAcls) != 1 {
			t.Fatalf("got %+v, %v", got, err)
		}
		for _, e := range got.NetworkAcls[0].Entries {
			if !*e.Egress && *e.RuleNumber < 32767 {
				out = append(out, strconv.Itoa(int(*e.RuleNumber))+" "+aws.ToString(e.CidrBlock))
			}
		}
		slices.Sort(out)
		return out
	}
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	alerts := 0
	for _, f := range r.Findings {
		if f.Key == "all" && f.Disposition == dera.Alert {
			alerts++
		}
	}
	if got := findingsOf(r, id); len(got) != 1 || got[0] != (finding{"tcp/22", "ec2-networkacl-admin-ports-open", "review", "open"}) || alerts == 0 {
		t.Fatalf("got %v, and %d alerts, want the entry to wait and default network ACLs to be told", got, alerts)
	}
	w.approveAll(r, id)
	if got, want := entries(), []string{"101 10.0.0.0/8", "102 100.64.0.0/10", "103 172.16.0.0/12", "104 192.168.0.0/16"}; !slices.Equal(got, want) {
		t.Errorf("after the approval: got %v, want %v", got, want)
	}
	w.rollBackAll()
	if got := entries(); !slices.Equal(got, []string{"100 0.0.0.0/0"}) {
		t.Errorf("after the rollback: got %v", got)
	}
}
