// Package cloudtrail is what the resource types of CloudTrail share: which events a
// trail records, the plan that has it record all management events, and its proof.
package cloudtrail

import (
	"cmp"
	"slices"
	"strings"

	"dera.example/dera"
)

// Selectors say which events a trail records: Basic or Advanced ones, never both, in
// the order in which CloudTrail gives them. An event is recorded that one of them
// takes.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
type Selectors struct {
	Basic    []Basic    `json:"basic,omitempty"`
	Advanced []Advanced `json:"advanced,omitempty"`
}

// Basic is an event selector.
type Basic struct {
	ReadWrite  string   `json:"read_write"` // All, ReadOnly or WriteOnly
	Management bool     `json:"management"`
	Exclude    []string `json:"exclude,omitempty"` // sources of management events
	Data       []Data   `json:"data,omitempty"`
}

// Data are the data events on some resources.
type Data struct {
	Type   string   `json:"type"`
	Values []string `json:"values"`
}

// Advanced is an advanced event selector: all of its fields must fit.
type Advanced struct {
	Name   string  `json:"name,omitempty"`
	Fields []Field `json:"fields"`
}

// Field is a condition on one field of an event.
type Field struct {
	Field         string   `json:"field"`
	Equals        []string `json:"equals,omitempty"`
	StartsWith    []string `json:"starts_with,omitempty"`
	EndsWith      []string `json:"ends_with,omitempty"`
	NotEquals     []string `json:"not_equals,omitempty"`
	NotStartsWith []string `json:"not_starts_with,omitempty"`
	NotEndsWith   []string `json:"not_ends_with,omitempty"`
}

const (
	all        = "All"
	category   = "eventCategory"
	management = "Management"
	mostBasic  = 5 // quota of a trail
)

// Default is what a trail records for which nobody set anything: all management
// events and no others.
func Default() *Selectors {
	return &Selectors{Basic: []Basic{{ReadWrite: all, Management: true}}}
}

// management reports whether the selector takes management events.
func (a Advanced) management() bool {
	return slices.ContainsFunc(a.Fields, func(f Field) bool { return f.Field == category && slices.Equal(f.Equals, []string{management}) })
}

// Missing says which management events are not recorded, or nothing where all are: what one
// selector leaves out another may take. most is true where at least those that read and those
// that write are, of every source but the two that AWS lets basic selectors leave out.
func (s Selectors) Missing() (why string, most bool) {
	var parts []string
	var reads, writes taken
	for _, b := range s.Basic {
		switch {
		case !b.Management:
			continue
		case b.ReadWrite != all:
			parts = append(parts, "only "+b.ReadWrite+" events are recorded")
		case len(b.Exclude) > 0:
			parts = append(parts, "events of "+strings.Join(b.Exclude, ", ")+" are left out")
		}
		reads.add(b.ReadWrite != writeOnly, b.Exclude)
		writes.add(b.ReadWrite != readOnly, b.Exclude)
	}
	for _, a := range s.Advanced {
		if !a.management() {
			continue
		}
		if len(a.Fields) > 1 {
			parts = append(parts, "only those are recorded for which "+a.narrows())
		}
		if read, write, without, ok := a.plain(); ok {
			reads.add(read, without)
			writes.add(write, without)
		}
	}
	if reads.all() && writes.all() {
		return "", true
	}
	return cmp.Or(strings.Join(parts, ", and "), "no management event is recorded"), reads.most() && writes.most()
}

const (
	readOnly  = "ReadOnly"
	writeOnly = "WriteOnly"
)

// taken are the events of one kind that selectors take together: of some sources none does.
type taken struct {
	any     bool
	without []string
}

func (t *taken) add(takes bool, without []string) {
	switch {
	case !takes:
		return
	case t.any:
		t.without = slices.DeleteFunc(t.without, func(source string) bool { return !slices.Contains(without, source) })
	default:
		t.any, t.without = true, slices.Clone(without)
	}
}

func (t taken) all() bool { return t.any && len(t.without) == 0 }

// most: the two sources are those that ExcludeManagementEventSources may have.
func (t taken) most() bool {
	return t.any && !slices.ContainsFunc(t.without, func(source string) bool {
		return source != "kms.amazonaws.com" && source != "rdsdata.amazonaws.com"
	})
}

