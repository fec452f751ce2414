package resource

import (
	"fmt"
	"slices"

	"dera.example/dera/iam/policy"
)

// restored is the policy with the removed statements again, and without the added
// ones. What was changed within a statement is changed back in its place.
func restored(doc *policy.Document, removed, added []writtenStatement) (*policy.Document, error) {
	has := map[string]int{}
	for i := range doc.Statements {
		has[canonStatement(&doc.Statements[i])] = i
	}
	var edits []policy.Edit
	var put []string
	there := func(st writtenStatement) bool { _, ok := has[st.canon]; return ok }
	place := map[int]string{}
	for _, st := range removed {
		if there(st) {
			continue
		}
		at := slices.IndexFunc(added, func(a writtenStatement) bool { return a.frame == st.frame })
		switch {
		case at < 0:
			put = append(put, st.text)
			continue
		case !there(added[at]):
			return nil, &NotAllowedError{"a statement that was narrowed has been changed or removed since"}
		}
		place[has[added[at].canon]] = st.text
		added = slices.Delete(slices.Clone(added), at, at+1)
	}
	for _, st := range added {
		if there(st) {
			edits = append(edits, policy.RemoveStatement(has[st.canon]))
		}
	}
	doc, err := doc.Replace(place)
	if err == nil {
		doc, err = doc.Append(put...)
	}
	if err != nil {
		return nil, err
	}
	return doc.Apply(edits...)
}

// acceptable says why S3 would refuse the policy, or nil (S3 user guide, "Bucket
// policies and user policies": at most 20 KB, each Sid once).
func acceptable(doc *policy.Document) error {
	if len(doc.Text()) > 20<<10 {
		return &NotAllowedError{"the policy would be longer than the 20 KB that S3 takes"}
	}
	sids := map[string]bool{}
	for _, st := range doc.Statements {
		if st.Sid != "" && sids[st.Sid] {
			return &NotAllowedError{fmt.Sprintf("the policy would have two statements with the Sid %q: somebody else wrote one since", st.Sid)}
		}
		sids[st.Sid] = true
	}
	return nil
}

// writtenStatement is a statement as it was written, and what is equal for those
// that mean the same. frame is equal for a statement before and after it was
// narrowed: all but whom it is about and when.
type writtenStatement struct{ text, canon, frame string }

// statementsBeyond are the statements of one policy that another does not have.
func statementsBeyond(text, other string) ([]writtenStatement, error) {
	read := func(text string) ([]writtenStatement, error) {
		if text == "" {
			return nil, nil
		}
		doc, err := policy.Parse(text)
		if err != nil {
			return nil, err
		}
		var out []writtenStatement
		for i := range doc.Statements {
			st := &doc.Statements[i]
			out = append(out, writtenStatement{doc.Text()[st.Span().Start:st.Span().End], canonStatement(st), frameOf(*st)})
		}
		return out, nil
	}
	list, err := read(text)
	if err != nil {
		return nil, err
	}
	without, err := read(other)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(st writtenStatement) bool {
		i := slices.IndexFunc(without, func(o writtenStatement) bool { return o.canon == st.canon })
		if i >= 0 {
			without = slices.Delete(without, i, i+1)
		}
		return i >= 0
	}), nil
}

func frameOf(st policy.Statement) string {
	st.Principals, st.NotPrincipals, st.Conditions = nil, nil, nil
	return canonStatement(&st)
}

func canonStatement(st *policy.Statement) string {
	one := &policy.Document{Statements: []policy.Statement{*st}}
	return one.Canon()
}
