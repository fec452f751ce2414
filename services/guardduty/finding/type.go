// Package finding is what GuardDuty reports and no control of another type answers: its
// configuration, events and control.
package finding

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// Name is the type name. The ID is GuardDuty's.
const Name = "AWS::GuardDuty::Finding"

// PartFinding is the finding itself.
const PartFinding = "finding"

// Finding is an open finding of GuardDuty.
type Finding struct {
	resource.Threat
	// Unanswered says that no control of another type answers it.
	Unanswered bool `json:"unanswered,omitempty"`
}

// Type is findings of GuardDuty. One that is archived does not exist any more.
func Type() resource.Type {
	return resource.Define(resource.Spec[Finding]{
		Name: Name,
		ARN: func(partition, account, region, id string) dera.ARN {
			return dera.NewARN(partition, "guardduty", region, account, "detector/"+region+"/finding/"+id)
		},
		SampleIDs: []string{"16dd674a4cb5437c9a66d14f11839b02", "8c258d654378414b9bc26f61a93eb816", "1ab92989eaf0e742df4a014d5example"},
		Identify:  func(f *Finding) (id, name string, tags map[string]string) { return f.ID, f.Type, nil },
		Parts:     []resource.Part{{Name: PartFinding, Action: "guardduty:ListFindings", Also: control.ThreatReads(), Cheap: true}},
		Events:    Events(),
	})
}

// Events are the calls after which a finding is archived or open again.
//
// https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ArchiveFindings.html
func Events() cloudtrail.Events {
	return cloudtrail.Events{
		Type:  Name,
		Calls: cloudtrail.Calls("guardduty.amazonaws.com", func(c cloudtrail.Call) []dera.Scope { return c.Sweep(Name) }, "ArchiveFindings", "UnarchiveFindings"),
	}
}

// Controls are the controls on findings of GuardDuty.
func Controls() []control.Control { return []control.Control{Open()} }
