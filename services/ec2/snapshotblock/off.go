package snapshotblock

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/regional"
)

// Off finds regions in which EBS snapshots can be public.
func Off() control.Control {
	return Kind().Control(control.Meta{
		ID: "ec2-snapshotblock-off", Title: "Public access to EBS snapshots is not blocked", Severity: dera.High,
		Why:        "One call shares a disk with every account of AWS. The block refuses it, whoever calls, and hides what is public already.",
		Fix:        "All public sharing of snapshots is blocked in the region. Public snapshots are treated as private while it is; sharing with accounts stays.",
		Complexity: "medium",
		Cases: []control.Case{
			{When: "it is not blocked, or only new sharing is", Disposition: dera.Review, Because: "the write is tested against AWS's model only; and public snapshots, which the finding names, would not be public any more"},
			{When: "a declarative policy of the organisation sets it", Disposition: dera.Review, Because: "the account cannot change it; no plan is made"},
		},
		Refs: []control.Ref{
			{Standard: "Security Hub", ID: "EC2.182", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html"},
			{Standard: "AWS Config", ID: "EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS", URL: "https://docs.aws.amazon.com/config/latest/developerguide/ebs-snapshot-block-public-access.html"},
		},
		Owner: "dera maintainers", ReviewBy: "2027-11-01",
	}, func(s *regional.Setting) (dera.Disposition, string) {
		switch {
		case !s.UsesRead:
			return dera.Review, "Which snapshots are public is not known: those would be treated as private."
		case len(s.Uses) > 0:
			return dera.Review, "These snapshots are public and would be treated as private: " + strings.Join(s.Uses, ", ") + "."
		}
		return dera.Review, "No snapshot of the region is public, so that nothing would change for those that there are. The write is tested against AWS's model only, so a person decides."
	})
}
