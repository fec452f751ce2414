package wire

import (
	"encoding/json"
	"net/netip"
	"testing"

	"dera.example/dera/services/ec2/securitygroup"

	"dera.example/dera"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
)

// What is authorized again is the rule as it was, in each of its forms.
func TestAuthorizeWritesTheRuleBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	own := f.group(t, "own")
	list, err := f.Home.CreatePrefixList(t.Context(), "offices", 10, "203.0.113.0/24")
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]securitygroup.Rule{
		"tcp":          {Protocol: "tcp", From: 22, To: 23, CIDR: netip.MustParsePrefix("0.0.0.0/0"), Description: "a (b)", Tags: map[string]string{"team": "x", "env": "lab"}},
		"udp_v6":       {Protocol: "udp", From: 53, To: 53, CIDR: netip.MustParsePrefix("2001:db8::/32")},
		"all":          {Protocol: "-1", From: -1, To: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")},
		"icmp":         {Protocol: "icmp", From: 8, To: -1, CIDR: netip.MustParsePrefix("10.0.0.0/8")},
		"icmpv6":       {Protocol: "icmpv6", From: -1, To: -1, CIDR: netip.MustParsePrefix("::/0")},
		"esp":          {Protocol: "50", From: -1, To: -1, CIDR: netip.MustParsePrefix("10.0.0.0/8")},
		"group":        {Protocol: "tcp", From: 1, To: 2, Group: &securitygroup.GroupRef{ID: own}, Description: "peers"},
		"prefix_list":  {Protocol: "tcp", From: 1, To: 2, PrefixList: &securitygroup.PrefixList{ID: list}, Description: "offices"},
		"ports_0":      {Protocol: "tcp", From: 0, To: 0, CIDR: netip.MustParsePrefix("10.0.0.0/8")},
		"zero_to_most": {Protocol: "tcp", From: 0, To: 65535, CIDR: netip.MustParsePrefix("10.0.0.0/8")},
	}
	for name, want := range rules {
		id := f.group(t, name)
		input, err := json.Marshal(securitygroup.AuthorizeIngressInput{GroupID: id, Rule: want})
		if err != nil {
			t.Fatal(err)
		}
		p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: securitygroup.Name}
		if _, err := f.Do(t.Context(), p, resource.Operation{Name: securitygroup.AuthorizeIngress, Version: 1, Input: input}, cloudtest.Allow); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := f.one(t, id).Ingress
		if len(got) != 1 || !got[0].SamePermission(want) || got[0].Description != want.Description || len(got[0].Tags) != len(want.Tags) || got[0].Tags["team"] != want.Tags["team"] {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}
