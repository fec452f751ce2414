package catalog

import (
	_ "embed"
	"slices"
	"strings"
)

//go:embed events.txt
var eventsText string

// Call is what an event tells about the use of actions.
type Call struct {
	Actions []string // the call was authorized by each of these
	Maybe   []string // and in some calls by these
}

// events is events.txt, without its names of sources.
type events struct {
	calls    map[string]Call // "prefix Event"
	patterns []eventPattern
}

type eventPattern struct {
	service, prefix string // of the name of the event
	call            Call
}

func parseEvents() *events {
	e := &events{calls: map[string]Call{}}
	for words := range lines(eventsText) {
		if words[0][0] == '@' {
			continue // observed.bin has these, with those of the API models
		}
		var c Call
		into := &c.Actions
		for _, w := range words[2:] {
			switch w {
			case "+":
				into = &c.Maybe
			case "-":
			default:
				*into = append(*into, w)
			}
		}
		if name, ok := strings.CutSuffix(words[1], "*"); ok {
			e.patterns = append(e.patterns, eventPattern{words[0], name, c})
			continue
		}
		e.calls[words[0]+" "+words[1]] = c
	}
	return e
}

// lines yields the words of each line that says something.
func lines(text string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		for line := range strings.Lines(text) {
			if words := strings.Fields(line); len(words) > 0 && words[0] != "#" && !yield(words) {
				return
			}
		}
	}
}

// Prefixes returns the IAM prefixes that an event source such as
// "monitoring.amazonaws.com" may stand for, or a prefix itself; none where it is
// not known: then nothing at all of its principal may be called unused.
func (c *Catalog) Prefixes(source string) []string {
	source = strings.TrimSuffix(strings.ToLower(source), ".cn")
	for _, suffix := range []string{".amazonaws.com", ".amazon.com", ".amazon.aws", ".api.aws", ".aws"} {
		source = strings.TrimSuffix(source, suffix)
	}
	if found, ok := theObserved().sources[source]; ok {
		return slices.Clone(found)
	}
	if c.Known(source) {
		return []string{source}
	}
	return slices.Clone(theObserved().sources[strings.NewReplacer(".", "", "-", "", "_", "").Replace(source)])
}

// Event returns which actions an event of CloudTrail used. It reports false for
// an event that is not known: then nothing of the services of Prefixes may be
// called unused.
func (c *Catalog) Event(source, name string) (Call, bool) {
	for _, prefix := range c.Prefixes(source) {
		if call, ok := c.event(prefix, name); ok {
			return call, true
		}
	}
	return Call{}, false
}

func (c *Catalog) event(prefix, name string) (Call, bool) {
	if call, ok := c.named(prefix, name); ok {
		return call, true
	}
	if n := undated(name); n != name {
		if call, ok := c.named(prefix, n); ok {
			return call, true
		}
	}
	for _, p := range c.events().patterns {
		if p.service == prefix && strings.HasPrefix(name, p.prefix) {
			return p.call.clone(), true
		}
	}
	return Call{}, false
}

// named is the event of just that name.
func (c *Catalog) named(prefix, name string) (Call, bool) {
	key := prefix + " " + name
	if call, ok := c.events().calls[key]; ok {
		return call.clone(), true
	}
	if verb, ok := theObserved().verbs[key]; ok {
		return Call{Actions: []string{verb}}, true
	}
	if k := c.Find(prefix + ":" + name); k != nil {
		return Call{Actions: []string{k.Name}}, true
	}
	return Call{}, false
}

func (c Call) clone() Call { return Call{slices.Clone(c.Actions), slices.Clone(c.Maybe)} }

// undated cuts the API version from the name of an event, as in
// "CreateFunction20150331v2" and "GetDistribution2020_05_31".
func undated(name string) string {
	rest := name
	if i := strings.LastIndexByte(rest, 'v'); i > 0 && i == len(rest)-2 && digits(rest[i+1:]) {
		rest = rest[:i]
	}
	if n := len(rest) - len("20150331"); n > 0 && digits(rest[n:]) {
		return rest[:n]
	}
	if n := len(rest) - len("2020_05_31"); n > 0 && digits(strings.ReplaceAll(rest[n:], "_", "")) {
		return rest[:n]
	}
	return name
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
