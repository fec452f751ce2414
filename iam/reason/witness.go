package reason

import (
	"strings"

	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/lang"
)

// witness turns a leaf of the search into a confirmed request, or says why it
// cannot.
func (r *run) witness(l leaf) (*Witness, Cause) {
	if l.status == lang.Exhausted {
		return nil, Limit
	}
	if w := r.confirm(l); w != nil {
		return w, NoCause
	}
	if l.status == lang.Nonempty {
		return nil, Unconfirmed
	}
	if w := r.concretise(l); w != nil {
		return w, NoCause
	}
	return nil, Variables
}

// confirm builds the request of a leaf and asks the evaluator about it.
func (r *run) confirm(l leaf) *Witness {
	request, ok := r.request(l)
	if !ok {
		return nil
	}
	if !r.violates(request, r.reading) {
		return nil
	}
	reading := r.compiler.only(r.reading)
	if !r.violates(request, reading) { // a condition that could not be read asks more of the reading
		reading = r.reading
	}
	return &Witness{Request: request, Statement: l.source.ref, Reading: reading}
}

// request builds a request from the values that the dimensions of a leaf have.
func (r *run) request(l leaf) (eval.Request, bool) {
	q := r.question
	request := eval.Request{Context: eval.Context{}}
	action, ok := r.action(l)
	if !ok {
		return request, false
	}
	request.Action = r.spelling(l.source.ref, action)
	if request.Resource, ok = r.resource(l, action); !ok {
		return request, false
	}
	if r.compiler.principal {
		word, ok := r.value(principalDim, l.box.at(principalDim))
		if !ok {
			return request, false
		}
		if request.Principal, ok = principalOf(word); !ok {
			return request, false
		}
	}
	for d := firstKeyDim; d < len(l.box); d++ {
		if len(l.box[d]) == 0 {
			continue
		}
		status, values := q.values(d, l.box[d])
		if status == lang.Empty || status == lang.Exhausted {
			return request, false
		}
		if len(values) > 0 {
			request.Context[q.dims[d].name] = values
		}
	}
	return request, true
}

// value returns one value of a dimension that every request has.
func (r *run) value(dim int, lits []lit, also ...*lang.Set) (string, bool) {
	for _, s := range also {
		lits = append(lits[:len(lits):len(lits)], r.question.own(dim, s))
	}
	_, v := r.question.one(dim, lits)
	if len(v) != 1 {
		return "", false
	}
	return v[0], true
}

// action returns an action of the leaf, in lower case.
func (r *run) action(l leaf) (string, bool) {
	if lits := l.box.at(actionDim); len(lits) > 0 {
		return r.value(actionDim, lits)
	}
	if a := l.group.atoms[0]; a.set == nil {
		return a.text, true
	}
	return r.value(actionDim, nil, l.group.atoms[0].set, namedActions())
}

// resource returns a resource of the leaf: when it can, one of the service of
// the action, else an ARN, else any text.
func (r *run) resource(l leaf, action string) (string, bool) {
	lits := l.box.at(resourceDim)
	service, _, _ := strings.Cut(action, ":")
	if len(lits) == 0 {
		return "*", true
	}
	for _, shape := range []string{"arn:aws:" + service + ":*:*:?*", "arn:?*:?*:*:*:?*", "*"} {
		var b lang.Builder
		for _, p := range split(shape, true, false) {
			switch p.kind {
			case oneAny:
				b.OneInSegment()
			case manyAny:
				b.ManyInSegment()
			case literal, reference:
				b.Lit(p.text)
			}
		}
		b.Many()
		if v, ok := r.value(resourceDim, lits, lang.Union(b.Glob())); ok {
			return v, true
		}
	}
	return "", false
}

// spelling gives an action the case that the statement writes it in, as far as
// it does.
func (r *run) spelling(ref Ref, action string) string {
	best, length := action, 0
	try := func(list []string) {
		for _, a := range list {
			head := a
			if cut := strings.IndexAny(a, "*?"); cut >= 0 {
				head = a[:cut]
			}
			if len(head) > length && len(head) <= len(action) && strings.EqualFold(head, action[:len(head)]) {
				best, length = head+action[len(head):], len(head)
			}
		}
	}
	if try(r.spelled); length == len(action) {
		return best
	}
	for _, doc := range append(Policies{r.fresh[ref.Document]}, r.known...) {
		for i := range doc.Statements {
			try(doc.Statements[i].Actions)
			try(doc.Statements[i].NotActions)
		}
	}
	return best
}
