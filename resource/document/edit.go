package document

import (
	"errors"
	"maps"
	"slices"

	"dera.example/dera/iam/policy"
)

// PolicyEdit is an edit of a policy; statements are counted as they stand before it.
type PolicyEdit struct {
	Drop     []int                    // whole statements
	Elements []policy.Edit            // entries of lists that keep others
	Restrict map[int]policy.Condition // one more condition on a statement
	Append   []string                 // statements at the end
	Diff     []string
}

// Apply makes the edit and leaves every other byte; nil where no statement is left.
func (e PolicyEdit) Apply(doc *policy.Document) (*policy.Document, error) {
	var err error
	for _, i := range slices.Sorted(maps.Keys(e.Restrict)) {
		if doc, err = doc.Restrict(i, e.Restrict[i]); err != nil {
			return nil, err
		}
	}
	if doc, err = doc.Append(e.Append...); err != nil {
		return nil, err
	}
	edits := slices.Clone(e.Elements)
	for _, i := range e.Drop {
		edits = append(edits, policy.RemoveStatement(i))
	}
	edited, err := doc.Apply(edits...)
	if errors.Is(err, policy.ErrLast) && len(e.Drop) == len(doc.Statements) { // nothing else would be the last one
		return nil, nil
	}
	return edited, err
}
