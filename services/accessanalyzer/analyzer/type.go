// Package analyzer is the analyzers of IAM Access Analyzer in a region that look for access
// from outside: whether there is one, and what of their findings is archived.
package analyzer

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// Name is the type name. CloudFormation has one for each analyzer; this is all of a region,
// whose ID it has.
const Name = "AWS::AccessAnalyzer::ExternalAccess"

// Own is the name of the analyzer that dera makes.
const Own = "dera-external-access"

// The writes, by their IAM actions.
const (
	Create = "access-analyzer:CreateAnalyzer"
	Delete = "access-analyzer:DeleteAnalyzer"
)

// The parts.
const (
	PartAnalyzers = "analyzers"
	PartRules     = "archive rules"
)

// External is the analyzers of external access in a region.
type External struct {
	Region string `json:"region"`
	// Made is whether the analyzer that dera makes is there, and Others are the names of all
	// other ones that are active.
	Made   *bool    `json:"made"`
	Others []string `json:"others,omitempty"`
	// Rules are the archive rules, as ANALYZER/RULE, nil where they could not be read.
	Rules []string `json:"rules"`
}

// ARNOf names the analyzers of external access of a region together. AWS has no ARN for
// that; this one is in the form of those that it has.
func ARNOf(partition, account, _, region string) dera.ARN {
	return dera.NewARN(partition, "access-analyzer", region, account, "analyzer/"+region)
}

// Type is analyzers of external access: one resource for each account and region.
func Type() resource.Type {
	return resource.Define(resource.Spec[External]{
		Name: Name, ARN: ARNOf, SampleIDs: []string{"eu-west-1", "us-east-2", "ap-south-1"},
		Identify: func(e *External) (id, name string, tags map[string]string) { return e.Region, "Access Analyzer", nil },
		Parts: []resource.Part{
			{Name: PartAnalyzers, Action: "access-analyzer:ListAnalyzers", Cheap: true},
			{Name: PartRules, Action: "access-analyzer:ListArchiveRules", Cheap: true, Around: true},
		},
		Around: []string{"rules"},
		Settings: []resource.Setting{{
			Path: "made", Says: "an analyzer of external access", Operation: Create, Off: Delete, Order: []any{false, true},
			Denies: func(dera.Plan) []resource.Bounds { return nil }, // an analyzer is in nobody's way
		}},
		Events: cloudtrail.Events{
			Type: Name,
			Calls: cloudtrail.Calls("access-analyzer.amazonaws.com", func(c cloudtrail.Call) []dera.Scope { return c.Sweep(Name) },
				"CreateAnalyzer", "DeleteAnalyzer", "UpdateAnalyzer", "CreateArchiveRule", "UpdateArchiveRule", "DeleteArchiveRule"),
		},
		Note: "An analyzer of external access is free of charge, and reads policies alone.",
	})
}

// Controls are the controls on analyzers of external access.
func Controls() []control.Control { return []control.Control{None(), FindingsArchived()} }

func refs(cis, hub string) (out []control.Ref) {
	if cis != "" {
		out = append(out, control.Ref{Standard: "CIS AWS Foundations 5.0.0", ID: cis, URL: "https://www.cisecurity.org/benchmark/amazon_web_services"},
			control.Ref{Standard: "Security Hub", ID: hub, URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html"})
	}
	return append(out, control.Ref{Standard: "MITRE ATT&CK", ID: "T1562.001", URL: "https://attack.mitre.org/techniques/T1562/001/"})
}
