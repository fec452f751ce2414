package resource

// Part is a piece of a configuration that is read on its own, or that reads of
// other resources or a port tell. A part that could not be read is unread: unknown, for
// every type alike.
type Part struct {
	// Name is what people read, for example "policy".
	Name string
	// Action is the IAM action of the read; empty where the part is read through
	// other resources.
	Action string
	// Also are the IAM actions of further calls of the read.
	Also []string
	// Absent are the error codes that mean that the resource has none.
	Absent []string
	// Cheap says that a quick look reads it too.
	Cheap bool
	// Port names what the part is filled from where that is not the service of the type, for
	// example the usage ledger, or GuardDuty; empty for that. Without the port the part is unread.
	Port string
	// Around says that it belongs to the surroundings of the resource and not to its
	// canonical form.
	Around bool
}

// Actions are the IAM actions with which the part is read.
func (p Part) Actions() []string {
	if p.Action == "" {
		return p.Also
	}
	return append([]string{p.Action}, p.Also...)
}
