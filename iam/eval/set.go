// Package eval answers what AWS would answer to a concrete request: allowed,
// implicitly denied or explicitly denied, by which statements, and for want of
// which policy.
//
// Compile prepares the documents of one layer (all policies of a principal, or
// the policy of a resource) once; a Set is immutable and may be asked by any
// number of goroutines. Set.Decide answers for the layer alone, Evaluate for
// all layers together. Deciding does not allocate, short of a value with more
// than four variables, or with one under StringEqualsIgnoreCase; giving the
// reasons does.
//
// Where AWS's documentation leaves a point open, a Reading says which way it is
// taken. The package knows nothing of which actions, resources and keys exist:
// the caller states the request as AWS would see it.
package eval

import "dera.example/dera/iam/policy"

// Set is the compiled union of the statements of policy documents.
type Set struct {
	statements  []statement
	allow, deny index
}

// Ref names a statement of a Set: the document in the order of Compile and the
// statement in it, both counted from zero.
type Ref struct{ Document, Statement int }

// Compile prepares documents. They must not change afterwards. Statements
// without an effect and conditions with an unknown operator, which Parse does
// not let through, never match.
func Compile(docs ...*policy.Document) *Set { return prepare(nil, docs) }

// CompileFor is Compile for questions about one action only: what is about
// others is not looked at further. It is for a single question to documents
// with long lists.
func CompileFor(action string, docs ...*policy.Document) *Set {
	a := newAction(action)
	return prepare(&a, docs)
}

func prepare(only *action, docs []*policy.Document) *Set {
	s := &Set{allow: newIndex(), deny: newIndex()}
	for d, doc := range docs {
		for i := range doc.Statements {
			if st := &doc.Statements[i]; only == nil || only.among(st) {
				s.statements = append(s.statements, newStatement(st, doc.Variables(), Ref{d, i}, only))
			}
		}
	}
	for i := range s.statements {
		switch st := &s.statements[i]; st.effect {
		case policy.Allow:
			s.allow.add(st, int32(i))
		case policy.Deny:
			s.deny.add(st, int32(i))
		case policy.NoEffect:
		}
	}
	return s
}

// Decide answers for this layer alone: explicitly denied if a Deny statement
// matches, else allowed if an Allow statement does. Asking a nil Set is asking
// an empty one.
func (s *Set) Decide(r Request, reading Reading) Outcome {
	e := newEvaluation(&r, reading)
	decision, _ := s.ask(&e)
	return decision
}

// Explain is Decide with the statements that decided: all Deny statements that
// match if there is one, else all Allow statements that match.
func (s *Set) Explain(r Request, reading Reading) (Outcome, []Ref) {
	e := newEvaluation(&r, reading)
	if denials := s.matching(policy.Deny, &e); len(denials) > 0 {
		return ExplicitDeny, denials
	}
	if grants := s.matching(policy.Allow, &e); len(grants) > 0 {
		return Allowed, grants
	}
	return ImplicitDeny, nil
}

// ask decides with the help of the index, and says how closely the Allow
// statements name the caller.
func (s *Set) ask(e *evaluation) (Outcome, grant) {
	if s == nil {
		return ImplicitDeny, noGrant
	}
	if s.best(&s.deny, e) != noGrant {
		return ExplicitDeny, noGrant
	}
	if g := s.best(&s.allow, e); g != noGrant {
		return Allowed, g
	}
	return ImplicitDeny, noGrant
}

// matching looks at every statement of an effect in order, without the index.
func (s *Set) matching(effect policy.Effect, e *evaluation) []Ref {
	if s == nil {
		return nil
	}
	var refs []Ref
	for i := range s.statements {
		st := &s.statements[i]
		if st.effect == effect && st.matchesAction(&e.action) && st.match(e) != noGrant {
			refs = append(refs, st.ref)
		}
	}
	return refs
}

// best returns the closest grant among the statements that match. Nothing is
// closer than grantDirect, so the first of these ends the search.
func (s *Set) best(x *index, e *evaluation) grant {
	best := noGrant
	for i := range x.exact[e.action.hash] {
		entry := &x.exact[e.action.hash][i]
		if !entry.pattern.match(&e.action) {
			continue
		}
		if best = max(best, s.statements[entry.statement].match(e)); best == grantDirect {
			return best
		}
	}
	for i := range x.service[e.action.service] {
		entry := &x.service[e.action.service][i]
		if !entry.pattern.match(&e.action) {
			continue
		}
		if best = max(best, s.statements[entry.statement].match(e)); best == grantDirect {
			return best
		}
	}
	for _, i := range x.always {
		st := &s.statements[i]
		if st.notAction && !st.matchesAction(&e.action) {
			continue
		}
		if best = max(best, st.match(e)); best == grantDirect {
			return best
		}
	}
	return best
}

// index finds the statements whose actions may match.
type index struct {
	exact   map[uint64][]indexed // by the hash of the action
	service map[uint64][]indexed // with wildcards, by the hash of the service
	always  []int32              // "*" and NotAction
}

type indexed struct {
	pattern   actionPattern
	statement int32
}

func newIndex() index {
	return index{exact: map[uint64][]indexed{}, service: map[uint64][]indexed{}}
}

func (x *index) add(st *statement, i int32) {
	if st.notAction {
		x.always = append(x.always, i)
		return
	}
	for _, p := range st.actions {
		switch p.kind {
		case actionAny:
			x.always = append(x.always, i)
		case actionExact:
			h := hashText(p.text)
			x.exact[h] = append(x.exact[h], indexed{p, i})
		case actionGlob:
			x.service[p.service] = append(x.service[p.service], indexed{p, i})
		case actionNone:
		}
	}
}

// evaluation is one question, prepared.
type evaluation struct {
	request *Request
	reading Reading
	action  action
	who     caller
	asked   bool // who is set
}

func newEvaluation(r *Request, reading Reading) evaluation {
	return evaluation{request: r, reading: reading, action: newAction(r.Action)}
}

// caller tells who the principal is, once: most layers do not ask.
func (e *evaluation) caller() *caller {
	if !e.asked {
		e.who, e.asked = newCaller(e.request.Principal), true
	}
	return &e.who
}
