package app

import (
	"time"

	"dera.example/dera"
)

// Effectiveness is what the controls and dera came to in a period: how long findings stood open, what
// was done, how much of it needed no person, what was wrong, what ends or is due, and who opened again
// what had been closed. Of what was not recorded it says that it is not known, never that there is none.
type Effectiveness struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// KeptSince is from when on everything is in the database, where what is older was removed for its
	// age and the period begins before that.
	KeptSince *time.Time `json:"kept_since,omitempty"`
	// Closed is the time to remediate by who closed: automatic, approved, others.
	Closed   []TimeToClose  `json:"time_to_remediate"`
	Controls []ControlClose `json:"controls"` // those with something closed, the slowest first
	Weeks    []WeekCount    `json:"weeks"`    // empty for a period of more than five years
	Work     Work           `json:"work"`
	Queue    Queue          `json:"queue"`
	Wrong    Wrong          `json:"wrong"`
	// Exemptions are those that expire within 30 days or have expired, Reviews the controls whose review
	// is due within 30 days or was due before. ExemptionsUnread is why the list cannot be read: Exemptions
	// says nothing then.
	Exemptions       []ExemptionDue `json:"exemptions_due"`
	ExemptionsUnread string         `json:"exemptions_unread,omitempty"`
	Reviews          []ReviewDue    `json:"reviews_due"`
	Workarounds      []Workarounds  `json:"workarounds"` // by control of what was fixed
}

// Who closed a finding.
const (
	ClosedAll       = "all"
	ClosedAutomatic = "automatic" // dera, and nobody was asked
	ClosedApproved  = "approved"  // dera, after a person approved the plan
	ClosedOthers    = "others"    // it was resolved when dera looked again
)

// Spread is how long something took: how often, the median and the 95th percentile, nil for none.
type Spread struct {
	Count  int    `json:"count"`
	Median *int64 `json:"median_seconds"`
	P95    *int64 `json:"p95_seconds"`
}

// TimeToClose is how long findings were open until they were closed, from the authenticated event that
// opened them where one within the hour before is known, else from when dera first saw them, or saw
// that they had come back.
type TimeToClose struct {
	By string `json:"by"`
	Spread
}

// ControlClose is how long the findings of a control were open.
type ControlClose struct {
	Control string `json:"control"`
	Spread
	Automatic int `json:"automatic"` // of them closed without a person
}

// WeekCount is how many findings were opened in a week, or came back, and closed by whom.
type WeekCount struct {
	Begins    time.Time `json:"begins"`
	Opened    int       `json:"opened"`
	Automatic int       `json:"automatic"`
	Approved  int       `json:"approved"`
	Others    int       `json:"others"`
}

// Work is what became of remediations.
type Work struct {
	Fixed      int            `json:"fixed"`     // verified
	Automatic  int            `json:"automatic"` // of those, nobody was asked
	Approved   int            `json:"approved"`  // of those, a person approved
	RolledBack int            `json:"rolled_back"`
	By         []RolledBackBy `json:"rolled_back_by"` // who ordered that
	// Undone were taken back by dera itself, since what it read afterwards was not what was planned;
	// Failed are all that came to nothing, with those; UndoFailed need a person.
	Undone     int `json:"undone_by_dera"`
	Failed     int `json:"failed"`
	UndoFailed int `json:"undo_failed"`
	SideEffect int `json:"side_effects"` // of those fixed, something outside the plan changed too
}

// RolledBackBy is who ordered how many rollbacks.
type RolledBackBy struct {
	By    string `json:"by"`
	Count int    `json:"count"`
}

// Queue is what people were spared, and what waited for them.
type Queue struct {
	Automatic int `json:"closed_automatically"` // findings
	Asked     int `json:"asked"`                // plans that waited for a person at any time of the period
	Findings  int `json:"asked_findings"`       // of those plans
	Approved  int `json:"approved"`
	Rejected  int `json:"rejected"`
	Expired   int `json:"expired"` // nobody answered in time
	Obsolete  int `json:"obsolete"`
	Waiting   int `json:"waiting"`  // still, at the end of the period
	Reported  int `json:"reported"` // findings that only a person can close, first seen in the period
	// Saved is which part of all that a person would have had to handle was closed without one; nil
	// where there was nothing.
	Saved  *int   `json:"saved_percent"`
	Answer Spread `json:"time_to_answer"`
}

// Wrong is what speaks against what dera found and did. Only what a person or AWS said is counted: a
// finding that nobody judged is neither right nor wrong.
type Wrong struct {
	Fixed  int `json:"fixed"`        // in the period
	Denied int `json:"wrong"`        // of those, denied what is in use, as denials or what was given back for good show
	MayBe  int `json:"may_be_wrong"` // of those, may have
	Undone int `json:"undone"`       // of those, a person rolled back, then or later
	// Rejected are plans that a person rejected in the period, Exempted findings first seen in it that
	// the exemption list covers now.
	Rejected int `json:"rejected_plans"`
	Exempted int `json:"exempted_findings"`
	// Findings are those that any of these is about, each once, of Seen that were open in the period.
	Findings int `json:"findings"`
	Seen     int `json:"seen"`
}

// ExemptionDue is an exemption that expires soon, or has.
type ExemptionDue struct {
	Expiring
	Overdue bool `json:"overdue"`
}

// ReviewDue is a control whose review is due: whether it still does good.
type ReviewDue struct {
	Control  string `json:"control"`
	Title    string `json:"title"`
	Owner    string `json:"owner"`
	ReviewBy string `json:"review_by"`
	Overdue  bool   `json:"overdue"`
}

// WorkaroundWithin is how long after a fix the same access counts as opened to get past the fix.
const WorkaroundWithin = 30 * 24 * time.Hour

// mostWorkarounds is how many workarounds of a control are named.
const mostWorkarounds = 20

// Workarounds is what was opened within 30 days after fixes of a control, by who opened it.
type Workarounds struct {
	Control string `json:"control"`
	Fixes   int    `json:"fixes"`
	// Same were opened by the principal that had opened what was fixed, MayBe by another session of the
	// same role, NotKnown are those of which it is not known who opened one or the other.
	Same     int `json:"same_actor"`
	MayBe    int `json:"may_be"`
	NotKnown int `json:"not_known"`
	// CameBack are findings that were opened again themselves, by whomever.
	CameBack int `json:"came_back"`
	// Running are fixes whose 30 days are not over.
	Running int          `json:"running"`
	Found   []Workaround `json:"found"` // the latest first, 20 at most
}

// The ways of a workaround, and how sure it is.
const (
	SameResource    = "same resource"
	AnotherResource = "another resource"

	workaroundSame = "same actor"
	workaroundRole = "same role, another session"
)

// Workaround is a finding that opened again what a fix had closed.
type Workaround struct {
	Finding     string    `json:"finding"`
	Account     string    `json:"account"`
	Resource    dera.ARN  `json:"resource"`
	At          time.Time `json:"at"`
	Actor       string    `json:"actor"`
	Way         string    `json:"way"`  // same resource or another resource
	Sure        string    `json:"sure"` // same actor, or same role, another session
	Remediation string    `json:"remediation"`
	Fixed       time.Time `json:"fixed"`
}
