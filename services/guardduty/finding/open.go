package finding

import (
	"fmt"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/guardduty"
)

// Open finds findings of GuardDuty that no control of another type answers.
func Open() control.Control {
	meta := control.Meta{
		ID: guardduty.Alone, Title: "GuardDuty reports what a person has to answer", Type: Name, Severity: dera.Critical,
		Why:        "An attack that GuardDuty reports and nobody reads goes on. What dera could change is not what is wrong here, or would hit others too.",
		Fix:        "dera changes nothing. Whoever answered it archives it in GuardDuty (aws guardduty archive-findings), which closes it here too; one that GuardDuty did not see for 30 days is closed as well.",
		Complexity: "high", ByHand: true,
		Cases: []control.Case{
			{When: "GuardDuty has an open finding of the last 30 days that no other control answers, such as an attack sequence, credentials of a role's session, or one about EKS, ECS, RDS or Lambda; samples and archived ones do not count", Disposition: dera.Alert, Because: "who is hit by what would end it a person knows"},
			{When: "the same, and the credentials of an instance are used elsewhere (InstanceCredentialExfiltration), of which GuardDuty names no role", Disposition: dera.Alert, Because: "ending the sessions of the role hits every instance and user of it, and they get other credentials only shortly before the old ones end"},
			{When: "a finding of severity 7 or more is a hint to another control, such as an instance that attacks others by SSH", Disposition: dera.Alert, Because: "a closed port ends no attack from within"},
		},
		Refs: []control.Ref{
			{Standard: "GuardDuty", ID: "Finding types", URL: "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-active.html"},
			{Standard: "IAM user guide", ID: "revoke IAM role temporary security credentials", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html"},
		},
		Reads: Type().Reads(), Owner: "dera maintainers", ReviewBy: "2027-11-01",
	}
	return control.Define(control.Spec[*Finding]{
		Meta: meta,
		Check: func(f *Finding, _ control.Settings) control.Result {
			if !f.Unanswered {
				return control.Result{Outcome: control.NotApplicable}
			}
			severity := f.Grade()
			if f.Is(exfiltration()) {
				severity = dera.Critical
			}
			return control.Result{Outcome: control.Fail, Whole: true, Failures: []control.Failure{{
				Key: f.Type, Start: dera.Alert, Severity: severity, Title: meta.Title, Why: strings.Join(f.says(), " "),
			}}}
		},
	})
}

// says is what people must know of the finding.
func (f *Finding) says() []string {
	out := []string{f.Text()}
	if f.Signals > 0 {
		out = append(out, fmt.Sprintf("It joins %d signals; the findings that are among them are answered one by one.", f.Signals))
	}
	if who := f.who(); who != "" {
		out = append(out, "It is about "+who+".")
	}
	if f.Is(exfiltration()) {
		out = append(out,
			"Who else uses the role: dera why and the usage ledger. A denial by aws:TokenIssueTime ends all sessions of the role at once, those of its instances too: they get other credentials only minutes before the old ones end.",
			"A denial of calls whose aws:EC2InstanceSourceVPC differs from aws:SourceVpc leaves AWS's own calls (aws:ViaAWSService), and breaks all calls that go out by a NAT or internet gateway in place of a VPC endpoint.")
	}
	return out
}

func exfiltration() []string { return []string{"*:IAMUser/InstanceCredentialExfiltration*"} }

// who is whom GuardDuty names, or nothing.
func (f *Finding) who() string {
	var list []string
	for _, x := range []struct{ what, name string }{{"the instance", f.Instance}, {"the " + kindOf(f.Threat), f.User}, {"the key", f.Key}} {
		if x.name != "" {
			list = append(list, x.what+" "+x.name)
		}
	}
	return strings.Join(list, ", ")
}

// kindOf is the kind of a user in words.
func kindOf(t resource.Threat) string {
	switch t.UserType {
	case "IAMUser":
		return "user"
	case "AssumedRole", "Role":
		return "role"
	}
	return "principal"
}
