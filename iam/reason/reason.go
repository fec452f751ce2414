// Package reason answers questions about all requests at once: does one policy
// grant anything that another does not, are two policies the same, does a
// policy allow any of these actions, can an external principal use it.
//
// Every answer is about the safe side of a claim. Proved means that no request
// whatever contradicts it. Refuted comes with a request that does, and that
// iam/eval, which shares no code with this package, has confirmed on the
// documents themselves. Everything else is Unknown, with a reason: a limit was
// reached, a policy variable left a doubt, or the readings of AWS's
// documentation disagree. Only Proved may lead to automation.
//
// docs/reasoning.md explains the method and its assumptions.
package reason

import (
	"dera.example/dera/iam/eval"
)

// Conclusion is the kind of an answer.
type Conclusion uint8

const (
	// Unknown: not decided. It is the zero value, so that an answer that was
	// never given proves nothing.
	Unknown Conclusion = iota
	// Proved: no request contradicts the claim.
	Proved
	// Refuted: Answer.Witness contradicts the claim.
	Refuted
)

// String returns the verdict in lower case.
func (v Conclusion) String() string {
	switch v {
	case Proved:
		return "proved"
	case Refuted:
		return "refuted"
	case Unknown:
	}
	return "unknown"
}

// Answer is the answer to one question.
type Answer struct {
	Verdict Conclusion
	Why     Cause  // of Unknown
	Detail  string // of Unknown, for people
	// Witness contradicts the claim under the first of Readings; only with Refuted.
	Witness *Witness
	// Readings are those under which the question was answered; those that make
	// no difference to the documents are left out.
	Readings []Reading
	Stats    Stats
}

// Cause says why a question was not decided.
type Cause uint8

const (
	// NoCause is the cause of a decided answer.
	NoCause Cause = iota
	// Limit: a cap of Config was reached.
	Limit
	// Cancelled: the context ended first.
	Cancelled
	// Variables: the answer depends on policy variables or on a condition that
	// cannot be read, and no request was found that shows it.
	Variables
	// Semantics: the readings of AWS's documentation disagree.
	Semantics
	// Unconfirmed: a request was found, but iam/eval does not agree about it.
	Unconfirmed
	// Refused: AWS refuses the document, so that it means nothing.
	Refused
	// Unrecognised: it depends on a condition key that nobody knows, or on whose
	// ARNs a pattern matches.
	Unrecognised
	// Unchecked: the engine proves it, and the independent checker does not
	// confirm it.
	Unchecked
)

// String returns the cause in lower case.
func (c Cause) String() string {
	switch c {
	case NoCause:
		return "none"
	case Limit:
		return "limit"
	case Cancelled:
		return "cancelled"
	case Variables:
		return "variables"
	case Semantics:
		return "semantics"
	case Unconfirmed:
		return "unconfirmed"
	case Refused:
		return "refused"
	case Unrecognised:
		return "unrecognised"
	case Unchecked:
		return "unchecked"
	}
	return "invalid cause"
}

// Witness is a request that shows that a claim does not hold.
type Witness struct {
	Request   eval.Request
	Statement Ref // of the statement that allows it
	Reading   Reading
}

// Stats tells how much work an answer was.
type Stats struct {
	Nodes int // nodes of the search
	Calls int // questions about one dimension
}

// Config limits the work of a question and says how to read the documents. The
// zero value is ready.
type Config struct {
	// MaxStates is how many automaton states one question may visit under one
	// reading; 0 means 200,000.
	MaxStates int
	// MaxNodes is how many case splits one question may make under one reading;
	// 0 means 10,000.
	MaxNodes int
	// Arity says how many values a condition key may carry; nil means
	// [GlobalArity]. Keys that are used with a set operator and that it does not
	// know carry many.
	Arity func(key string) Arity
	// Type says what values a condition key has; nil means [GlobalType].
	Type func(key string) Type
	// Known reports whether there is a condition key; nil means the keys that AWS
	// documents for every service and those of the catalogue. It is asked about
	// public access only.
	Known func(key string) bool
	// Owner is the account of the resource, where known; for public access only.
	Owner string
	// Readings are the readings that must agree; nil means [AllReadings].
	Readings []Reading

	memory memory // see [Config.Remember]
}

func (c Config) withDefaults() Config {
	if c.MaxStates == 0 {
		c.MaxStates = 200_000
	}
	if c.MaxNodes == 0 {
		c.MaxNodes = 10_000
	}
	if c.Arity == nil {
		c.Arity = GlobalArity
	}
	if c.Type == nil {
		c.Type = GlobalType
	}
	return c
}
