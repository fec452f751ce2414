// Package guardduty is what the types of GuardDuty share: what dera does about each of its
// finding types.
package guardduty

import (
	"strings"

	"dera.example/dera/resource"
)

// Answer is what dera does about finding types of GuardDuty.
type Answer struct {
	// Types are globs of finding types. Of several answers the first that fits counts.
	Types []string
	// Controls are those that find what is wrong; none for what is an alert alone.
	Controls []string
	// Kind and User are the resource and the kind of user that GuardDuty must name, and Key
	// begins the ID of the key; empty for any.
	Kind, User, Key string
	// Hint says that the finding only has the resources looked at: what the controls find
	// there is not what GuardDuty reports.
	Hint bool
	// Says is what dera does, for people, and Default how far it goes by default.
	Says, Default string
}

// Alone is the control for what no other one answers.
const Alone = "guardduty-finding-open"

// severe is from which severity a finding that is a hint is an alert too: an instance that attacks
// others by SSH has 8, one that is attacked 2.
//
// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html#unauthorizedaccess-ec2-sshbruteforce
const severe = 7

// Answers are all that dera does about findings of GuardDuty.
//
// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-active.html
func Answers() []Answer {
	return []Answer{
		{Types: []string{"*:IAMUser/InstanceCredentialExfiltration*"}, Controls: []string{"iam-role-reported"}, User: "AssumedRole",
			Says: "an inline policy of the role denies calls of instances that do not come by an endpoint of their VPC; undo: it is deleted. Never automatic", Default: "review"},
		{Types: []string{"Policy:IAMUser/RootCredentialUsage"}, Controls: []string{"iam-root-used"}, Hint: true,
			Says: "the use of the root user is looked for in the usage ledger; an incident explains it", Default: "alert"},
		{Types: []string{"Stealth:IAMUser/CloudTrailLoggingDisabled"}, Controls: []string{"cloudtrail-trail-logging-stopped", "cloudtrail-account-no-trail"}, Hint: true,
			Says: "trails are looked at: one that was stopped is started again", Default: "that of the control"},
		{Types: []string{"DefenseImpairment:*"}, Controls: []string{"cloudtrail-trail-logging-stopped", "config-recorder-stopped", "guardduty-detector-off", "ec2-vpc-no-flow-logs", "securityhub-hub-off"}, Hint: true,
			Says: "what watches the account is looked at: what was switched off is switched on again", Default: "that of the control"},
		{Types: []string{"Stealth:IAMUser/PasswordPolicyChange"}, Controls: []string{"iam-passwordpolicy-weak"}, Hint: true,
			Says: "the password policy is looked at", Default: "that of the control"},
		{Types: []string{"Policy:S3/*"}, Controls: []string{"s3-account-access-block", "s3-bucket-access-block", "s3-bucket-public-acl", "s3-bucket-public-policy"}, Hint: true,
			Says: "the bucket and the account's block are looked at", Default: "that of the control"},
		{Types: []string{"Recon:EC2/PortProbe*", "*:EC2/SSHBruteForce", "*:EC2/RDPBruteForce"}, Controls: []string{"ec2-securitygroup-admin-ports-open", "ec2-securitygroup-database-open", "ec2-securitygroup-other-ports-open"}, Hint: true,
			Says: "the security groups are looked at, never the instance cut off: the open port is what is wrong. From severity 7 on, where the instance attacks others, it is an alert too", Default: "that of the control"},
		{Types: []string{"*:IAMUser/*"}, Controls: []string{"iam-accesskey-reported"}, User: "IAMUser", Key: "AKIA",
			Says: "the access key is made inactive; undo: active", Default: "review"},
		{Types: []string{"CryptoCurrency:EC2/*", "Backdoor:EC2/*", "Trojan:EC2/*", "*:Runtime/*"}, Controls: []string{"ec2-instance-reported"}, Kind: "Instance",
			Says: "snapshots of the volumes, then the group `dera-isolation` in place of all; undo: the groups from before", Default: "review"},
		{Types: []string{"AttackSequence:*"}, Controls: []string{Alone},
			Says: "an alert, with how many signals it has; single findings that are part of it are answered as ever", Default: "alert"},
		{Types: []string{"*"}, Controls: []string{Alone},
			Says: "an alert: all else, such as sessions of users and roles, EKS, ECS, RDS, Lambda and files of malware", Default: "alert"},
	}
}

// AnswerOf is what dera does about a finding.
func AnswerOf(t resource.Threat) Answer {
	all := Answers()
	for _, a := range all {
		if t.Is(a.Types) && (a.Kind == "" || a.Kind == t.Kind) && (a.User == "" || a.User == t.UserType) && strings.HasPrefix(t.Key, a.Key) {
			return a
		}
	}
	return all[len(all)-1]
}

// Unanswered reports whether a finding is one for the control Alone: no other answers it, or it is a
// hint and too severe to be no more than that.
func Unanswered(t resource.Threat) bool {
	a := AnswerOf(t)
	return a.Controls[0] == Alone || a.Hint && t.Severity >= severe
}
