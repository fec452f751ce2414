package document

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
)

// Restored is the policy with the removed statements again, and without the added
// ones. What was changed within a statement is changed back in its place. A removed
// statement that is back already, by whatever Sid, stays as it is.
func Restored(doc *policy.Document, removed, added []WrittenStatement) (*policy.Document, error) {
	has, says := map[string]int{}, map[string]bool{}
	for i := range doc.Statements {
		has[CanonStatement(&doc.Statements[i])] = i
		says[unnamed(doc.Statements[i])] = true
	}
	var edits []policy.Edit
	var put []string
	there := func(st WrittenStatement) bool { _, ok := has[st.Canon]; return ok }
	place := map[int]string{}
	for _, st := range removed {
		if says[st.says] {
			continue
		}
		at := slices.IndexFunc(added, func(a WrittenStatement) bool { return a.frame == st.frame })
		switch {
		case at < 0:
			put = append(put, st.Text)
			continue
		case !there(added[at]):
			return nil, &resource.NotAllowedError{Why: "a statement that was narrowed has been changed or removed since"}
		}
		place[has[added[at].Canon]] = st.Text
		added = slices.Delete(slices.Clone(added), at, at+1)
	}
	for _, st := range added {
		if there(st) {
			edits = append(edits, policy.RemoveStatement(has[st.Canon]))
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

// Acceptable says why a service that takes so many bytes would refuse the policy, or
// nil: each Sid stands once.
func Acceptable(doc *policy.Document, service string, most int) error {
	if len(doc.Text()) > most {
		return &resource.NotAllowedError{Why: fmt.Sprintf("the policy would be longer than the %d KB that %s takes", most>>10, service)}
	}
	sids := map[string]bool{}
	for _, st := range doc.Statements {
		if st.Sid != "" && sids[st.Sid] {
			return &resource.NotAllowedError{Why: fmt.Sprintf("the policy would have two statements with the Sid %q: someone else wrote one since", st.Sid)}
		}
		sids[st.Sid] = true
	}
	return nil
}

// WrittenStatement is a statement as it was written, and what is equal for those
// that mean the same; says is it without the Sid. frame is equal for a statement before
// and after it was narrowed: all but whom it is about and when.
type WrittenStatement struct{ Text, Canon, says, frame string }

// StatementsBeyond are the statements of one policy that another does not have.
func StatementsBeyond(text, other string) ([]WrittenStatement, error) {
	read := func(text string) ([]WrittenStatement, error) {
		if text == "" {
			return nil, nil
		}
		doc, err := policy.Parse(text)
		if err != nil {
			return nil, err
		}
		var out []WrittenStatement
		for i := range doc.Statements {
			st := &doc.Statements[i]
			out = append(out, WrittenStatement{doc.Text()[st.Span().Start:st.Span().End], CanonStatement(st), unnamed(*st), frameOf(*st)})
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
	return slices.DeleteFunc(list, func(st WrittenStatement) bool {
		i := slices.IndexFunc(without, func(o WrittenStatement) bool { return o.Canon == st.Canon })
		if i >= 0 {
			without = slices.Delete(without, i, i+1)
		}
		return i >= 0
	}), nil
}

func frameOf(st policy.Statement) string {
	st.Principals, st.NotPrincipals, st.Conditions = nil, nil, nil
	return CanonStatement(&st)
}

// unnamed is equal for two statements that say the same by whatever Sid.
func unnamed(st policy.Statement) string {
	st.Sid = ""
	return CanonStatement(&st)
}

// CanonStatement is equal for two statements that say the same.
func CanonStatement(st *policy.Statement) string {
	one := &policy.Document{Statements: []policy.Statement{*st}}
	return one.Canon()
}

// Rebased is the policy with a change taken back in it, where it is not the one
// any more that the change wrote: what the change removed from back is there again beside what
// others wrote, and what it added is taken out; "" where nothing is left. rebased is
// false where the undo is to put back as it was.
func Rebased(now, wrote, back string) (next string, rebased bool, err error) {
	if SamePolicy(now, wrote) || SamePolicy(now, back) {
		return "", false, nil
	}
	removed, err := StatementsBeyond(back, wrote)
	if err != nil {
		return "", false, err
	}
	added, err := StatementsBeyond(wrote, back)
	if err != nil {
		return "", false, err
	}
	if now == "" {
		next, err = again(back, removed)
		return next, true, err
	}
	doc, err := policy.Parse(now)
	if err != nil {
		return "", false, err
	}
	if was, err := policy.Parse(back); err != nil || was.Variables() != doc.Variables() {
		if slices.ContainsFunc(removed, func(st WrittenStatement) bool { return strings.Contains(st.Text, "${") }) {
			err = errors.Join(err, &resource.NotAllowedError{Why: "the policy has another Version since, in which the variables of the statement mean something else"})
		}
		if err != nil {
			return "", false, err
		}
	}
	switch doc, err = Restored(doc, removed, added); {
	case errors.Is(err, policy.ErrLast):
		return "", true, nil
	case err != nil:
		return "", false, fmt.Errorf("put statements back: %w", err)
	}
	return doc.Text(), true, nil
}

// again is the policy of before with the removed statements alone: someone else took
// the whole of it away since, and the others were theirs to take.
func again(before string, removed []WrittenStatement) (string, error) {
	doc, err := policy.Parse(before)
	if err != nil {
		return "", err
	}
	var edits []policy.Edit
	for i := range doc.Statements {
		canon := CanonStatement(&doc.Statements[i])
		at := slices.IndexFunc(removed, func(st WrittenStatement) bool { return st.Canon == canon })
		if at < 0 {
			edits = append(edits, policy.RemoveStatement(i))
			continue
		}
		removed = slices.Delete(removed, at, at+1)
	}
	left, err := doc.Apply(edits...)
	if err != nil {
		return "", err
	}
	return left.Text(), nil
}
