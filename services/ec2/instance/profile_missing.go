package instance

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// ProfileMissing finds instances without an instance profile.
func ProfileMissing() control.Control {
	return control.Define(control.Spec[*Instance]{
		Meta: control.Meta{
			ID: "ec2-instance-profile-missing", Title: "EC2 instance has no instance profile", Type: Name, Severity: dera.Medium,
			Why:        "Software on it that calls AWS uses long-lived keys in files, and Systems Manager cannot patch it or open a session instead of SSH.",
			Fix:        "A person attaches a profile whose role has what the instance needs: which role that is dera does not know. SDKs prefer credentials in files and variables, so that those have to go afterwards.",
			Complexity: "medium", ByHand: true,
			Cases: []control.Case{
				{When: "the instance has no profile", Disposition: dera.Alert, Because: "what a role must be allowed to do is for whoever runs the instance to say"},
			},
			Refs: append(refs("SSM.1", "EC2_INSTANCE_PROFILE_ATTACHED"),
				control.Ref{Standard: "CIS AWS Foundations 7.0.0", ID: "2.16", URL: "https://www.cisecurity.org/benchmark/amazon_web_services"}),
			Reads: []string{"ec2:DescribeInstances"},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Check: func(i *Instance, _ control.Settings) control.Result {
			if i.Profile != "" {
				return control.Result{Outcome: control.Pass}
			}
			return control.Result{Outcome: control.Fail, Whole: true, Failures: []control.Failure{{
				Key: "profile", Start: dera.Alert, Severity: dera.Medium, Title: "EC2 instance has no instance profile",
				Why: "The instance has no instance profile, so that software on it gets no temporary credentials of a role.",
			}}}
		},
	})
}

// refs are the rules of standards that a control is about.
func refs(hub, config string) []control.Ref {
	return []control.Ref{
		{Standard: "Security Hub", ID: hub, URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html"},
		{Standard: "AWS Config", ID: config, URL: "https://docs.aws.amazon.com/config/latest/developerguide/managed-rules-by-aws-config.html"},
	}
}
