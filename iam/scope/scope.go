// Package scope narrows an identity policy to what is used: it makes the
// smallest readable edit that drops the actions that nobody needs.
//
// Only entries of Action in Allow statements are dropped, or replaced in place
// by those of their actions that stay. Deny, NotAction, Resource, Condition and
// Sid are never touched, nor is any byte that need not change. What stays is
// what was used, and everything about which the absence of use cannot be shown:
// see the reasons of the Result.
//
// A Result is a proposal. That it grants nothing new, loses nothing that must
// stay and has lost what it says is for dera/iam/proof to prove.
package scope

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
)

// Input is what a policy is narrowed by.
type Input struct {
	Policy *policy.Document
	// Usage is that of every principal that the policy is attached to: an action
	// stays when one of them used it.
	Usage []Usage
	// Catalogue says which actions there are; nil means the embedded one.
	Catalogue *catalog.Catalog
	// Keep are entries, as in an Action list, of what must stay whatever was used.
	Keep []string
	// Hold says why an action stays although nothing shows that it is needed, or "";
	// nil holds none.
	Hold func(action string) string
	// Beside is everything else that is attached to the principals.
	Beside []*policy.Document
	// DataEvents reports whether the calls of an action, which are data events,
	// were recorded throughout the window; nil means none were.
	DataEvents func(action string) bool
	// Window is how long the use was watched. Actions of emergencies and audits
	// are dropped only when it is at least Period.
	Window time.Duration
	// Period is how often these actions are used at least; 0 means a year.
	Period time.Duration
	// Kind says what limits the size; Limit, if it is not 0, is the limit.
	Kind  policy.Kind
	Limit int

	record *record // of Usage, once it was prepared
}

// Usage is what one principal did.
type Usage struct {
	Principal string
	Actions   []string
	// Unclear are the services, by prefix or by source of events, of which there
	// were events that the catalogue does not know: nothing of them counts as
	// unused. One that stands for no service makes everything doubtful.
	Unclear []string
	// Gaps are the kinds of what the record of use does not cover, as the ledger
	// names them. Only gaps about data events, KMS and RDS Data leave something
	// that can be called unused.
	Gaps []string
}

// The gaps that are about some services, or some calls, only.
const (
	gapDataEvents = "data-events-not-selected"
	gapKMS        = "kms-excluded"
	gapRDSData    = "rds-data-excluded"
)

// unclear returns the services that are unclear, also by a gap.
func (u Usage) unclear() []string {
	out := slices.Clone(u.Unclear)
	for _, g := range u.Gaps {
		switch g {
		case gapKMS:
			out = append(out, "kms")
		case gapRDSData:
			out = append(out, "rds-data")
		}
	}
	return out
}

// blocking returns a gap because of which nothing can be called unused, or "".
func (u Usage) blocking() string {
	for _, g := range u.Gaps {
		if g != gapDataEvents && g != gapKMS && g != gapRDSData {
			return g
		}
	}
	return ""
}

// Outcome says what is to be done.
type Outcome uint8

// The outcomes.
const (
	// Refused: a person must look at the policy; Result.Why says why.
	Refused Outcome = iota
	// Nothing: everything that the policy allows stays.
	Nothing
	// Narrowed: Result.Documents take the place of the policy.
	Narrowed
	// Detach: nothing of the policy is left. Detaching it can be undone, and
	// keeps it; it is not deleted.
	Detach
)

// String names the outcome.
func (o Outcome) String() string {
	switch o {
	case Refused:
		return "refused"
	case Nothing:
		return "nothing to do"
	case Narrowed:
		return "narrowed"
	case Detach:
		return "detach"
	}
	return "invalid outcome"
}

// Result is a proposal.
type Result struct {
	Outcome Outcome
	Why     string // of Refused
	// Documents take the place of the policy: one, or two where one would be
	// larger than AWS stores.
	Documents []*policy.Document
	// Edits make the first document from the policy, unless it was split.
	Edits   []policy.Edit
	Reasons []Reason // one for each entry, in order
	// Kept are the actions of the policy that stay, sorted.
	Kept []string
	// Removed are entries, as in an Action list, that cover all that was
	// dropped and that no document allows anything of.
	Removed []string
	// Unused says of each action that was dropped why its absence from the record
	// of use means that it was not used.
	Unused []Unused
	// Broad are the services that are kept as a whole for want of room.
	Broad       []string
	Size, Limit int // of the largest document, and what AWS stores
}

