package instance_test

import (
	"testing"

	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/instance"
)

// TestAnswered: for which of GuardDuty's types an instance is put in quarantine. What is tried
// from outside never does it.
func TestAnswered(t *testing.T) {
	t.Parallel()
	for typ, want := range map[string]bool{
		"CryptoCurrency:EC2/BitcoinTool.B!DNS": true, "Backdoor:EC2/C&CActivity.B": true, "Backdoor:EC2/DenialOfService.Tcp": true, "Trojan:EC2/DNSDataExfiltration": true,
		"CryptoCurrency:Runtime/BitcoinTool.B": true, "Execution:Runtime/ReverseShell": true, "Impact:Runtime/CryptoMinerExecuted": true,
		"UnauthorizedAccess:EC2/SSHBruteForce": false, "UnauthorizedAccess:EC2/RDPBruteForce": false, "Recon:EC2/PortProbeUnprotectedPort": false, "Recon:EC2/Portscan": false,
		"UnauthorizedAccess:EC2/TorRelay": false, "Policy:S3/BucketPublicAccessGranted": false, "AttackSequence:EC2/CompromisedInstanceGroup": false,
	} {
		if got := (resource.Threat{Type: typ}).Is(instance.Answered()); got != want {
			t.Errorf("%s: got %t, want %t", typ, got, want)
		}
	}
	i := &instance.Instance{ID: "i-1"}
	for name, tc := range map[string]struct {
		threat resource.Threat
		want   bool
	}{
		"itself":             {resource.Threat{Instance: "i-1", Kind: "Instance"}, true},
		"another":            {resource.Threat{Instance: "i-2", Kind: "Instance"}, false},
		"a_cluster_on_it":    {resource.Threat{Instance: "i-1", Kind: "EKSCluster"}, false},
		"a_key_of_its_role":  {resource.Threat{Instance: "i-1", Kind: "AccessKey"}, false},
		"an_attack_sequence": {resource.Threat{Kind: "AttackSequence"}, false},
	} {
		if got := i.Is(tc.threat); got != tc.want {
			t.Errorf("%s: got %t, want %t", name, got, tc.want)
		}
	}
}
