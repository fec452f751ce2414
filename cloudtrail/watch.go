package cloudtrail

import (
	"cmp"
	"slices"
	"strings"

	"dera.example/dera"
)

// Events is what one resource type listens to.
type Events struct {
	Type  string // the resource type
	Calls []Watched
	// Config are the resource types in compliance changes of AWS Config that
	// concern resources of the type.
	Config []Configured
	// Analyzed returns which resources a finding of Access Analyzer on a resource of the type
	// is a hint for, by the last part of its ARN; nil where it has none.
	Analyzed func(r Record, id string) []dera.Scope
	// Root returns what any call of a root user is a hint for, one that failed or only reads
	// too: see Record.OfRoot. nil where it is none.
	Root func(Record) []dera.Scope
	// Located tells a resource of the type by its ARN; the registry of the types fills it in.
	Located Located
}

// Watched is a call after which resources may be different.
type Watched struct {
	Source string // for example ec2.amazonaws.com
	Name   string
	// Find returns which resources a call that succeeded is a hint for. Where it
	// does not say, that is a sweep: in doubt dera looks at too much.
	Find func(Call) []dera.Scope
	// Region is where alone the events of a global service arrive; "" where the call
	// was made, dera.GlobalRegion for dera.Partition.Home.
	//
	// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events
	Region string
	// Reveals is the error code with which a refused call reports what there is;
	// "" where a refused call reports nothing.
	Reveals string
	// Document returns the whole document that the call wrote, which can hold
	// secrets; nil for a call that writes none.
	Document func(Call) string
	// Types are the resource types that listen to the call. NewWatch fills it in.
	Types []string
}

// Configured is a resource type as AWS Config has it.
type Configured struct {
	Type string
	// Find returns which resources a change of the resource with the ID is a hint
	// for; the record holds where that is.
	Find func(r Record, id string) []dera.Scope
}

// Calls are watched calls of one service that find their resources alike.
func Calls(source string, find func(Call) []dera.Scope, names ...string) []Watched {
	out := make([]Watched, 0, len(names))
	for _, n := range names {
		out = append(out, Watched{Source: source, Name: n, Find: find})
	}
	return out
}

// Naming finds the resource of a type that a call names with one of the members: in its
// answer, which of a copy names what is new, or else in its parameters.
func Naming(typ string, members ...string) func(Call) []dera.Scope {
	return func(c Call) []dera.Scope {
		for _, tree := range []Tree{c.Answer, c.Parameters} {
			for _, m := range members {
				if id := tree.Text(m); id != "" {
					return c.Scopes(typ, []string{id})
				}
			}
		}
		return c.Scopes(typ, nil)
	}
}

// Watch is what the resource types of a process listen to. The zero value listens
// to nothing. It is safe for concurrent use.
type Watch struct {
	calls  map[string]map[string]*Watched
	root   []rooted
	config []configured
	// analyzed are those of whose resources Access Analyzer has findings.
	analyzed []analyzed
	// located are the types, and rules what others find that is about them.
	located []Located
	rules   Rules
}

type rooted struct {
	find  func(Record) []dera.Scope
	owner string // the type that listens
}

type configured struct {
	Configured
	owner string // the type that listens
}

// NewWatch returns what the types listen to. Where several listen to one call, it
// is a hint for what each of them finds.
func NewWatch(types ...Events) Watch {
	w := Watch{calls: map[string]map[string]*Watched{}}
	for _, t := range types {
		for _, c := range t.Calls {
			c.Types = []string{t.Type}
			if w.calls[c.Source] == nil {
				w.calls[c.Source] = map[string]*Watched{}
			}
			if known := w.calls[c.Source][c.Name]; known != nil {
				c = known.with(c)
			}
			w.calls[c.Source][c.Name] = &c
		}
		if t.Located.ID != nil {
			w.located = append(w.located, t.Located)
		}
		if t.Root != nil {
			w.root = append(w.root, rooted{t.Root, t.Type})
		}
		if t.Analyzed != nil {
			w.analyzed = append(w.analyzed, analyzed{t.Analyzed, t.Type})
		}
		for _, c := range t.Config {
			w.config = append(w.config, configured{c, t.Type})
		}
	}
	return w
}

// with is the call for those who listen to either. What is named comes before the
// sweeps.
func (c Watched) with(o Watched) Watched {
	if o.Types[0] != c.Types[len(c.Types)-1] {
		c.Types = append(c.Types, o.Types...)
	}
	first, second := c.Find, o.Find
	c.Find = func(call Call) []dera.Scope {
		out := append(first(call), second(call)...)
		slices.SortStableFunc(out, func(a, b dera.Scope) int { return cmp.Compare(min(len(b.IDs), 1), min(len(a.IDs), 1)) })
		return out
	}
	c.Region, c.Reveals = cmp.Or(c.Region, o.Region), cmp.Or(c.Reveals, o.Reveals)
	if c.Document == nil {
		c.Document = o.Document
	}
	return c
}

// Hints returns where to look because of the event: one scope for each resource,
// or one sweep where the event does not name them. A failed call changes
// nothing and gives no hints, but that of a root user: it was used. The answer names
// what may have changed, never what it changed to.
func (w Watch) Hints(r Record) []dera.Scope {
	var out []dera.Scope
	if c := w.calls[r.Source][r.Name]; c != nil && !r.Failed() {
		out = c.Find(r.Call())
	}
	if r.OfRoot() {
		for _, t := range w.root {
			out = append(out, slices.DeleteFunc(t.find(r), func(s dera.Scope) bool {
				return slices.ContainsFunc(out, func(o dera.Scope) bool { return o.Key() == s.Key() })
			})...)
		}
	}
	return out
}

// Reveals reports whether a refused call reports what there is.
func (w Watch) Reveals(r Record) bool {
	c := w.calls[r.Source][r.Name]
	return c != nil && c.Reveals != "" && r.Failed() && (r.ErrorCode == c.Reveals || strings.HasSuffix(r.ErrorCode, "."+c.Reveals))
}

// Document is the whole document that the call wrote, or "". It can hold secrets.
func (w Watch) Document(r Record) string {
	c := w.calls[r.Source][r.Name]
	if c == nil || c.Document == nil || r.Failed() {
		return ""
	}
	return c.Document(r.Call())
}

// Calls lists the calls that can give hints, sorted. An EventBridge rule must
// let at least these through.
func (w Watch) Calls() []Watched {
	var out []Watched
	for _, calls := range w.calls {
		for _, c := range calls {
			out = append(out, *c)
		}
	}
	slices.SortFunc(out, func(a, b Watched) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// HintsOf returns where to look because of a compliance change. That something
// complies now is as good a reason as that it does not any more; what could not be
// evaluated is none. A resource type that no type listens to gives no hint.
func (w Watch) HintsOf(c Compliance) []dera.Scope {
	if c.Result != compliant && c.Result != notCompliant {
		return nil
	}
	var out []dera.Scope
	for _, t := range w.config {
		if t.Type == c.ResourceType {
			out = append(out, t.Find(Record{Partition: c.Partition, Account: c.Account, Region: c.Region}, c.ResourceID)...)
		}
	}
	return out
}

// ConfigTypes are the resource types of AWS Config that types listen to, with those types.
func (w Watch) ConfigTypes() map[string][]string {
	out := map[string][]string{}
	for _, c := range w.config {
		if !slices.Contains(out[c.Type], c.owner) {
			out[c.Type] = append(out[c.Type], c.owner)
		}
	}
	return out
}
