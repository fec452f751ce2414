package eval

// Reading settles what AWS's documentation leaves open. The zero value is what
// AWS's documentation and its published verdicts say together; a proof should
// hold under all of Readings.
type Reading struct {
	// PlainGlobs lets "*" and "?" in a resource cross the colons of an ARN.
	// The verdicts that AWS publishes for CheckNoNewAccess need the opposite
	// ("*:*:stack/My/*" does not cover "*:*:stack/NotMy/*"), though the page
	// on Resource says: "If the * wildcard is the last character of a resource
	// ARN segment, it can expand to match beyond the colon boundaries."
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
	PlainGlobs bool

	// LiteralARNs takes a short ARN such as "arn:aws:sqs" to the letter. AWS's
	// messages show it filled up with "*": Partition "b" is not valid for
	// resource "arn:b:c:*:*:*". Evaluate takes the resources of resource
	// policies to the letter always.
	LiteralARNs bool

	// VoidNull takes a statement out of effect as a whole where one of its
	// variables has no value: "If AWS cannot resolve a variable this might
	// cause the entire statement to be invalid." Otherwise such a value matches
	// nothing, so that a negated operator holds: "Inverted condition operators
	// like StringNotEquals or StringNotLike do match against a null value".
	// Both are on
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
	VoidNull bool

	// EmptyIsNull counts a key whose only value is the empty string as absent
	// for Null and the set operators: ForAllValues is true "if the context key
	// value resolves to a null dataset, such as an empty string". Otherwise the
	// empty string is a value like others, as s3:prefix needs it.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
	EmptyIsNull bool

	// PlainNull reads Null with a set operator as Null alone. Otherwise the set
	// operator decides about a key that is absent: ForAllValues holds and
	// ForAnyValue does not. The grammar allows both, and no page says what they
	// mean together: the page on set operators knows comparisons of values only.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
	PlainNull bool

	// UntypedDiffers lets a negated operator hold for a value that is not of the
	// operator's type: a text under NumericNotEquals, DateNotEquals, NotIpAddress
	// or ArnNotLike. Otherwise such a value matches neither an operator nor its
	// negation. The page on operators says only that they need values of their
	// type, not what a negation makes of others.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
	UntypedDiffers bool

	// ASCIIFold disregards case for the letters a to z only. Otherwise
	// StringEqualsIgnoreCase disregards it for all letters of Unicode. The page on
	// operators says "case-insensitive" and no more.
	ASCIIFold bool

	// LooseBool takes every value of a request but "true" as false under Bool,
	// as the policy simulator does. Otherwise only "false" is false. It is not
	// among Readings: a value that cannot be converted does not match.
	LooseBool bool
}

// Readings returns every reading that makes a difference for requests as AWS
// sees them, the zero value first.
func Readings() []Reading {
	var all []Reading
	for i := range 128 {
		all = append(all, Reading{
			PlainGlobs: i&1 != 0, LiteralARNs: i&2 != 0, VoidNull: i&4 != 0, EmptyIsNull: i&8 != 0,
			PlainNull: i&16 != 0, UntypedDiffers: i&32 != 0, ASCIIFold: i&64 != 0,
		})
	}
	return all
}
