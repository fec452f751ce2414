package cloud_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"dera.example/dera/services/ec2/securitygroup"

	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
)

// AWS_ENDPOINT_URL and the standard credential chain are honoured.
func TestEnvironmentIsHonoured(t *testing.T) {
	sim := awssim.New(awssim.Config{Seed: 3})
	id, err := sim.Account(cloudtest.Hub).Region("eu-west-1").CreateSecurityGroup(t.Context(), "web", ssh())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	defer server.Close()
	creds := sim.Account(cloudtest.Hub).Credentials()
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ACCESS_KEY_ID", creds.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", creds.SecretAccessKey)
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	c, err := cloud.New(t.Context(), cloud.Config{Wires: wires(), HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
	if err != nil {
		t.Fatal(err)
	}
	who, err := c.Identity(t.Context())
	if err != nil || who.Account != cloudtest.Hub || c.Region() != "eu-west-1" {
		t.Errorf("got %+v in %s, %v, want account %s in eu-west-1", who, c.Region(), err, cloudtest.Hub)
	}
	scope := scopeOf(id)
	scope.Region = "eu-west-1"
	if page, err := c.Read(t.Context(), scope, true); err != nil || len(page.Resources) != 1 {
		t.Errorf("read: got %+v, %v, want the group", page, err)
	}
	if regions, err := c.Regions(t.Context(), cloudtest.Hub); err != nil || len(regions) != 17 {
		t.Errorf("regions: got %d, %v, want 17", len(regions), err)
	}
	scope.Type = "AWS::Lambda::Function"
	if _, err := c.Read(t.Context(), scope, true); err == nil {
		t.Error("an unknown type: got no error")
	}
	if scope.Type = securitygroup.Name; cloud.PartitionOf(scope) != "aws" {
		t.Error("partitions are wrong")
	}
}
