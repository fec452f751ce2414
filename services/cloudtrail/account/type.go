// Package account is whether anything records what is called in an account, in all of its
// regions: the trails that it has, and those that others have over it.
package account

import (
	"dera.example/dera"
	events "dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/cloudtrail"
)

// Name is the type name. CloudFormation has no such type; this one is in the form of
// those that it has.
const Name = "AWS::CloudTrail::AccountTrails"

// PartTrails is all of it.
const PartTrails = "trails"

// Account is an account with the trails that record all of its regions, its own and the
// copies of its organization's.
type Account struct {
	ID     string  `json:"account"`
	Trails []Trail `json:"trails"`
}

// Trail is a trail of all regions. A nil member is one that could not be read, as of the
// trail of another account.
type Trail struct {
	ARN       string                `json:"arn"`
	Logging   *bool                 `json:"logging"`
	Selectors *cloudtrail.Selectors `json:"selectors"`
}

// Records reports whether the trail records management events, which read and which write,
// and whether that is known.
func (t Trail) Records() (yes, known bool) {
	if t.Logging != nil && !*t.Logging {
		return false, true
	}
	if t.Selectors == nil {
		return false, false
	}
	_, most := t.Selectors.Missing()
	return most && t.Logging != nil, !most || t.Logging != nil
}

// ARNOf names the trails of an account. AWS gives them no ARN; this one is in the form of
// those that AWS gives.
func ARNOf(partition, account, _, _ string) dera.ARN {
	return dera.NewARN(partition, "cloudtrail", "", account, "account-trails/"+account)
}

// Type is what records an account: one resource for each.
func Type() resource.Type {
	return resource.Define(resource.Spec[Account]{
		Name: Name, Global: true, ARN: ARNOf,
		Identify: func(a *Account) (id, name string, tags map[string]string) { return a.ID, "CloudTrail", nil },
		Parts:    []resource.Part{{Name: PartTrails, Action: "cloudtrail:DescribeTrails", Also: []string{"cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"}, Cheap: true}},
		Events: events.Events{
			Type: Name,
			Calls: events.Calls(cloudtrail.Source, func(c events.Call) []dera.Scope { return c.In(dera.GlobalRegion).Sweep(Name) },
				cloudtrail.Writes()...),
		},
	})
}

// Controls are the controls on what records an account.
func Controls() []control.Control { return []control.Control{NoTrail()} }
