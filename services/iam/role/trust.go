package role

import (
	"slices"
	"time"

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

func daysOf(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// deadRefusal says why there is no plan for a trust policy that trust.Dead is about.
func deadRefusal() *control.Refusal {
	return &control.Refusal{Code: "deleted-principal", Why: "the trust policy names a principal that was deleted (a unique ID in the place of an ARN): " +
		"IAM refuses to take such a policy, so that nothing could be undone; take the ID out first"}
}

// record is what is known of the use of the role; nil where IAM says nothing of it.
func (r *Role) record(s control.Settings) *trust.Record {
	if r.Idle == nil {
		return nil
	}
	out := &trust.Record{Idle: *r.Idle, Days: s.Window()}
	if r.Use != nil {
		use := *r.Use
		use.Calls = nil
		out.Use = &use
	}
	return out
}

// proveTrust makes the evidence for changes of the trust policy.
func proveTrust(r *Role, failures []control.Failure, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
	after, err := iam.Applied(Type(), r, changes)
	if err != nil {
		return dera.Evidence{}, err
	}
	c := trust.Change{
		Role: r.key(), Old: r.Trust, New: after.Trust, MaxSession: r.MaxSession, House: document.House{Account: r.Account, Organization: s.Organization}, Zone: trust.Zone(r.Account, s),
	}
	if slices.ContainsFunc(failures, func(f control.Failure) bool { return f.Key == trust.Unused }) {
		c.Record = r.record(s)
	}
	return trust.Prove(c, failures, r.Trusting)
}
