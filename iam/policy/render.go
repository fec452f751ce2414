package policy

import (
	"strconv"
	"strings"
)

// Text gives the document's text: for a parsed document the text that was
// read, byte for byte; for one built as a literal, JSON in AWS's usual layout.
func (d *Document) Text() string {
	if d.root != nil {
		return d.text
	}
	w := &writer{}
	w.document(d)
	return w.String()
}

// writer writes JSON with an indentation of four blanks, as the IAM console
// does. Lists of one stand as a plain string.
type writer struct {
	strings.Builder
	depth int
	fresh bool // nothing stands yet in the current object or array
}

func (w *writer) open(c byte) {
	w.WriteByte(c)
	w.depth++
	w.fresh = true
}

func (w *writer) close(c byte) {
	w.depth--
	if !w.fresh {
		w.newline()
	}
	w.WriteByte(c)
	w.fresh = false
}

// next starts the next entry of the current object or array.
func (w *writer) next() {
	if !w.fresh {
		w.WriteByte(',')
	}
	w.fresh = false
	w.newline()
}

func (w *writer) newline() {
	w.WriteByte('\n')
	for range w.depth {
		w.WriteString("    ")
	}
}

func (w *writer) key(name string) {
	w.next()
	w.WriteString(quote(name))
	w.WriteString(": ")
}

func (w *writer) field(name, value string) {
	if value != "" {
		w.key(name)
		w.WriteString(quote(value))
	}
}

func (w *writer) list(name string, values []string) {
	if values == nil {
		return
	}
	w.key(name)
	if len(values) == 1 {
		w.WriteString(quote(values[0]))
		return
	}
	w.open('[')
	for _, v := range values {
		w.next()
		w.WriteString(quote(v))
	}
	w.close(']')
}

func (w *writer) document(d *Document) {
	w.open('{')
	w.field("Version", d.Version)
	w.field("Id", d.ID)
	w.key("Statement")
	w.open('[')
	for i := range d.Statements {
		w.next()
		w.statement(&d.Statements[i])
	}
	w.close(']')
	w.close('}')
}

func (w *writer) statement(st *Statement) {
	w.open('{')
	w.field("Sid", st.Sid)
	w.field("Effect", st.Effect.String())
	w.principals("Principal", st.Principals)
	w.principals("NotPrincipal", st.NotPrincipals)
	w.list("Action", st.Actions)
	w.list("NotAction", st.NotActions)
	w.list("Resource", st.Resources)
	w.list("NotResource", st.NotResources)
	w.conditions(st.Conditions)
	w.close('}')
}

func (w *writer) principals(name string, ps *Principals) {
	switch {
	case ps == nil:
	case ps.Any:
		w.field(name, "*")
	default:
		w.key(name)
		w.open('{')
		for _, g := range ps.Groups {
			w.list(g.Kind, append([]string{}, g.Values...))
		}
		w.close('}')
	}
}

// conditions gathers the conditions by operator, in order of first use: the
// same operator twice would be a duplicate key.
func (w *writer) conditions(all []Condition) {
	if len(all) == 0 {
		return
	}
	w.key("Condition")
	w.open('{')
	done := map[string]bool{}
	for i, c := range all {
		if done[c.Operator] {
			continue
		}
		done[c.Operator] = true
		w.key(c.Operator)
		w.open('{')
		for _, same := range all[i:] {
			if same.Operator == c.Operator {
				w.list(same.Key, append([]string{}, same.Values...))
			}
		}
		w.close('}')
	}
	w.close('}')
}

// quote writes a JSON string. Only what must be escaped is.
func quote(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20:
			b.WriteString(`\u`)
			b.WriteString(strconv.FormatInt(0x10000+int64(r), 16)[1:])
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
