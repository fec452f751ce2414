package iam

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/policy"
)

// ResourcesKey is the key of the finding on statements that allow actions on more
// resources than these were used on.
const ResourcesKey = "unused/resources"

// elsewhere is a statement that allows actions on more than they were used on.
type elsewhere struct {
	statement int
	actions   []string // entries of its list, sorted
	arns      []string // what they were used on, all of them together
}

// elsewhere finds such statements of a policy. What is in any doubt is none: an entry with
// a wildcard, or that another entry covers; resources by variables; conditions on resources.
func (s seen) elsewhere(doc *policy.Document) (out []elsewhere) {
	if !narrowable(doc) || everything(doc) {
		return nil
	}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect != policy.Allow || len(st.Resources) == 0 || slices.ContainsFunc(st.Resources, variable) || slices.ContainsFunc(st.Conditions, onResources) {
			continue
		}
		e := elsewhere{statement: i}
		for _, entry := range st.Actions {
			arns, ok := s[strings.ToLower(entry)]
			covered := slices.ContainsFunc(st.Actions, func(o string) bool { return o != entry && catalog.MatchAction(o, entry) })
			if ok && !covered && !slices.Contains(e.actions, entry) && hasAll(st, entry, arns) {
				e.actions, e.arns = append(e.actions, entry), append(e.arns, arns...)
			}
		}
		slices.Sort(e.actions)
		slices.Sort(e.arns)
		e.arns = slices.Compact(e.arns)
		if len(e.actions) > 0 && slices.ContainsFunc(st.Resources, func(r string) bool { return !slices.Contains(e.arns, r) }) {
			out = append(out, e)
		}
	}
	return out
}

func variable(text string) bool { return strings.Contains(text, "$") }

// onResources reports whether a condition may be about the resource of a request: all but
// AWS's global keys may, and of these some.
func onResources(c policy.Condition) bool {
	key := strings.ToLower(c.Key)
	about := func(text string) bool { return strings.Contains(text, "arn:") || variable(text) }
	return !strings.HasPrefix(key, "aws:") || strings.Contains(key, "resource") || strings.Contains(key, "tag") || slices.ContainsFunc(c.Values, about)
}

// hasAll reports whether all of some resources are of those of a statement, however these
// are read.
func hasAll(st *policy.Statement, action string, arns []string) bool {
	bare := policy.Statement{Effect: policy.Allow, Actions: []string{action}, Resources: st.Resources}
	alone := eval.CompileFor(action, &policy.Document{Version: policy.Version2012, Statements: []policy.Statement{bare}})
	return !slices.ContainsFunc(arns, func(arn string) bool {
		return slices.ContainsFunc(eval.Readings(), func(r eval.Reading) bool {
			return alone.Decide(eval.Request{Action: action, Resource: arn}, r) != eval.Allowed
		})
	})
}

// narrow is the policy in which the statements allow the actions on just what these were
// used on. A statement that allows something else too keeps its resources for that, and a
// new one at the end has the rest; every other byte stays.
func (s seen) narrow(doc *policy.Document) (*policy.Document, error) {
	var edits []policy.Edit
	var more []string
	for _, e := range s.elsewhere(doc) {
		st := doc.Statements[e.statement]
		if !slices.ContainsFunc(st.Actions, func(a string) bool { return !slices.Contains(e.actions, a) }) {
			edits = append(edits, instead(e.statement, st.Resources, e.arns)...)
			continue
		}
		for _, a := range e.actions {
			edits = append(edits, policy.RemoveAction(e.statement, a))
		}
		st.Sid, st.Actions, st.Resources = "", e.actions, e.arns // a Sid stands once in a policy
		line, err := st.Line()
		if err != nil {
			return nil, err
		}
		more = append(more, line)
	}
	out, err := doc.Apply(edits...)
	if err != nil {
		return nil, err
	}
	return out.Append(more...)
}

// instead puts resources in the place of others; what stands there already stays.
func instead(statement int, old, arns []string) (edits []policy.Edit) {
	fresh := slices.DeleteFunc(slices.Clone(arns), func(r string) bool { return slices.Contains(old, r) })
	var done []string
	for _, r := range old {
		if slices.Contains(arns, r) || slices.Contains(done, r) {
			continue
		}
		done = append(done, r)
		edits, fresh = append(edits, policy.ReplaceResource(statement, r, fresh...)), nil
	}
	return edits
}

// located finds the actions that policies allow on more resources than they were used on.
func (j *judged) located() {
	on, u := j.seen(), unneeded{key: ResourcesKey, place: -1}
	docs, _ := j.narrowing()
	for _, d := range docs {
		for _, e := range on.elsewhere(d) {
			u.actions = append(u.actions, e.actions...)
		}
	}
	u.actions = distinct(u.actions)
	for _, a := range u.actions {
		u.on = append(u.on, a+" on "+listed(on[strings.ToLower(a)], 3))
	}
	if len(u.actions) > 0 {
		j.found = append(j.found, u)
	}
}

// onMore says of the actions of a finding what a person needs.
func (j *judged) onMore(u unneeded, what string) control.Failure {
	return control.Failure{
		Key: u.key, Start: dera.Review, Severity: dera.Low, Permissions: slices.Clone(u.actions), Title: "Permissions on more resources than were used",
		Why: fmt.Sprintf("In %s, %s %s allowed on more resources than %s used on%s: %s. Each of their recorded calls named its resource. "+
			"With the plan they are allowed on just these ARNs: whatever is made later has another ARN, and is denied.",
			what, counting(len(u.actions), "action"), are(len(u.actions)), was(len(u.actions)), j.watched(), strings.Join(u.on[:min(8, len(u.on))], "; ")+andMore(len(u.on)-8)),
	}
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func andMore(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf("; and %d more", n)
}

// later is the subject with other texts of its policies, without those that go. A copy of
// a policy of AWS is an inline policy then. places are those of the policies in the subject.
func (s *Subject) later(texts []string) (out *Subject, places []int) {
	after := *s
	after.Policies = nil
	for i, t := range s.Policies {
		if texts[i] == "" {
			continue
		}
		if t.AWS && texts[i] != t.Document {
			t.Name, t.Whole, t.AWS = t.copyName(), "", false
		}
		t.Document = texts[i]
		after.Policies, places = append(after.Policies, t), append(places, i)
	}
	return &after, places
}

// located are the texts of policies whose actions are on just the resources that these
// were used on. broad are the services that are kept as a whole for want of room.
func (s *Subject) located(texts, broad []string) ([]string, *control.Refusal) {
	after, places := s.later(texts)
	j, err := after.keeping(broad).read()
	if err != nil {
		return nil, CannotPlan(err)
	}
	out, on := slices.Clone(texts), j.seen()
	for n, i := range places {
		if after.Policies[n].Whole != "" {
			continue
		}
		doc, err := on.narrow(j.docs[n])
		if err != nil {
			return nil, CannotPlan(err)
		}
		out[i] = doc.Text()
	}
	return out, s.fits(out)
}
