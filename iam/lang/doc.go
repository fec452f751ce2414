// Package lang decides questions about the value languages of IAM policies:
// unions of globs for text and unions of intervals for addresses, numbers and
// dates.
//
// One question is enough for everything that iam/reason asks: is there a value
// that lies in all of these sets? [Solve] answers it for text and returns a
// shortest value, [Ranges.Meet] answers it for intervals. Both are exact for
// sets without policy variables. A policy variable is treated soundly: an
// answer of [Empty] holds for every value that the variables may take, and a
// value that was found while variables were involved is only a [Maybe].
//
// Everything in this package is immutable after construction and safe for
// concurrent use. The package imports nothing but the standard library.
package lang
