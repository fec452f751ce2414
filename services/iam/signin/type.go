// Package signin is sign-ins of IAM users to the console for which the password alone was
// enough, as the event history of CloudTrail has them. dera reports them and changes nothing.
//
// Root users are another type's, which reports every use of them. Of federated sign-ins and
// those by IAM Identity Center CloudTrail does not say whether a second factor was asked for:
// the identity provider does that, and nothing is claimed of them.
package signin

import (
	"fmt"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// Name is the type name. CloudFormation has no such type; this one is in the form of those
// that it has.
const Name = "AWS::IAM::ConsoleSignIn"

// PartSignIns are the sign-ins of the last days.
const PartSignIns = "sign-ins"

// Days is how many days back one looks: a finding stays open for longer.
const Days = 2

// SignIn is a user that signed in without MFA in a region, where the event is recorded.
type SignIn struct {
	User   string `json:"user"`
	Region string `json:"region"`
	// At and From are of the last time, and Times how many there are.
	At    time.Time `json:"at"`
	From  string    `json:"from"` // address
	Times int       `json:"times"`
	// Explained is up to which of them an incident explains.
	Explained *resource.Explained `json:"explained,omitempty"`
}

// ARNOf names the sign-ins of a user in a region. AWS gives them no ARN.
func ARNOf(partition, account, region, user string) dera.ARN {
	return dera.NewARN(partition, "signin", region, account, "user/"+user)
}

// Type is sign-ins without MFA: a user that has none is no resource.
func Type() resource.Type {
	return resource.Define(resource.Spec[SignIn]{
		Name: Name, ARN: ARNOf, SampleIDs: []string{"ann", "ci-deployer", "zz-quite-another_name.9@x"},
		Identify: func(s *SignIn) (id, name string, tags map[string]string) { return s.User, s.User, nil },
		Parts:    []resource.Part{{Name: PartSignIns, Action: "cloudtrail:LookupEvents", Cheap: true}, iam.Explained()},
		Around:   []string{"at", "from", "times", "explained"},
		Events:   Events(),
	})
}

// Events are the sign-ins of IAM users that succeeded, with MFA or without. They arrive in
// the region of the sign-in page.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
func Events() cloudtrail.Events {
	find := func(c cloudtrail.Call) []dera.Scope {
		if typ := c.Caller.Type; c.Answer.Text("ConsoleLogin") == "Failure" || typ != "" && typ != "IAMUser" {
			return nil
		}
		var ids []string
		if user := dera.ARN(c.Caller.ARN).Name(); iam.UserKind.ValidName(user) { // many have no ARN
			ids = append(ids, user)
		}
		return c.Scopes(Name, ids)
	}
	return cloudtrail.Events{Type: Name, Calls: cloudtrail.Calls("signin.amazonaws.com", find, "ConsoleLogin")}
}

// Controls are the controls on sign-ins.
func Controls() []control.Control { return []control.Control{NoMFA()} }

// NoMFA finds sign-ins without MFA that no incident explains.
func NoMFA() control.Control {
	return control.Define(control.Spec[*SignIn]{
		Meta: control.Meta{
			ID: "iam-signin-no-mfa", Title: "User signed in to the console without MFA", Type: Name, Severity: dera.High,
			Why:        "A password that is guessed, reused or given away is enough to be the user; a sign-in without a second factor is the first sign of it.",
			Fix:        "dera changes nothing. Whoever knows that it was the user attaches the reason as an incident, and the user adds an MFA device; if nobody does, the password is in the wrong hands.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "the event history of CloudTrail has a sign-in of an IAM user to the console in the last two days that succeeded without MFA, and no incident covers it", Disposition: dera.Alert, Because: "whether it was the user a person knows"},
			},
			Refs: []control.Ref{
				{Standard: "Security Hub", ID: "CloudWatch.3", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html"},
				{Standard: "MITRE ATT&CK", ID: "T1078.004", URL: "https://attack.mitre.org/techniques/T1078/004/"},
			},
			Reads: Type().Reads(), Incident: true, Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Check: func(s *SignIn, _ control.Settings) control.Result {
			return iam.Explaining{
				Who: "The password of user " + s.User, Title: "User signed in to the console without MFA",
				Watched: fmt.Sprintf("without MFA it was enough to sign in to the console, in %d days %d times, the last time from %s in %s", Days, s.Times, s.From, s.Region),
				Use:     &resource.Use{Seen: s.At}, Known: s.Explained,
			}.Check()
		},
	})
}
