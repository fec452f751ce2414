package catalog

import "strings"

// Known is an action with what is known of it. It is made once and shared: nobody may
// change it.
type Known struct {
	Evidence
	Name  string // with its service, as AWS writes it
	Lower string // Name in lower case
	// Place is that among all actions of the catalogue, by service and name.
	Place int
	// Companions are With, taken apart.
	Companions []Companion
}

// Companion is an entry of Evidence.With.
type Companion struct {
	Entry, Lower  string
	Service, Name string
	// Many says that it stands for several actions: by wildcards, or as NoPureRead.
	Many bool
}

// Find looks an action up, whatever its case; nil is none.
func (c *Catalog) Find(action string) *Known {
	prefix, name, _ := strings.Cut(action, ":")
	s := c.table().find(prefix)
	if s == nil {
		return nil
	}
	known := s.known()
	if k, ok := known.exact[action]; ok {
		return k
	}
	if i, found := s.find(name); found {
		return known.list[i]
	}
	return nil
}

// Matched are the actions that an entry of an Action list matches, as of Expand. The list
// is shared and must not be changed.
func (c *Catalog) Matched(entry string) ([]*Known, bool) {
	if entry == "*" || entry == "*:*" {
		out := make([]*Known, 0, c.Len())
		for i := range c.table().list {
			out = append(out, c.table().list[i].known().list...)
		}
		return out, true
	}
	prefix, pattern, _ := strings.Cut(entry, ":")
	if !strings.ContainsAny(pattern, "*?") {
		k := c.Find(entry)
		if k == nil {
			return nil, false
		}
		return []*Known{k}, true
	}
	s := c.table().find(prefix)
	if s == nil {
		return nil, false
	}
	if pattern == "*" {
		return s.known().list, true
	}
	var out []*Known
	for i, name := range s.actions {
		if Match(pattern, name[1:]) {
			out = append(out, s.known().list[i])
		}
	}
	return out, true
}

// knownActions are the actions of a service, in order and by Name.
type knownActions struct {
	list  []*Known
	exact map[string]*Known
}

// know looks up what is known of the actions of a service.
func (s *service) know() knownActions {
	all := make([]Known, len(s.actions))
	out := knownActions{make([]*Known, len(all)), make(map[string]*Known, len(all))}
	for i := range all {
		a := s.action(i)
		k := &all[i]
		*k = Known{Evidence: theObserved().evidence(a), Name: a.String(), Place: s.first + i}
		k.Lower = strings.ToLower(k.Name)
		for _, with := range k.With {
			service, name, _ := strings.Cut(with, ":")
			many := name == NoPureRead || strings.ContainsAny(name, "*?")
			k.Companions = append(k.Companions, Companion{with, strings.ToLower(with), service, name, many})
		}
		out.list[i], out.exact[k.Name] = k, k
	}
	return out
}
