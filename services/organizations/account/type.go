// Package account is whether an account is in the organization that the configuration says.
package account

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// Name is the type name.
const Name = "AWS::Organizations::Account"

// PartOrganization is all of it.
const PartOrganization = "organization"

// Account is an account with its organization.
type Account struct {
	ID string `json:"account"`
	// Organization is the ID of its organization, empty where it is in none, nil where that
	// could not be read.
	Organization *string `json:"organization"`
	// Manager is the account that manages the organization.
	Manager string `json:"manager,omitempty"`
}

// ARNOf names an account as a member. Those of AWS have the organization in it; this one has
// their form.
func ARNOf(partition, account, _, _ string) dera.ARN {
	return dera.NewARN(partition, "organizations", "", account, "account/"+account)
}

// Type is accounts as members of an organization.
func Type() resource.Type {
	return resource.Define(resource.Spec[Account]{
		Name: Name, Global: true, ARN: ARNOf,
		Identify: func(a *Account) (id, name string, tags map[string]string) { return a.ID, "Organizations", nil },
		Parts:    []resource.Part{{Name: PartOrganization, Action: "organizations:DescribeOrganization", Absent: []string{"AWSOrganizationsNotInUseException"}, Cheap: true}},
		Events:   Events(),
	})
}

// Events are the calls after which an account may be in no organization or in another one:
// those of the account itself, and those of the account that manages the organization, which
// name it. They arrive in the home region.
func Events() cloudtrail.Events {
	calls := cloudtrail.Calls("organizations.amazonaws.com", func(c cloudtrail.Call) []dera.Scope {
		r := c.In(dera.GlobalRegion)
		if id := c.Parameters.Text("accountId"); dera.ValidAccountID(id) == nil {
			r.Account = id
		}
		return r.Sweep(Name)
	}, "LeaveOrganization", "RemoveAccountFromOrganization", "DeleteOrganization", "AcceptHandshake", "CloseAccount")
	for i := range calls {
		calls[i].Region = dera.GlobalRegion
	}
	return cloudtrail.Events{Type: Name, Calls: calls}
}

// Controls are the controls on accounts as members of an organization.
func Controls() []control.Control { return []control.Control{Left()} }
