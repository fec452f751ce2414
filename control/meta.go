package control

import "dera.example/dera"

// Meta is the literal from which a control's page, its IAM permissions and its
// row in the compliance table are generated.
type Meta struct {
	// ID is stable: lower case, the service first.
	ID    string
	Title string
	// Type is the resource type that it looks at.
	Type string
	// Severity is the highest that it gives.
	Severity dera.Severity
	// Why says what can happen to whoever ignores it.
	Why string
	// Fix says what the plan does, in words.
	Fix string
	// Complexity of the remediation: low, medium or high.
	Complexity string
	// Cases are the rows of its disposition table.
	Cases []Case
	// Refs are where the rule comes from.
	Refs []Ref
	// Reads and Writes are the IAM actions that it needs to look and to act,
	// undo included.
	Reads  []string
	Writes []string
	// GuardReads are the IAM actions with which guardrails look beyond the resource.
	GuardReads []string
	// Stops says that a plan stops the principals of the resource from acting, as without
	// a credential: it takes all their permissions, although a finding names none.
	Stops bool
	// ByHand is true where a person who reviews also makes the change: there is
	// no plan.
	ByHand bool
	// Incident is true where the findings are about use that was made: nothing is changed,
	// no break-glass list exempts them, and each stays open until an incident is attached
	// to it. Of the controls of a type one at most may say so.
	Incident bool
	// Gives is true where the findings ask for what dera took from a principal: a person
	// asks and another one grants, so that the mode observe does not hold it back. Of the
	// controls of a type one at most may say so.
	Gives bool
	// Watches is true where the findings are about what watches the account, such as its
	// log: what those who may switch it off did is not put back.
	Watches bool
	// Unused is true where a plan is automatic only because nobody used what it takes away:
	// what flow logs do not tell is for a person then.
	Unused bool
	// Threats are the globs of GuardDuty's finding types that the control answers, those that
	// begin with ! apart; none of what is no threat. Its findings are about use that an
	// attacker makes, so that use speaks against no plan.
	Threats []string
	// Owner and ReviewBy (a date, 2006-01-02) say who looks again whether the
	// control still does good, and by when.
	Owner    string
	ReviewBy string
}

// Case is one row of a control's disposition table.
type Case struct {
	When        string           `json:"when"`
	Disposition dera.Disposition `json:"disposition"`
	Because     string           `json:"because"`
}

// Ref is one rule of a standard or a service.
type Ref struct {
	Standard string `json:"standard"` // for example CIS AWS 5.0
	ID       string `json:"id"`       // for example 5.3
	URL      string `json:"url"`
}
