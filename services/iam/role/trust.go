package role

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/trust"
)

// assumed is what the record says of how an account assumed the role: how many calls of
// it are recorded, how many of these assumed the role or may have, and why the record
// tells nothing.
func (r *Role) assumed(account string) (calls, times uint64, unknown string) {
	use, ok := r.Trusting[account]
	if !ok {
		return 0, 0, "nothing is recorded of what account " + account + " does here"
	}
	return trust.AssumedBy(use, r.key())
}

// key names the role as the usage ledger does.
func (r *Role) key() string { return string(iam.RoleKind.ARN("aws", r.Account, "/", r.Name)) }

// proveTrust makes the evidence for changes of the trust policy.
func proveTrust(r *Role, failures []control.Failure, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
	after, err := iam.Applied(Type(), r, changes)
	if err != nil {
		return dera.Evidence{}, err
	}
	return trust.Prove(trust.Change{
		Role: r.key(), Old: r.Trust, New: after.Trust, MaxSession: r.MaxSession, House: document.House{Account: r.Account, Organization: s.Organization}, Zone: trust.Zone(r.Account, s),
	}, failures, r.Trusting)
}
