package iam

import "dera.example/dera/control"

// Where the rules of the controls on credentials come from.

// CIS is a rule of the CIS benchmark.
func CIS(id string) control.Ref {
	return control.Ref{Standard: "CIS AWS Foundations 5.0.0", ID: id, URL: "https://www.cisecurity.org/benchmark/amazon_web_services"}
}

// CIS7 is a rule of a later edition of it.
func CIS7(id string) control.Ref {
	ref := CIS(id)
	ref.Standard = "CIS AWS Foundations 7.0.0"
	return ref
}

// SecurityHub is a control of Security Hub.
func SecurityHub(id string) control.Ref {
	return control.Ref{Standard: "Security Hub", ID: id, URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html"}
}

// ConfigRule is a managed rule of AWS Config.
func ConfigRule(id string) control.Ref {
	return control.Ref{Standard: "AWS Config", ID: id, URL: "https://docs.aws.amazon.com/config/latest/developerguide/managed-rules-by-aws-config.html"}
}

// NIST is a control of NIST 800-53.
func NIST(id string) control.Ref {
	return control.Ref{Standard: "NIST 800-53 r5", ID: id, URL: "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final"}
}

// PCI is a requirement of PCI DSS.
func PCI(id string) control.Ref {
	return control.Ref{Standard: "PCI DSS 4.0.1", ID: id, URL: "https://www.pcisecuritystandards.org/document_library/"}
}
