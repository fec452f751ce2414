package cloudtrail

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
)

// Call is a record with its parameters and its answer taken apart.
type Call struct {
	Record
	Parameters, Answer Tree
}

// Call takes the parameters and the answer apart, also where CloudTrail wraps them
// in the name of the call.
func (r Record) Call() Call {
	return Call{r, treeOf(r.Request, r.Name+"Request"), treeOf(r.Response, r.Name+"Response")}
}

// Lost is the error for a call that changed something and does not report what.
func (c Call) Lost(why string) error { return fmt.Errorf("%s: %s", c.Name, why) }

// maxIDs bounds how many resources of one event are looked at one by one.
const maxIDs = 100

// Sweep is a look at all resources of a type where the event happened.
func (r Record) Sweep(typ string) []dera.Scope {
	return []dera.Scope{{Partition: r.Partition, Account: r.Account, Region: r.Region, Type: typ}}
}

// maxID bounds an ID, in bytes.
const maxID = 2048

// noID reports whether a text is the ID of nothing that AWS has: all of these are printable ASCII. PostgreSQL takes no
// text with U+0000, so that an event with such an ID could never be committed.
func noID(text string) bool {
	return len(text) > maxID || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' })
}

// Scopes is one look for each ID, or a sweep for none, for very many, and where one cannot be an ID.
func (r Record) Scopes(typ string, ids []string) []dera.Scope {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 || len(ids) > maxIDs || slices.ContainsFunc(ids, noID) {
		return r.Sweep(typ)
	}
	out := make([]dera.Scope, 0, len(ids))
	for _, id := range ids {
		s := r.Sweep(typ)[0]
		s.IDs = []string{id}
		out = append(out, s)
	}
	return out
}

// In is the record as if the call had been made in the region.
func (r Record) In(region string) Record {
	r.Region = region
	return r
}

// IsRegion reports whether a parameter has the form of a region's name.
func IsRegion(s string) bool {
	return len(s) <= 32 && strings.Count(s, "-") >= 2 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
