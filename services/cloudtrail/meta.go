package cloudtrail

import "dera.example/dera/control"

// Refs are the rules of standards that a control is about; each may be empty.
func Refs(cis, hub, config string) (out []control.Ref) {
	for _, r := range []control.Ref{
		{Standard: "CIS AWS Foundations 5.0.0", ID: cis, URL: "https://www.cisecurity.org/benchmark/amazon_web_services"},
		{Standard: "Security Hub", ID: hub, URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/cloudtrail-controls.html"},
		{Standard: "AWS Config", ID: config, URL: "https://docs.aws.amazon.com/config/latest/developerguide/managed-rules-by-aws-config.html"},
	} {
		if r.ID != "" {
			out = append(out, r)
		}
	}
	return append(out, control.Ref{Standard: "MITRE ATT&CK", ID: "T1562.008", URL: "https://attack.mitre.org/techniques/T1562/008/"})
}

// Source is the event source of CloudTrail's own calls.
const Source = "cloudtrail.amazonaws.com"

// Writes are the calls after which trails may be different.
func Writes() []string {
	return []string{"CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging", "PutEventSelectors"}
}
