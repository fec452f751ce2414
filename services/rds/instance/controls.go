package instance

import "dera.example/dera/control"

// Controls are the controls on database instances.
func Controls() []control.Control {
	return []control.Control{PublicControl(), DeletionProtectionOff(), MinorUpgradeOff(), TagsNotCopied(), IAMAuthOff(), BackupShort()}
}

// clustered says that a setting is the cluster's and not the instance's.
func (i *Instance) clustered() string {
	if i.Cluster == "" {
		return ""
	}
	return "the setting is that of the cluster " + i.Cluster
}

func (i *Instance) refusal() *control.Refusal {
	if why := i.Held(); why != "" {
		return &control.Refusal{Code: "not-alone", Why: why}
	}
	return nil
}

// refs are the rules of standards that a control is about; cis may be empty.
func refs(hub, config, cis string) []control.Ref {
	out := []control.Ref{
		{Standard: "Security Hub", ID: hub, URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html"},
		{Standard: "AWS Config", ID: config, URL: "https://docs.aws.amazon.com/config/latest/developerguide/" + config + ".html"},
	}
	if cis != "" {
		out = append(out, control.Ref{Standard: "CIS AWS Foundations 5.0.0", ID: cis, URL: "https://www.cisecurity.org/benchmark/amazon_web_services"})
	}
	return out
}
