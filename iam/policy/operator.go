package policy

import "strings"

// Operator is a condition operator taken apart:
// [ForAllValues:|ForAnyValue:]Test[IfExists].
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
type Operator struct {
	Set      SetOperator
	Test     string // base operator in AWS's spelling, e.g. "StringNotLike"
	IfExists bool
}

// SetOperator is the part of an operator that compares sets of values.
type SetOperator uint8

// The set operators.
const (
	NoSet SetOperator = iota
	ForAllValues
	ForAnyValue
)

const (
	forAllValues = "ForAllValues:"
	forAnyValue  = "ForAnyValue:"
	ifExists     = "IfExists"
)

// ParseOperator takes an operator apart; ok is false when AWS has none of that
// name. Null takes no IfExists: it asks about existence itself.
func ParseOperator(text string) (op Operator, ok bool) {
	rest := text
	if after, found := strings.CutPrefix(rest, forAllValues); found {
		op.Set, rest = ForAllValues, after
	} else if after, found := strings.CutPrefix(rest, forAnyValue); found {
		op.Set, rest = ForAnyValue, after
	}
	op.Test, op.IfExists = strings.CutSuffix(rest, ifExists)
	return op, knownTest(op.Test) && !(op.IfExists && op.Test == "Null")
}

// Negated reports whether the operator holds when none of the values matches.
// A negated operator is true for a request without the key.
func (o Operator) Negated() bool {
	return strings.Contains(o.Test, "Not")
}

// String puts the operator together again.
func (o Operator) String() string {
	s := o.Test
	switch o.Set {
	case ForAllValues:
		s = forAllValues + s
	case ForAnyValue:
		s = forAnyValue + s
	case NoSet:
	}
	if o.IfExists {
		s += ifExists
	}
	return s
}

func knownTest(test string) bool {
	switch test {
	case "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase",
		"StringLike", "StringNotLike",
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
		"NumericGreaterThan", "NumericGreaterThanEquals",
		"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals",
		"DateGreaterThan", "DateGreaterThanEquals",
		"Bool", "BinaryEquals", "IpAddress", "NotIpAddress",
		"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null":
		return true
	default:
		return false
	}
}
