package wire

import (
	"testing"

	"dera.example/dera/services/ec2/securitygroup"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
)

type fixture struct{ *cloudtest.Fixture }

func newFixture(t *testing.T, set func(*cloud.Config)) fixture {
	t.Helper()
	return fixture{cloudtest.New(t, []cloud.Wire{Wire()}, set)}
}

func scopeOf(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: securitygroup.Name, IDs: ids}
}

func (f fixture) group(t *testing.T, name string, rules ...awssim.Rule) string {
	t.Helper()
	id, err := f.Home.CreateSecurityGroup(t.Context(), name, rules...)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// authorize adds permissions as the SDK writes them, whatever their form.
func (f fixture) authorize(t *testing.T, id string, perms ...types.IpPermission) {
	t.Helper()
	api := ec2.New(ec2.Options{
		Region: cloudtest.East, HTTPClient: f.Cloud.HTTPClient(), BaseEndpoint: aws.String("https://aws.sim"),
		Credentials: cloudtest.Static(f.Cloud.Account(cloudtest.Hub).Credentials()),
	})
	if _, err := api.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &id, IpPermissions: perms}); err != nil {
		t.Fatal(err)
	}
}

func ssh() awssim.Rule {
	return awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"}
}

// one reads one group.
func (f fixture) one(t *testing.T, id string) *securitygroup.Group {
	t.Helper()
	page, err := f.Read(t.Context(), scopeOf(id), true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("read %s: got %+v, %v", id, page, err)
	}
	return page.Resources[0].Config.(*securitygroup.Group)
}
