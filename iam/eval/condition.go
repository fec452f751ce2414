package eval

import (
	"strings"

	"dera.example/dera/iam/policy"
)

// condition is one compiled line of a Condition element.
type condition struct {
	key       key
	op        policy.Operator
	negated   bool
	test      test
	variables []variable // of all values, for Reading.VoidNull
}

// test compares one value of the request with the values of the policy. It
// answers for the operator without its negation.
type test interface {
	match(value string, context Context) verdict
}

// verdict is the answer of a test. What a policy says and cannot be read holds
// neither for an operator nor for its negation.
type verdict uint8

const (
	differs verdict = iota
	matches
	untyped      // the value of the request is not of the operator's type
	incomparable // a value of the policy is not
)

// newCondition compiles a condition. One with an operator that AWS does not
// have never holds, so that it can only take a statement out of effect.
func newCondition(c policy.Condition, variables bool) condition {
	op, known := policy.ParseOperator(c.Operator)
	out := condition{key: newKey(c.Key), op: op, negated: op.Negated(), test: never{}}
	if !known {
		out.op, out.negated = policy.Operator{}, false
		return out
	}
	base := strings.Replace(op.Test, "Not", "", 1)
	switch {
	case op.Test == "Null":
		out.test = newNullTest(c.Values)
	case op.Test == "Bool":
		out.test = newBoolTest(c.Values)
	case op.Test == "BinaryEquals":
		out.test = newBinaryTest(c.Values)
	case base == "IpAddress":
		out.test = newAddressTest(c.Values)
	case strings.HasPrefix(base, "Numeric"):
		out.test = newNumberTest(newRelation(strings.TrimPrefix(base, "Numeric")), c.Values)
	case strings.HasPrefix(base, "Date"):
		out.test = newDateTest(newRelation(strings.TrimPrefix(base, "Date")), c.Values)
	case strings.HasPrefix(base, "Arn"):
		out.test, out.variables = newARNTest(c.Values, variables)
	default:
		out.test, out.variables = newStringTest(base, c.Values, variables)
	}
	return out
}

// holds evaluates the condition.
//
// Without a set operator a key with several values is treated as AWS does when
// such policies meet such keys: one matching value is enough, and a negated
// operator wants that none matches.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func (c *condition) holds(context Context, reading Reading) bool {
	present := c.key.of(context)
	if reading.EmptyIsNull && len(present) == 1 && present[0] == "" &&
		(c.op.Set != policy.NoSet || c.op.Test == "Null") {
		present = nil
	}
	if c.op.Test == "Null" && reading.PlainNull {
		return len(present) == 0 && c.test.(nullTest).absent || len(present) > 0 && c.test.(nullTest).present
	}
	if len(present) == 0 {
		return c.holdsAbsent()
	}
	if c.op.Set == policy.ForAllValues || c.op.Set == policy.NoSet && c.negated {
		for _, v := range present {
			if !c.accepts(v, context, reading) {
				return false
			}
		}
		return true
	}
	for _, v := range present {
		if c.accepts(v, context, reading) {
			return true
		}
	}
	return false
}

// accepts applies the operator, with its negation, to one value.
func (c *condition) accepts(value string, context Context, reading Reading) bool {
	if reading.LooseBool && c.op.Test == "Bool" && !strings.EqualFold(value, "true") {
		value = "false"
	}
	switch c.match(value, context, reading) {
	case matches:
		return !c.negated
	case differs:
		return c.negated
	case untyped:
		return c.negated && reading.UntypedDiffers
	case incomparable:
	}
	return false
}

// match compares, for which only the case of letters needs the reading.
func (c *condition) match(value string, context Context, reading Reading) verdict {
	if t, ok := c.test.(*stringTest); ok && t.fold {
		return t.matchFold(value, context, reading.ASCIIFold)
	}
	return c.test.match(value, context)
}

// holdsAbsent: "If the key that you specify in a policy condition is not
// present in the request context, the values do not match and the condition is
// false. If the policy condition requires that the key is not matched ... the
// condition is true." ForAllValues holds, ForAnyValue does not, whatever they
// qualify.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func (c *condition) holdsAbsent() bool {
	switch {
	case c.op.IfExists:
		return true
	case c.op.Set == policy.ForAllValues:
		return true
	case c.op.Set == policy.ForAnyValue:
		return false
	case c.op.Test == "Null":
		return c.test.(nullTest).absent
	default:
		return c.negated
	}
}

// never is the test of an operator that does not exist.
type never struct{}

func (never) match(string, Context) verdict { return incomparable }

// nullTest asks whether the key is absent. Its values are alternatives.
type nullTest struct{ absent, present bool }

func newNullTest(values []string) nullTest {
	var n nullTest
	for _, v := range values {
		n.absent = n.absent || strings.EqualFold(v, "true")
		n.present = n.present || strings.EqualFold(v, "false")
	}
	return n
}

func (n nullTest) match(string, Context) verdict { return asVerdict(n.present) }

func asVerdict(match bool) verdict {
	if match {
		return matches
	}
	return differs
}
