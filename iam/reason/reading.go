package reason

import (
	"slices"
	"strings"

	"dera.example/dera/iam/eval"
)

// Reading is one way to read what AWS's documentation leaves open. A question
// is answered under every reading that makes a difference; where they
// disagree, the answer is unknown.
type Reading struct {
	eval.Reading
	// ManyValues lets a condition key of which the type is not known carry
	// several values in one request.
	ManyValues bool
}

// String names the choices of the reading that differ from the zero value.
func (r Reading) String() string {
	var out []string
	for _, c := range []struct {
		on   bool
		name string
	}{
		{r.PlainGlobs, "wildcards in resources cross colons"},
		{r.LiteralARNs, "short ARNs are taken to the letter"},
		{r.VoidNull, "a variable without value voids its statement"},
		{r.EmptyIsNull, "an empty text counts as absent"},
		{r.PlainNull, "Null takes no notice of a set operator"},
		{r.UntypedDiffers, "a value of another type fulfils a negated operator"},
		{r.ASCIIFold, "case is disregarded for the letters a to z only"},
		{r.ManyValues, "keys of unknown type carry many values"},
	} {
		if c.on {
			out = append(out, c.name)
		}
	}
	if out == nil {
		return "default"
	}
	return strings.Join(out, "; ")
}

// AllReadings returns every reading, the one that AWS's documentation and its
// published verdicts support first.
func AllReadings() []Reading {
	var out []Reading
	for _, many := range []bool{false, true} {
		for _, r := range eval.Readings() {
			out = append(out, Reading{r, many})
		}
	}
	return out
}

// choices records which choices of a reading made a difference to a
// translation: those that are true.
type choices struct{ made Reading }

// options are the choices of a reading one by one.
func (r *Reading) options() [8]*bool {
	return [...]*bool{
		&r.PlainGlobs, &r.LiteralARNs, &r.VoidNull, &r.EmptyIsNull,
		&r.PlainNull, &r.UntypedDiffers, &r.ASCIIFold, &r.ManyValues,
	}
}

// only returns the reading without the choices that make no difference.
func (c choices) only(r Reading) Reading {
	made := c.made.options()
	for i, option := range r.options() {
		*option = *option && *made[i]
	}
	r.LooseBool = false // not among the readings
	return r
}

// add joins what two translations recorded.
func (c choices) add(o choices) choices {
	more := o.made.options()
	for i, option := range c.made.options() {
		*option = *option || *more[i]
	}
	return c
}

// next returns a reading that makes a difference to all that were used, among
// those given or, where none are, among all; false when there is none.
func (c choices) next(given, used []Reading) (Reading, bool) {
	isNew := func(r Reading) bool {
		return !slices.ContainsFunc(used, func(u Reading) bool { return c.only(u) == c.only(r) })
	}
	if given != nil {
		at := slices.IndexFunc(given, isNew)
		if at < 0 {
			return Reading{}, false
		}
		return given[at], true
	}
	var r Reading // counts through the choices that make a difference
	made, options := c.made.options(), r.options()
	for {
		if isNew(r) {
			return r, true
		}
		i := 0
		for ; i < len(options); i++ {
			if *made[i] {
				if *options[i] = !*options[i]; *options[i] {
					break
				}
			}
		}
		if i == len(options) {
			return Reading{}, false
		}
	}
}

// Arity says how many values of a condition key one request may carry.
type Arity uint8

const (
	// ArityUnknown asks for both readings.
	ArityUnknown Arity = iota
	// One value at most.
	One
	// Many values.
	Many
)

// GlobalArity knows the condition keys that AWS documents for every service. It
// does not know the keys of the services, except for tags, which are
// single-valued everywhere.
//
// Source: IAM User Guide, "AWS global condition context keys".
func GlobalArity(key string) Arity {
	key = strings.ToLower(key)
	switch key {
	case "aws:tagkeys", "aws:calledvia", "aws:principalorgpaths", "aws:resourceorgpaths",
		"aws:sourceorgpaths", "aws:vpceorgpaths", "aws:principalservicenameslist":
		return Many
	case "aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalisawsservice",
		"aws:principalservicename", "aws:principaltype", "aws:userid", "aws:username",
		"aws:assumedroot", "aws:federatedprovider", "aws:tokenissuetime", "aws:multifactorauthage",
		"aws:multifactorauthpresent", "aws:chatbotsourcearn", "aws:ec2instancesourcevpc",
		"aws:ec2instancesourceprivateipv4", "aws:sourceidentity", "aws:sourceip", "aws:sourcevpc",
		"aws:sourcevpcarn", "aws:sourcevpce", "aws:vpceaccount", "aws:vpceorgid", "aws:vpcsourceip",
		"aws:resourceaccount", "aws:resourceorgid", "aws:calledviafirst", "aws:calledvialast",
		"aws:viaawsservice", "aws:currenttime", "aws:epochtime", "aws:referer", "aws:requestedregion",
		"aws:securetransport", "aws:sourceaccount", "aws:sourcearn", "aws:sourceowner", "aws:sourceorgid", "aws:useragent":
		return One
	}
	for _, tag := range []string{":principaltag/", ":resourcetag/", ":requesttag/"} {
		if strings.Contains(key, tag) {
			return One
		}
	}
	return ArityUnknown
}
