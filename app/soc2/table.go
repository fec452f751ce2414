package soc2

import (
	"maps"
	"path"
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
)

// Table says which controls speak to which criteria.
type Table struct {
	Source   string            `json:"source"`
	Criteria []Criterion       `json:"criteria"`
	Renamed  map[string]string `json:"renamed_controls"` // what records of before call a control, and its name now
}

// Criterion is a criterion, about what it is in a few words of our own, and which controls speak to it.
type Criterion struct {
	ID       string   `json:"id"`
	About    string   `json:"about"`
	Controls []string `json:"controls"` // IDs, with * for any part
	Because  string   `json:"because"`
}

// speaks reports whether a control speaks to the criterion.
func (c Criterion) speaks(id string) bool {
	return slices.ContainsFunc(c.Controls, func(pattern string) bool { ok, err := path.Match(pattern, id); return ok && err == nil })
}

// now is the name that a control has now.
func (t Table) now(id string) string {
	if name, ok := t.Renamed[id]; ok {
		return name
	}
	return id
}

// Control is a control of the pack.
type Control struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Type     string   `json:"type"`
	Severity string   `json:"severity"`
	Why      string   `json:"why"`
	Fix      string   `json:"fix"`
	Owner    string   `json:"owner"`
	ReviewBy string   `json:"review_by"`
	Criteria []string `json:"criteria"`
}

// controlsOf are the controls with the criteria to which they speak.
func (t Table) controlsOf(list []control.Control) []Control {
	out := make([]Control, 0, len(list))
	for _, c := range list {
		one := Control{c.ID, c.Title, c.Type, c.Severity.String(), c.Why, c.Fix, c.Owner, c.ReviewBy, []string{}}
		for _, x := range t.Criteria {
			if x.speaks(c.ID) {
				one.Criteria = append(one.Criteria, x.ID)
			}
		}
		out = append(out, one)
	}
	return out
}

// Criteria is the table of dera.
func Criteria() Table {
	return Table{
		Source: "How the maintainers of dera read the Trust Services Criteria of 2017 with the points of focus of 2022 (AICPA, TSP section 100). " +
			"It is no opinion of an auditor: which criteria a control supports, and whether it suffices, the auditor decides.",
		Criteria: criteria(),
		Renamed:  maps.Clone(dera.RenamedControls()),
	}
}

func criteria() []Criterion {
	return []Criterion{
		{"CC6.1", "logical access to information assets is restricted", []string{
			"*-public-policy", "*-external-access", "kms-*", "s3-*", "ssm-*", "rds-*-public", "rds-instance-iam-auth-off", "efs-filesystem-no-policy", "ec2-*block-off",
			"ec2-serialconsole-on", "ec2-*-imdsv1-allowed", "ec2-ebs-default-encryption-off", "iam-passwordpolicy-weak", "iam-*no-*mfa", "iam-root-*", "iam-role-*trust",
		}, "they find who can reach data, keys and administration that nobody authorised"},
		{"CC6.2", "credentials are issued to who is authorised, and removed", []string{
			"iam-accesskey-*", "iam-loginprofile-*", "iam-root-access-keys", "iam-root-certificates", "iam-passwordpolicy-weak", "iam-signin-no-mfa", "iam-role-unused",
			"iam-*-access-request", "rolesanywhere-*", "ec2-instance-profile-missing",
		}, "they find credentials that are old, unused, doubled or without a second factor"},
		{"CC6.3", "access is by role and least privilege, and changed and removed when it is not needed", []string{
			"iam-*-administrator", "iam-*-escalation", "iam-*-unused-permissions", "iam-*-outdated-copy", "iam-user-direct-policies", "iam-role-*trust", "iam-role-open-sessions",
			"iam-*-access-request", "kms-key-external-*", "*-external-access",
		}, "they find permissions beyond what is used or declared"},
		{"CC6.6", "access from outside the boundary is restricted", []string{
			"ec2-securitygroup-*", "ec2-networkacl-*", "ec2-instance-public-address", "ec2-subnet-auto-public-address", "ec2-*block-off", "ec2-*-public", "ec2-serialconsole-on",
			"ec2-*-imdsv1-allowed", "rds-*-public", "*-public-policy", "s3-bucket-public-*", "s3-*-access-*", "ssm-document-public", "ssm-publicsharing-allowed", "accessanalyzer-*",
		}, "they find what the internet, or everybody with an AWS account, can reach"},
		{"CC6.7", "information is transferred and removed by who is authorised, and protected on its way", []string{
			"s3-bucket-*", "*-external-access", "ec2-snapshot*", "ec2-image*", "rds-*snapshot-*", "backup-vault-*", "glacier-vault-*", "events-bus-*", "sns-topic-*", "sqs-queue-*",
		}, "they find copies that others can take, and connections without encryption"},
		{"CC6.8", "unauthorised and malicious software is prevented, or detected and acted upon", []string{
			"ecr-repository-*", "lambda-*", "inspector2-*", "guardduty-detector-*", "ec2-instance-reported", "ssm-document-*",
		}, "they find code and images that others can change, and scanners that are off"},
		{"CC7.1", "changes of configuration and vulnerabilities are detected", []string{
			"config-*", "inspector2-*", "securityhub-*", "accessanalyzer-*", "cloudtrail-*", "events-rule-*", "ecr-repository-scan-on-push-off", "rds-instance-minor-upgrade-off",
			"ec2-securitygroup-*",
		}, "they hold what detects changes, and dera itself looks at each change"},
		{"CC7.2", "components are monitored for anomalies", []string{
			"cloudtrail-*", "guardduty-*", "macie2-*", "securityhub-*", "ec2-vpc-no-flow-logs", "events-rule-*", "organizations-account-left", "iam-root-used", "lambda-change-*",
		}, "they find a watcher that is off, narrowed or not heard"},
		{"CC7.3", "security events are evaluated", []string{
			"guardduty-finding-open", "guardduty-suppression-*", "*-reported", "iam-*-emergency-use", "iam-root-used", "accessanalyzer-analyzer-findings-archived", "lambda-change-*",
		}, "each is open until a person has answered it, which is recorded"},
		{"CC7.4", "incidents are responded to", []string{
			"*-reported", "ec2-instance-contain-request", "guardduty-finding-open", "iam-*-emergency-use", "iam-role-open-sessions",
		}, "they contain what is reported as compromised, with an approval and an undo"},
	}
}
