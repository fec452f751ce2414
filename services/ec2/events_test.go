package ec2_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/cloudtrail"
	"dera.example/dera/services/ec2/instance"
	"dera.example/dera/services/ec2/networkacl"
	"dera.example/dera/services/ec2/subnet"
)

// TestEvents: the calls say by their IDs which resources they are about, in the request or in
// the answer, in whichever shape CloudTrail writes them; those that may be about others too
// give no hint where they name none.
func TestEvents(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		events          cloudtrail.Events
		call            string
		request, answer string
		want            string // the IDs; "all" for a look at all
	}{
		"launched":               {instance.Events(), "RunInstances", `{"instancesSet":{"items":[{"imageId":"ami-1"}]}}`, `{"instancesSet":{"items":[{"instanceId":"i-0b"},{"instanceId":"i-0a"}]}}`, "i-0a i-0b"},
		"launched_in_vain":       {instance.Events(), "RunInstances", `{}`, `null`, ""},
		"metadata":               {instance.Events(), "ModifyInstanceMetadataOptions", `{"ModifyInstanceMetadataOptionsRequest":{"InstanceId":"i-0a","HttpTokens":"optional"}}`, `{}`, "i-0a"},
		"stopped":                {instance.Events(), "StopInstances", `{"instancesSet":{"items":[{"instanceId":"i-0a"}]},"force":false}`, `{}`, "i-0a"},
		"profile":                {instance.Events(), "DisassociateIamInstanceProfile", `{"DisassociateIamInstanceProfileRequest":{"AssociationId":"iip-assoc-1"}}`, `{"DisassociateIamInstanceProfileResponse":{"iamInstanceProfileAssociation":{"instanceId":"i-0a"}}}`, "i-0a"},
		"address_taken_off":      {instance.Events(), "DisassociateAddress", `{"associationId":"eipassoc-1"}`, `{"_return":true}`, "all"},
		"groups_of_an_interface": {instance.Events(), "ModifyNetworkInterfaceAttribute", `{"networkInterfaceId":"eni-1","groupSet":{"items":[{"groupId":"sg-1"}]}}`, `{}`, "all"},
		"interface_that_stays":   {instance.Events(), "ModifyNetworkInterfaceAttribute", `{"networkInterfaceId":"eni-1","attachment":{"attachmentId":"eni-attach-1","deleteOnTermination":true}}`, `{}`, ""},
		"interface_attached":     {instance.Events(), "AttachNetworkInterface", `{"networkInterfaceId":"eni-1","instanceId":"i-0a","deviceIndex":1}`, `{"attachmentId":"eni-attach-1"}`, "i-0a"},
		"tagged":                 {instance.Events(), "CreateTags", `{"resourcesSet":{"items":[{"resourceId":"vol-1"},{"resourceId":"i-0a"}]}}`, `{}`, "i-0a"},
		"tagged_another":         {instance.Events(), "CreateTags", `{"resourcesSet":{"items":[{"resourceId":"vol-1"}]}}`, `{}`, ""},
		"tagged_in_no_shape":     {instance.Events(), "DeleteTags", `{}`, `null`, "all"},
		"of_another_service":     {instance.Events(), "CreateVolume", `{}`, `{"volumeId":"vol-1"}`, ""},
		"subnet":                 {subnet.Type().Events, "ModifySubnetAttribute", `{"subnetId":"subnet-0a","mapPublicIpOnLaunch":{"value":true}}`, `{"_return":true}`, "subnet-0a"},
		"new_subnet":             {subnet.Type().Events, "CreateSubnet", `{"vpcId":"vpc-1"}`, `{"subnet":{"subnetId":"subnet-0b","vpcId":"vpc-1"}}`, "subnet-0b"},
		"default_vpc":            {subnet.Type().Events, "CreateDefaultVpc", `{}`, `{"vpc":{"vpcId":"vpc-1"}}`, "all"},
		"entry":                  {networkacl.Type().Events, "ReplaceNetworkAclEntry", `{"networkAclId":"acl-0a","ruleNumber":100}`, `{"_return":true}`, "acl-0a"},
		"association":            {networkacl.Type().Events, "ReplaceNetworkAclAssociation", `{"associationId":"aclassoc-1","networkAclId":"acl-0b"}`, `{"newAssociationId":"aclassoc-2"}`, "acl-0b"},
		"new_vpc":                {networkacl.Type().Events, "CreateVpc", `{"cidrBlock":"10.0.0.0/16"}`, `{"vpc":{"vpcId":"vpc-1"}}`, "all"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := cloudtrail.Record{Source: "ec2.amazonaws.com", Name: tc.call, Account: "111122223333", Region: "eu-west-1", Partition: "aws", Request: json.RawMessage(tc.request), Response: json.RawMessage(tc.answer)}
			var got []string
			for _, s := range cloudtrail.NewWatch(tc.events).Hints(r) {
				if s.Type != tc.events.Type || s.Region != "eu-west-1" {
					t.Errorf("got the scope %+v", s)
				}
				got = append(got, s.IDs...)
				if s.Sweep() {
					got = append(got, "all")
				}
			}
			slices.Sort(got)
			if strings.Join(got, " ") != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
