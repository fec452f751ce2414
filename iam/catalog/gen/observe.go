package main

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"dera.example/dera/iam/catalog"
)

// observer works out what CloudTrail shows of each action.
type observer struct {
	*knowledge
	services []catalog.Service
	sentry   map[string]map[string]sentry
	actions  map[string]catalog.Action // by their name in lower case
	uses     map[string][]use          // operations by the action, in lower case
	verbs    map[string]string         // "prefix Event" -> action
	with     map[string]map[string]bool
	names    map[string]map[string]bool // names of event sources -> prefixes
}

// use is an operation that an action authorizes.
type use struct {
	name    string // of the operation, or of its event
	missing byte   // why its calls cannot be counted on to be seen; 0: they can
}

func observe(k *knowledge, services []catalog.Service, all []*model, sentry map[string]map[string]sentry) catalog.Observed {
	o := &observer{
		knowledge: k, services: services, sentry: sentry, actions: map[string]catalog.Action{}, uses: map[string][]use{},
		verbs: map[string]string{}, with: map[string]map[string]bool{}, names: map[string]map[string]bool{},
	}
	for _, s := range services {
		o.source(s.Prefix, s.Prefix)
		o.source(plain(s.Prefix), s.Prefix)
		for _, a := range s.Actions {
			o.actions[strings.ToLower(a.String())] = a
		}
	}
	for source, prefixes := range k.sources {
		for _, p := range prefixes {
			o.source(source, p)
		}
	}
	for _, m := range all {
		o.model(m)
	}
	o.mapped()
	o.companions()
	out := catalog.Observed{Sources: map[string][]string{}, Verbs: o.verbs}
	for name, prefixes := range o.names {
		out.Sources[name] = sortedKeys(prefixes)
	}
	for _, s := range services {
		row := catalog.ObservedService{Prefix: s.Prefix, Row: k.services[s.Prefix]}
		for _, a := range s.Actions {
			row.Actions = append(row.Actions, o.evidence(a))
		}
		out.Services = append(out.Services, row)
	}
	return out
}

// source notes a name that events of a service may come under.
func (o *observer) source(name, prefix string) {
	name = strings.ToLower(name)
	if o.names[name] == nil {
		o.names[name] = map[string]bool{}
	}
	o.names[name][prefix] = true
}

// plain is a name without what separates its words.
func plain(name string) string {
	return strings.NewReplacer(" ", "", "-", "", ".", "").Replace(strings.ToLower(name))
}

// prefix returns the prefix of the actions of an API model, or "".
func (o *observer) prefix(m *model) string {
	if p, ok := o.models[m.name]; ok {
		return p
	}
	for _, p := range []string{m.Metadata.SigningName, m.Metadata.EndpointPrefix, m.name} {
		known := 0
		for op := range m.Operations {
			if _, ok := o.actions[strings.ToLower(p+":"+op)]; ok {
				known++
			}
		}
		if known > 0 && known*10 >= len(m.Operations)*3 {
			return p
		}
	}
	return ""
}

// dataPlane are the names of API models of data planes, and dataHost the
// beginnings of the hosts of such operations.
var (
	dataPlane = regexp.MustCompile(`runtime|(^|-|[a-z])data$|streams$|-edge$|-metrics$|-session$|^timestream-(query|write)$|-events$|messageflow|^kinesis-video-|neptunedata|appconfigdata|forecastquery|-query$`)
	dataHost  = regexp.MustCompile(`^(data|runtime|query|stream|streaming|scheduling|sync|env|dp|dataplane|storage)[.-]`)
	agents    = regexp.MustCompile(`(?i)only used by the|used by the Amazon Inspector SSM plugin|not intended for use outside|intended for internal use|this is for internal use|only be called by the Amazon Web Services service|reserved for use by|isn't intended for you to use|not available for general use|isn't intended for any other use`)
	tags      = regexp.MustCompile(`<[^>]*>`)
)

