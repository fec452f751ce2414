package guardduty_test

import (
	"testing"

	"dera.example/dera/resource"
	"dera.example/dera/services/guardduty"
)

// TestAnswers: what dera does about a finding, by its type and by what it is about.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		threat     resource.Threat
		control    string
		unanswered bool
	}{
		"key_of_a_user":          {resource.Threat{Type: "UnauthorizedAccess:IAMUser/TorIPCaller", UserType: "IAMUser", Key: "AKIA2222BBBB3333CCCC", Severity: 5}, "iam-accesskey-reported", false},
		"session_of_a_user":      {resource.Threat{Type: "UnauthorizedAccess:IAMUser/TorIPCaller", UserType: "IAMUser", Key: "ASIA2222BBBB3333CCCC", Severity: 5}, guardduty.Alone, true},
		"session_of_a_role":      {resource.Threat{Type: "Discovery:IAMUser/AnomalousBehavior", UserType: "AssumedRole", Key: "ASIA2222BBBB3333CCCC", Severity: 2}, guardduty.Alone, true},
		"stolen_from_instance":   {resource.Threat{Type: "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS", UserType: "AssumedRole", Key: "ASIA2222BBBB3333CCCC", Severity: 8}, "iam-role-reported", false},
		"stolen_of_nobody_known": {resource.Threat{Type: "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS", Severity: 8}, guardduty.Alone, true},
		"root":                   {resource.Threat{Type: "Policy:IAMUser/RootCredentialUsage", UserType: "Root", Severity: 2}, "iam-root-used", false},
		"trail_stopped":          {resource.Threat{Type: "Stealth:IAMUser/CloudTrailLoggingDisabled", UserType: "IAMUser", Key: "AKIA2222BBBB3333CCCC", Severity: 2}, "cloudtrail-trail-logging-stopped", false},
		"flow_logs_deleted":      {resource.Threat{Type: "DefenseImpairment:EC2/DisableOrModifyTools", Severity: 5}, "cloudtrail-trail-logging-stopped", false},
		"bucket_public":          {resource.Threat{Type: "Policy:S3/BucketAnonymousAccessGranted", Severity: 8}, "s3-account-access-block", true},
		"port_probed":            {resource.Threat{Type: "Recon:EC2/PortProbeUnprotectedPort", Kind: "Instance", Severity: 2}, "ec2-securitygroup-admin-ports-open", false},
		"attacked_by_ssh":        {resource.Threat{Type: "UnauthorizedAccess:EC2/SSHBruteForce", Kind: "Instance", Severity: 2}, "ec2-securitygroup-admin-ports-open", false},
		"attacks_by_ssh":         {resource.Threat{Type: "UnauthorizedAccess:EC2/SSHBruteForce", Kind: "Instance", Severity: 8}, "ec2-securitygroup-admin-ports-open", true},
		"mines":                  {resource.Threat{Type: "CryptoCurrency:EC2/BitcoinTool.B!DNS", Kind: "Instance", Severity: 8}, "ec2-instance-reported", false},
		"runs_on_an_instance":    {resource.Threat{Type: "Execution:Runtime/ReverseShell", Kind: "Instance", Severity: 8}, "ec2-instance-reported", false},
		"runs_in_a_cluster":      {resource.Threat{Type: "Execution:Runtime/ReverseShell", Kind: "EKSCluster", Severity: 8}, guardduty.Alone, true},
		"attack_sequence":        {resource.Threat{Type: "AttackSequence:S3/CompromisedData", Severity: 9}, guardduty.Alone, true},
		"one_that_nobody_knows":  {resource.Threat{Type: "Something:New/Thing"}, guardduty.Alone, true},
		"custom_detection_rules": {resource.Threat{Type: "CredentialAccess:RDS/ModifyAuthenticationProcess", Severity: 5}, guardduty.Alone, true},
	} {
		if got := guardduty.AnswerOf(tc.threat); got.Controls[0] != tc.control || guardduty.Unanswered(tc.threat) != tc.unanswered {
			t.Errorf("%s: got %v, unanswered %t, want %s, %t", name, got.Controls, guardduty.Unanswered(tc.threat), tc.control, tc.unanswered)
		}
	}
}
