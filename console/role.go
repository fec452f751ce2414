package console

// Role is what somebody may do here. Each role may what the ones before it may.
type Role int

// The roles, from the one that may least. What each may order is in docs/console.md.
const (
	Viewer   Role = iota // looks
	Approver             // approves and rejects plans, and stops
	Admin                // also rolls back, resumes, and makes tokens for others
)

var roleNames = [...]string{Viewer: "viewer", Approver: "approver", Admin: "admin"}

func (r Role) String() string { return roleNames[r] }
