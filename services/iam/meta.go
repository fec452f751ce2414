package iam

import (
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// What the controls on permissions that nobody used have in common.

// UnusedWrites are the operations of plans on identities of a kind, and of their undo.
func (k Kind) UnusedWrites() []string {
	return []string{k.PutInline(), k.DeleteInline(), k.Detach(), k.Attach()}
}

// UnusedCases are the rows of the disposition tables that all of them have.
func UnusedCases() []control.Case {
	return []control.Case{
		{When: "permissions were not used for the time that is recorded, 90 days as a rule, and each use would have been seen", Disposition: dera.Auto, Because: "whatever was used at any time stays, with a proof, and no recorded call would be denied"},
		{When: "AWS itself counts as used what the record has no use of", Disposition: dera.Review, Because: "IAM's last-accessed data or Access Analyzer may have seen a call that the record lacks"},
		{When: "permissions.graduation_days is set, and a statement denied them for so many days", Disposition: dera.Auto, Because: "nobody was denied them meanwhile; else, and for what is rarely used, a person decides"},
		{When: "iam:PassRole was not used and nothing that stays can use it", Disposition: dera.Auto, Because: "AWS records no use of it, but without an action that uses it it is of no use"},
		{When: "iam:PassRole may be used by something that stays although nobody used it", Disposition: dera.Review, Because: "AWS records no use of it: only its owner knows; there is no plan while that stays"},
		{When: "permissions on identities, such as iam:CreateRole, were not used", Disposition: dera.Review, Because: "they are used rarely, and when they are, they are needed"},
		{When: "permissions for recovery or incidents were not used", Disposition: dera.Review, Because: "they are used when something fails"},
		{When: "permissions.narrow_resources: review is set, and a statement allows actions on more resources than they were used on", Disposition: dera.Review, Because: "the ARNs that recorded calls named take the place of the resources, and nothing else; what is made tomorrow has another ARN, and would be denied"},
		{When: "the record of use has gaps, other than of data events, KMS or RDS Data", Disposition: dera.Review, Because: "what looks unused may have been used"},
	}
}

// AttachedCases are the rows about policies that are attached.
func AttachedCases() []control.Case {
	return []control.Case{
		{When: "a customer managed policy is attached of which nothing was used", Disposition: dera.Auto, Because: "it is detached, not deleted"},
		{When: "a policy is attached that allows more than a list can name: everything, everything but a list, or actions by a pattern of services, also on some resources or under conditions", Disposition: dera.Alert, Because: "what it is for, a person must say"},
		{When: "a policy of AWS is attached of which nothing was used", Disposition: dera.Review, Because: "AWS widens it, and whoever attached it may count on that"},
		{When: "a policy of AWS is attached of which a part was used", Disposition: dera.Review, Because: "an inline copy without the rest takes its place, which lacks what AWS adds later; what is for identities, recovery and incidents stays in it; permissions.aws_managed: auto makes both automatic"},
	}
}

// EmergencyCase is the row about principals for emergencies.
func EmergencyCase() control.Case {
	return control.Case{When: "a guardrail finds that it is for emergencies", Disposition: dera.Exempt, Because: "it is unused on purpose"}
}

// ReadsOf are the IAM actions with which parts are read, but for what AWS says of their use.
func ReadsOf(parts []resource.Part) (out []string) {
	for _, p := range parts {
		if p.Name != PartReported {
			out = append(out, p.Actions()...)
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(a string) bool { return a == "" })
}

// UnusedReads are the IAM actions of controls on permissions that nobody used.
func UnusedReads(parts []resource.Part) []string {
	return slices.Sorted(slices.Values(append(ReadsOf(parts), Reports().Actions()...)))
}

// UnusedRefs are where the rule comes from.
func UnusedRefs() []control.Ref {
	return []control.Ref{
		{Standard: "IAM Access Analyzer", ID: "UnusedPermission", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-findings.html"},
		{Standard: "NIST 800-53 r5", ID: "AC-6", URL: "https://csrc.nist.gov/projects/cprt/catalog#/cprt/framework/version/SP_800_53_5_1_1/home?element=AC-6"},
		{Standard: "PCI DSS 4.0.1", ID: "7.2", URL: "https://www.pcisecuritystandards.org/document_library/"},
	}
}

// OutdatedMeta is the literal of the control on copies, of a kind of identity.
func OutdatedMeta(k Kind, parts []resource.Part) control.Meta {
	return control.Meta{
		ID:       "iam-" + string(k) + "-outdated-copy",
		Title:    k.Title() + " has a copy of a policy of AWS that lacks what AWS added",
		Type:     k.Type(),
		Severity: dera.Low,
		Why: "dera put the copy in the place of a policy of AWS, without what nobody used. AWS changes its policies when a service gets new calls; what uses the " +
			"service may begin to make them, and is denied.",
		Fix: "A new copy has, beside all that the old one has, the statements that AWS added for services of the copy, or made wider for actions of the copy. The new one " +
			"is put before the old one goes; its name says the version of AWS's policy. Where IAM does not store both, the old one gets the statements, and keeps its name.",
		Complexity: "medium",
		Cases: []control.Case{
			{When: "AWS added actions to a service of which the copy allows something, or made wider what the copy allows", Disposition: dera.Review, Because: "it grants permissions: a person decides whether they are wanted"},
		},
		Refs:     UnusedRefs()[1:],
		Reads:    ReadsOf(parts),
		Writes:   []string{k.PutInline(), k.DeleteInline()},
		Owner:    "dera maintainers",
		ReviewBy: "2027-11-01",
	}
}