// model notes the operations of an API model and what their texts demand.
func (o *observer) model(m *model) {
	prefix := o.prefix(m)
	if prefix == "" {
		return
	}
	for _, name := range []string{m.name, m.Metadata.EndpointPrefix, m.Metadata.SigningName} {
		if name != "" && name != "execute-api" {
			o.source(name, prefix)
			o.source(plain(name), prefix)
			if a, b, ok := strings.Cut(name, "."); ok {
				o.source(b+"-"+a, prefix)
				o.source(a+"-"+b, prefix)
			}
		}
	}
	o.source(plain(m.Metadata.ServiceID), prefix)
	for _, name := range sortedKeys(m.Operations) {
		op := m.Operations[name]
		action, known := o.actions[strings.ToLower(prefix+":"+name)]
		switch {
		case known:
			o.uses[strings.ToLower(action.String())] = append(o.uses[strings.ToLower(action.String())], use{name, o.missing(m, op)})
		case m.name == "apigateway" || m.name == "apigatewayv2":
			if verb, ok := o.actions[strings.ToLower(prefix+":"+op.HTTP.Method)]; ok {
				o.verbs[prefix+" "+name] = verb.String()
				action, known = verb, true
				o.uses[strings.ToLower(verb.String())] = append(o.uses[strings.ToLower(verb.String())], use{name, o.missing(m, op)})
			}
		}
		if known {
			o.demands(m, op, action)
		}
	}
}

// missing says why the calls of an operation may not be seen.
func (o *observer) missing(m *model, op operation) byte {
	streams := false
	for _, s := range []string{op.Input.Shape, op.Output.Shape} {
		m.reach(s, func(_, _ string, s shape) { streams = streams || s.Eventstream })
	}
	switch {
	case o.apart[m.name]:
		return catalog.NoDocument
	case dataPlane.MatchString(m.name), dataHost.MatchString(op.Endpoint.HostPrefix):
		return catalog.DataPlane
	case streams:
		return catalog.Streams
	case op.Authtype == "none":
		return catalog.Unsigned
	case agents.MatchString(tags.ReplaceAllString(op.Documentation, "")):
		return catalog.Agent
	}
	return 0
}

// mapped notes the events by which the use of an action of another name shows.
func (o *observer) mapped() {
	for _, key := range sortedKeys(o.events) {
		_, name, _ := strings.Cut(key, " ")
		if strings.HasSuffix(name, "*") {
			continue // the API models say it of each
		}
		for _, a := range o.events[key].always {
			if low := strings.ToLower(a); !slices.ContainsFunc(o.uses[low], func(u use) bool { return u.name == name }) {
				o.uses[low] = append(o.uses[low], use{name: name})
			}
		}
	}
}

// evidence is what is known of one action.
func (o *observer) evidence(a catalog.Action) catalog.Evidence {
	low := strings.ToLower(a.String())
	row := o.knowledge.services[a.Service]
	out := catalog.Evidence{Action: a, Class: catalog.Unknown, With: sortedKeys(o.with[low])}
	var names []string
	var missing, listed byte
	if o.logs[a.Service][strings.ToLower(a.Name)] {
		names, listed = append(names, a.Name), 1 // the document names the event
	}
	for _, u := range o.uses[low] {
		names = append(names, u.name)
		missing = max(missing, u.missing)
		if o.logs[a.Service][strings.ToLower(u.name)] {
			listed = 1
		}
	}
	slices.Sort(names)
	out.Operations = slices.Compact(names)
	switch hidden := slices.IndexFunc(o.hidden, func(r rule) bool { return matches(r.actions, a.String()) }); {
	case a.String() == catalog.PassRole:
		out.Class = catalog.Hidden
	case hidden >= 0:
		out.Class = catalog.Hidden
		out.With = slices.Compact(slices.Sorted(slices.Values(slices.Concat(out.With, o.hidden[hidden].with))))
	case matches(o.silent, a.String()):
		out.Missing = catalog.Silent
	case slices.ContainsFunc(o.data, func(e string) bool { return strings.EqualFold(e, a.String()) }):
		out.Class = catalog.Data
	case matches(o.data, a.String()):
		out.Missing = catalog.DataPlane // which operations are data events is not said
	case len(out.Operations) == 0:
		out.Missing = catalog.NoOperation
	case row.Mode == "" || row.Mode == "none":
		out.Missing = catalog.NoDocument
	case missing != 0:
		out.Missing = missing
	case row.Mode == "listed" && listed == 0:
		out.Missing = catalog.NotListed
	case row.Mode == "writes" && o.reads(a):
		out.Missing = catalog.ReadsNotLogged
	default:
		out.Class = catalog.Management
	}
	if out.Class == catalog.Unknown {
		out.With = nil // it stays anyway
	}
	out.PureRead = o.reads(a)
	return out
}

// reads reports whether an action only reads, after both tables.
func (o *observer) reads(a catalog.Action) bool {
	level := o.sentry[a.Service][a.Name].AccessLevel
	return (a.Level == catalog.Read || a.Level == catalog.List) && (level == "" || level == "Read" || level == "List")
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
