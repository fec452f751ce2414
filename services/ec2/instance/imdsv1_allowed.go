package instance

import (
	"fmt"

	"dera.example/dera"
	"dera.example/dera/control"
)

// IMDSv1Allowed finds instances whose metadata needs no token.
func IMDSv1Allowed() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Instance]{
		Path: Tokens,
		Meta: control.Meta{
			ID: "ec2-instance-imdsv1-allowed", Title: "EC2 instance allows IMDSv1", Severity: dera.High,
			Why:        "A request that an attacker makes a web server send, or an open proxy, reads the credentials of the instance's role where metadata needs no token.",
			Fix:        "Metadata needs a token (IMDSv2). The hop limit and the endpoint stay as they are.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "CloudWatch counted no request without a token in each hour of 14 days, and the hop limit is 2 or more or nothing shows that containers run", Disposition: dera.Auto, Because: "nothing on the instance asks without a token"},
				{When: "there were such requests, or for one of these hours the count is not known (the instance is new or was stopped)", Disposition: dera.Review, Because: "old SDKs and agents would lose the credentials at once"},
				{When: "containers run on the instance and the hop limit is below 2", Disposition: dera.Review, Because: "a container behind a bridge gets no token"},
			},
			Refs: []control.Ref{
				{Standard: "CIS AWS Foundations 7.0.0", ID: "6.7", URL: "https://www.cisecurity.org/benchmark/amazon_web_services"},
				{Standard: "Security Hub", ID: "EC2.8", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html"},
				{Standard: "AWS Config", ID: "EC2_IMDSV2_CHECK", URL: "https://docs.aws.amazon.com/config/latest/developerguide/ec2-imdsv2-check.html"},
			},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Applies: func(i *Instance) string {
			if i.Endpoint == "disabled" {
				return "the instance has no metadata endpoint"
			}
			return ""
		},
		Start: func(i *Instance, _ control.Settings) (dera.Disposition, string) {
			containers := i.Containers()
			switch {
			case i.State != "running":
				return dera.Review, "The instance is " + i.State + ", so that what it does when it runs is not known."
			case i.V1 == nil:
				return dera.Review, "How often metadata was read without a token in the last 14 days is not known."
			case i.V1.Count > 0:
				return dera.Review, fmt.Sprintf("Metadata was read %.0f times without a token in the last 14 days: what does so fails then.", i.V1.Count)
			case i.V1.Unknown > 0:
				return dera.Review, fmt.Sprintf("CloudWatch counted nothing in %d of the last %d hours, so that it is not known.", i.V1.Unknown, Hours)
			case containers != "" && i.HopLimit < 2:
				return dera.Review, fmt.Sprintf("Containers run on it (tag %s), and the hop limit is %d: one behind a bridge gets no token.", containers, i.HopLimit)
			}
			return dera.Auto, "Metadata was not read without a token in any hour of the last 14 days."
		},
	})
}
