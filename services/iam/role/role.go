// Package role is IAM roles with the policies that decide what they may do and who
// assumes them: their configuration, reads, events and controls.
package role

import (
	"time"

	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/escalation"
)

// Role is an IAM role. Documents are texts as they were written.
type Role struct {
	iam.Identity
	Account string `json:"account"`
	Trust   string `json:"trust"`
	// MaxSession is the longest session, in seconds.
	MaxSession int32 `json:"max_session,omitempty"`
	// Profiles are the instance profiles that have the role, by name.
	Profiles []string `json:"instance_profiles,omitempty"`
	// Closed is when dera last narrowed the trust policy, as long as a session from before
	// may run; zero for none.
	Closed time.Time `json:"closed,omitzero"`
	// LastUsed is what IAM says of the last 400 days; nil is no use in them.
	LastUsed *LastUsed `json:"last_used,omitempty"`
	// Age is how many days ago the role was made, Idle for how many IAM saw no use of it (400
	// are all that it looks back; nil where it says nothing), and Called how many days ago
	// the last recorded call was; nil for none. They are whole days at the time of the read.
	Age    int  `json:"age_days,omitempty"`
	Idle   *int `json:"idle_days,omitempty"`
	Called *int `json:"called_days,omitempty"`
	// Use is what the usage ledger says.
	Use *resource.Use `json:"use,omitempty"`
	// Explained is which of its use an incident explains.
	Explained *resource.Explained `json:"explained,omitempty"`
	// Trusting is what it says of the calls of the other accounts that the trust policy
	// names, by account.
	Trusting map[string]resource.Use `json:"trusting,omitempty"`
	// Threats are those about sessions of the role; nil where they could not be read.
	Threats *resource.Threats `json:"threats,omitempty"`
	// Peers are the principals to which ways of getting more permissions lead.
	Peers []escalation.Peer `json:"peers,omitempty"`
}

// Lookback is for how many days IAM knows the last use of a role.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleLastUsed.html
const Lookback = 400

// LastUsed is the last use of the role that IAM knows.
type LastUsed struct {
	At     time.Time `json:"at"`
	Region string    `json:"region,omitempty"`
}
