package iam

import (
	"regexp"
	"slices"
	"strings"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
)

// seen is what actions were used on, by action in lower case: of those alone of which the
// record shows all resources.
type seen map[string][]string

// seen reads the recorded calls. An action is in doubt where a call of it named no
// resource, or not all are known, or where an event may stand for another action too.
func (j *judged) seen() seen {
	if len(j.used.gaps) > 0 {
		return nil
	}
	c, on, doubt := catalog.Embedded(), seen{}, map[string]bool{}
	for _, p := range j.Principals {
		for _, call := range p.Use.Calls {
			meant, ok := c.Event(call.Source, call.Name)
			if call.Count == 0 || !ok { // an event that is not known leaves its service in doubt
				continue
			}
			for _, a := range slices.Concat(meant.Actions, meant.Maybe) {
				a = strings.ToLower(a)
				on[a] = append(on[a], call.Resources...)
				doubt[a] = doubt[a] || call.More || len(call.Resources) == 0 || len(meant.Actions) != 1 || len(meant.Maybe) > 0
			}
		}
	}
	unclear, unknown := j.base.Unclear() // with the services that the record leaves out
	for a, arns := range on {
		k := c.Find(a)
		slices.Sort(arns)
		on[a] = slices.Compact(arns)
		if unknown || doubt[a] || k == nil || slices.Contains(unclear, k.Action.Service) || !j.shown(k) || !isOf(k, on[a]) {
			delete(on, a)
		}
	}
	docs, _ := j.narrowing()
	for _, a := range on.inVain(docs) {
		delete(on, a)
	}
	return on
}

// inVain are the actions that a statement which stays as it is allows on everything.
func (s seen) inVain(docs []*policy.Document) (out []string) {
	for _, d := range docs {
		narrowed := map[int][]string{}
		for _, e := range s.elsewhere(d) {
			narrowed[e.statement] = e.actions
		}
		for i := range d.Statements {
			st := &d.Statements[i]
			if st.Effect != policy.Allow || !onAll(st) || len(st.Conditions) > 0 {
				continue
			}
			for a := range s {
				if Lets(st, a) && !slices.ContainsFunc(narrowed[i], func(n string) bool { return strings.EqualFold(n, a) }) {
					out = append(out, a)
				}
			}
		}
	}
	return out
}

// shown reports whether each use of an action shows in the record, and whether a program
// may narrow it.
func (j *judged) shown(k *catalog.Known) bool {
	switch {
	case k.Class != catalog.Management && (k.Class != catalog.Data || !j.used.data):
		return false
	case j.class(k.Name) > 0, makes(k):
		return false // it is needed when something fails, or for what is not there yet
	case k.Action.Service == "secretsmanager":
		return false // a call may name a secret by less than its ARN
	}
	is := func(c catalog.Companion) bool { return stands(c, k) }
	needed := func(e string) bool { return catalog.MatchAction(e, k.Name) }
	role := catalog.Embedded().Find(catalog.PassRole)
	return role != nil && !slices.ContainsFunc(role.Companions, is) && !slices.ContainsFunc(j.Needed, needed) && !slices.ContainsFunc(k.Companions, j.present)
}

// makes reports whether an action may make something: that has no ARN before. Its verb says
// so, or it puts what it works on, which then need not be there: PutParameter makes one.
func makes(k *catalog.Known) bool {
	name := k.Action.Name
	if slices.ContainsFunc([]string{"Create", "Copy", "Clone", "Import", "Register", "Restore", "Run", "Allocate", "Purchase", "Provision", "Launch"}, func(verb string) bool { return strings.HasPrefix(name, verb) }) {
		return true
	}
	what, put := strings.CutPrefix(name, "Put")
	details, ok := catalog.Embedded().Details(k.Name)
	letters := func(text string) string {
		return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(text))
	}
	return put && (!ok || slices.ContainsFunc(details.Resources, func(on catalog.Use) bool { return strings.HasSuffix(letters(what), letters(on.Type)) }))
}

// stands reports whether a companion stands for an action.
func stands(c catalog.Companion, k *catalog.Known) bool {
	if c.Service != k.Action.Service {
		return false
	}
	return c.Name == catalog.NoPureRead && !k.PureRead || catalog.Match(c.Name, k.Action.Name)
}

// present reports whether some policy allows what a companion stands for: within its calls
// the action may be used, on whatever, without an event.
func (j *judged) present(c catalog.Companion) bool {
	list, ok := []string{c.Entry}, true
	if c.Many {
		list, ok = catalog.Embedded().Expand(c.Entry)
	}
	if !ok || c.Name == catalog.NoPureRead {
		return true
	}
	return slices.ContainsFunc(slices.Concat(j.docs, j.beside), func(d *policy.Document) bool {
		return slices.ContainsFunc(list, func(a string) bool { return allows(d, a) })
	})
}

// isOf reports whether all ARNs are of the one resource type that an action works on, and
// name one resource each. Where a type has parts, as a function its versions, the record
// may name the whole.
func isOf(k *catalog.Known, arns []string) bool {
	c := catalog.Embedded()
	action, ok := c.Details(k.Name)
	service, err := c.Service(k.Action.Service)
	if !ok || err != nil || len(action.Resources) != 1 || !action.Resources[0].Required || len(arns) == 0 {
		return false
	}
	var own, others []string
	for _, t := range service.Resources {
		if t.Name == action.Resources[0].Type {
			own = append(own, t.ARNs...)
		} else {
			others = append(others, t.ARNs...)
		}
	}
	part := func(other string) bool {
		return slices.ContainsFunc(own, func(f string) bool { return strings.HasPrefix(plain(other), plain(f)+":") })
	}
	if len(own) == 0 || slices.ContainsFunc(others, part) {
		return false
	}
	is, other := forms(own), forms(others)
	return !slices.ContainsFunc(arns, func(arn string) bool {
		return strings.ContainsAny(arn, "*?$") || !is.MatchString(arn) || len(others) > 0 && other.MatchString(arn)
	})
}

// placeholder is a part of the form of an ARN, as ${Region}.
var placeholder = regexp.MustCompile(`\$\{[^}]*\}`)

func plain(form string) string { return placeholder.ReplaceAllLiteralString(form, "${}") }

// forms are the forms of ARNs as one expression.
func forms(list []string) *regexp.Regexp {
	var all []string
	for _, arn := range list {
		var b strings.Builder
		at := 0
		for _, m := range placeholder.FindAllStringIndex(arn, -1) {
			b.WriteString(regexp.QuoteMeta(arn[at:m[0]]))
			switch arn[m[0]:m[1]] {
			case "${Partition}":
				b.WriteString("aws[a-z-]*")
			case "${Region}":
				b.WriteString("[a-z0-9-]+")
			case "${Account}":
				b.WriteString("[0-9]{12}")
			default:
				b.WriteString("[^:]+")
			}
			at = m[1]
		}
		all = append(all, b.String()+regexp.QuoteMeta(arn[at:]))
	}
	return regexp.MustCompile("^(?:" + strings.Join(all, "|") + ")$")
}
