package check

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"sync"

	"dera.example/dera/iam/catalog"
)

// observed is the table of what CloudTrail shows of each action, as the checker
// reads it for itself from the text that the program carries.
type observed struct {
	digest   string
	inputs   string
	services map[string]*service
}

type service struct {
	mode, document, read string
	actions              []row // sorted by name, in lower case
}

// row is an action of the table: in lower case but for its name.
type row struct {
	name  string // "s3:GetObject"
	low   action
	class byte // M, D, H or U
	reads bool
	list  string // what it is used with, where a colon stands for the own service
}

// with returns the entries that the action is used with.
func (r *row) with() []string {
	out := strings.Fields(r.list)
	for i, w := range out {
		if w[0] == ':' {
			out[i] = r.low.service + w
		}
	}
	return out
}

// theTable is the table that is compiled in, a constant that is decoded once and
// never written to.
var theTable = sync.OnceValues(func() (*observed, error) {
	text, err := catalog.ObservedText()
	if err != nil {
		return nil, err
	}
	return readTable(text, catalog.ObservedDigest())
})

func readTable(text, digest string) (*observed, error) {
	o := &observed{digest: digest, services: map[string]*service{}}
	var prefix string
	var s *service
	first := true
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		fields := strings.Split(line, "\t")
		switch {
		case first:
			o.inputs, first = line, false
		case strings.HasPrefix(line, "@"), strings.HasPrefix(line, "&"):
		case strings.HasPrefix(line, "!") && len(fields) == 5:
			prefix, s = fields[0][1:], &service{mode: fields[1], read: fields[3], document: fields[4]}
			o.services[prefix] = s
		case strings.HasPrefix(line, "=") && s != nil && len(s.actions) > 0:
			s.actions[len(s.actions)-1].list = line[1:]
		case len(fields) >= 2 && len(fields[0]) > 2 && s != nil:
			name := prefix + ":" + fields[0][2:]
			s.actions = append(s.actions, row{name: name, low: newAction(strings.ToLower(name)), class: line[0], reads: line[1] == 'r'})
		default:
			return nil, errors.New("the table of observed actions cannot be read")
		}
	}
	return o, nil
}

// source is what a certificate says of the class of an action.
func (s *service) source(class byte) (name, source string) {
	switch class {
	case 'M':
		return "O1", s.document + " " + s.read
	case 'D':
		return "O2", ""
	case 'H':
		return "O3", ""
	}
	return "O4", ""
}

// each calls visit with the rows that an element of actions may contain.
func (o *observed) each(s *actions, visit func(*service, *row)) {
	if s.all {
		for _, known := range o.services {
			for i := range known.actions {
				visit(known, &known.actions[i])
			}
		}
		return
	}
	done := map[string]bool{}
	for i := range s.entries {
		prefix := s.entries[i].service
		known := o.services[prefix]
		if known == nil || done[prefix] {
			continue
		}
		done[prefix] = true
		if len(s.globs[prefix]) == 0 {
			for _, name := range s.namesOf(prefix) {
				at, ok := slices.BinarySearchFunc(known.actions, name, func(r row, name string) int { return cmp.Compare(r.low.name, name) })
				if ok {
					visit(known, &known.actions[at])
				}
			}
			continue
		}
		for i := range known.actions {
			if r := &known.actions[i]; !s.excludes(r.low) {
				visit(known, r)
			}
		}
	}
}

// any reports whether an element of actions contains something that an entry of
// row.with stands for.
func (o *observed) any(s *actions, with string) bool {
	prefix, name, _ := strings.Cut(strings.ToLower(with), ":")
	if name != catalog.NoPureRead {
		return !s.excludes(newAction(strings.ToLower(with)))
	}
	known := o.services[prefix]
	if known == nil || s.excludes(newAction(prefix+":*")) {
		return false
	}
	if s.all {
		return true
	}
	for i := range known.actions {
		if r := &known.actions[i]; !r.reads && !s.excludes(r.low) {
			return true
		}
	}
	return false
}