// Reason says what becomes of one entry of an Action list, and why.
type Reason struct {
	Statement int    `json:"statement"` // counted from zero
	Sid       string `json:"sid,omitempty"`
	Entry     string `json:"entry"`
	Fate      Fate   `json:"fate"`
	// With takes the place of the entry, if it is replaced.
	With []string `json:"with,omitempty"`
	// Why has one line for each group of actions of the entry.
	Why []string `json:"why"`
}

// Fate says what becomes of an entry.
type Fate string

// The fates.
const (
	Kept     Fate = "kept"
	Dropped  Fate = "dropped"
	Replaced Fate = "replaced"
)

// Narrow proposes the smallest edit. The error is about the input; a policy
// that cannot be narrowed by a program is Refused.
func Narrow(in Input) (*Result, error) {
	if in.Policy == nil {
		return nil, errors.New("narrow policy: there is none")
	}
	why, err := in.ready()
	switch {
	case err != nil:
		return nil, err
	case why != "":
		return &Result{Outcome: Refused, Why: why}, nil
	}
	return narrow(in)
}

// ready fills in what was left out, and says why a person must narrow the policy.
func (in *Input) ready() (refused string, err error) {
	if in.Catalogue == nil {
		in.Catalogue = catalog.Embedded()
	}
	if in.Period == 0 {
		in.Period = 365 * 24 * time.Hour
	}
	if in.Limit == 0 {
		in.Limit = in.Kind.SizeLimit()
	}
	if in.record != nil {
		return refusal(in.Policy), nil
	}
	var errs []error
	for _, u := range in.Usage {
		for _, a := range u.Actions {
			if service, name, ok := strings.Cut(a, ":"); !ok || service == "" || name == "" || strings.ContainsAny(a, "*? ") {
				errs = append(errs, fmt.Errorf("narrow policy: %q, used by %q, is no action", a, u.Principal))
			} else if err := in.Catalogue.KnownAction(a); err != nil {
				errs = append(errs, fmt.Errorf("narrow policy: used by %q: %w", u.Principal, err))
			}
		}
		if g := u.blocking(); g != "" && len(errs) == 0 {
			return fmt.Sprintf("the record of what %q used has a gap (%s): nothing can be called unused", u.Principal, g), nil
		}
		if slices.Contains(u.Gaps, gapDataEvents) {
			in.DataEvents = nil
		}
	}
	if len(errs) > 0 {
		return "", errors.Join(errs...)
	}
	return refusal(in.Policy), nil
}

// refusal says why a person must narrow a policy.
func refusal(doc *policy.Document) string {
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect != policy.Allow {
			continue
		}
		switch {
		case st.NotActions != nil:
			return fmt.Sprintf("statement %d allows everything but a list (NotAction): a person must say what it is for", i+1)
		case st.Principals != nil || st.NotPrincipals != nil:
			return fmt.Sprintf("statement %d names principals: this is no identity policy", i+1)
		}
	}
	return ""
}

// narrow tries in turn to make the result fit: lists, shorter lists with
// wildcards that add nothing, two documents, services kept as a whole.
func narrow(in Input) (*Result, error) {
	n := newNarrower(in)
	for {
		var p *plan
		var r *Result
		for _, short := range []bool{false, true} {
			var err error
			p = n.plan(short)
			if r, err = n.result(p); err != nil || r.fits() {
				return r, err
			}
		}
		excess := r.Size - maxDocuments*in.Limit
		if excess <= 0 {
			if docs, ok := split(r.Documents[0], in); ok {
				r.Documents, r.Edits, r.Size = docs, nil, largest(docs, in.Kind)
				return r, nil
			}
		}
		if !n.broaden(p, excess) {
			return &Result{Outcome: Refused, Why: fmt.Sprintf("what stays has %d characters, AWS stores %d", r.Size, r.Limit)}, nil
		}
	}
}

// fits reports whether AWS stores the documents.
func (r *Result) fits() bool { return r.Outcome != Narrowed || r.Limit == 0 || r.Size <= r.Limit }