// plain reads a selector of management events that says no more than basic ones can: whether
// it takes those that read and those that write, and without which sources.
func (a Advanced) plain() (reads, writes bool, without []string, ok bool) {
	reads, writes = true, true
	for _, f := range a.Fields {
		only := func(values []string) bool {
			return len(f.Equals)+len(f.StartsWith)+len(f.EndsWith)+len(f.NotEquals)+len(f.NotStartsWith)+len(f.NotEndsWith) == len(values)
		}
		switch {
		case f.Field == category:
		case f.Field == "readOnly" && len(f.Equals) == 1 && only(f.Equals) && (f.Equals[0] == "true" || f.Equals[0] == "false"):
			reads, writes = reads && f.Equals[0] == "true", writes && f.Equals[0] == "false"
		case f.Field == "eventSource" && len(f.NotEquals) > 0 && only(f.NotEquals):
			without = append(without, f.NotEquals...)
		default:
			return false, false, nil, false
		}
	}
	return reads, writes, without, true
}

// narrows are the conditions beside that on the category.
func (a Advanced) narrows() string {
	var out []string
	for _, f := range a.Fields {
		for _, op := range []struct {
			is     string
			values []string
		}{{"is", f.Equals}, {"begins with", f.StartsWith}, {"ends with", f.EndsWith}, {"is not", f.NotEquals}, {"does not begin with", f.NotStartsWith}, {"does not end with", f.NotEndsWith}} {
			if f.Field != category && len(op.values) > 0 {
				out = append(out, f.Field+" "+op.is+" "+strings.Join(op.values, ", "))
			}
		}
	}
	return strings.Join(out, " and ")
}

// Whole are the selectors with which all management events are recorded, and of all
// others just those that s takes. ok is false where CloudTrail does not take so many.
func (s Selectors) Whole() (out Selectors, ok bool) {
	if len(s.Advanced) > 0 {
		out.Advanced = slices.DeleteFunc(slices.Clone(s.Advanced), Advanced.management)
		out.Advanced = append([]Advanced{{Name: "Management events", Fields: []Field{{Field: category, Equals: []string{management}}}}}, out.Advanced...)
		return out.Sorted(), true
	}
	out.Basic = []Basic{{ReadWrite: all, Management: true}}
	for _, b := range s.Basic {
		if b.Management, b.Exclude = false, nil; len(b.Data) > 0 {
			out.Basic = append(out.Basic, b)
		}
	}
	return out.Sorted(), len(out.Basic) <= mostBasic
}

// Sorted are the selectors in an order of their own: that in which CloudTrail gives them
// decides nothing.
func (s Selectors) Sorted() (out Selectors) {
	for _, a := range s.Advanced {
		a.Fields = slices.Clone(a.Fields)
		slices.SortFunc(a.Fields, func(x, y Field) int { return cmp.Compare(text(x), text(y)) })
		out.Advanced = append(out.Advanced, a)
	}
	out.Basic = slices.Clone(s.Basic)
	slices.SortFunc(out.Basic, func(x, y Basic) int { return cmp.Compare(text(x), text(y)) })
	slices.SortFunc(out.Advanced, func(x, y Advanced) int { return cmp.Compare(text(x), text(y)) })
	return out
}

// text is a value as canonical JSON.
func text(v any) string {
	out, err := dera.CanonicalJSON(v)
	if err != nil {
		return "?" // values of the types of this package have JSON
	}
	return string(out)
}

// others are the selectors without management events, each as canonical JSON.
func (s Selectors) others() (out []string) {
	s = s.Sorted()
	for _, b := range s.Basic {
		if b.Management, b.Exclude = false, nil; len(b.Data) > 0 {
			out = append(out, text(b))
		}
	}
	for _, a := range s.Advanced {
		if !a.management() {
			out = append(out, text(a))
		}
	}
	slices.Sort(out)
	return out
}

// Diff are the lines of what changes from s to other selectors.
func (s Selectors) Diff(to Selectors) (out []string) {
	before, after := s.Sorted().lines(), to.Sorted().lines()
	for _, l := range before {
		if !slices.Contains(after, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range after {
		if !slices.Contains(before, l) {
			out = append(out, "+ "+l)
		}
	}
	return out
}

// lines are the selectors for people, one a line.
func (s Selectors) lines() (out []string) {
	for _, b := range s.Basic {
		line := "events " + b.ReadWrite
		if b.Management {
			line += ", management"
		}
		for _, x := range b.Exclude {
			line += ", without " + x
		}
		for _, d := range b.Data {
			line += ", data of " + d.Type + " " + strings.Join(d.Values, " ")
		}
		out = append(out, line)
	}
	for _, a := range s.Advanced {
		out = append(out, "events "+text(a))
	}
	return out
}
