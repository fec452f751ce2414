package iam

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
)

// UpdateCopies are the changes after which copies have what AWS added: each has the name
// of the version in force. The new one is put before the old one goes. Where there is no
// room for both, the old one gets what it lacks, and keeps its name.
func (i *Identity) UpdateCopies(k Kind, failures []control.Failure) (out []dera.Change, refusal *control.Refusal) {
	size, err := i.InlineSize()
	if err != nil {
		return nil, CannotPlan(err)
	}
	for _, c := range i.Copied {
		if !slices.Contains(Keys(failures), c.Key()) || !i.outgrown(c) {
			continue
		}
		before, name := i.text(c.Inline), CopyName(c.ARN, c.Now.Version)
		if n := slices.IndexFunc(i.Copied, func(o Copied) bool { // the new one would have the name of both
			return o.ARN == c.ARN && o.Inline != c.Inline && i.outgrown(o)
		}); n >= 0 {
			return nil, &control.Refusal{Code: "two-copies", Why: fmt.Sprintf("inline policies %q and %q are both copies of %s: put into one what both have, and delete the other", c.Inline, i.Copied[n].Inline, c.ARN)}
		}
		after, err := c.merged(before)
		if err != nil {
			return nil, CannotPlan(err)
		}
		half := i.hasCopy(name, after)                                                                              // of a plan that was carried out in part
		if !half && slices.ContainsFunc(i.Inline, func(p Inline) bool { return strings.EqualFold(p.Name, name) }) { // IAM may not tell names apart by their case
			return nil, &control.Refusal{Code: "name-taken", Why: fmt.Sprintf("there is an inline policy %q, whose name the copy would have", name)}
		}
		n, errSize := growth("", after)
		old, errOld := growth(before, "")
		if err := errors.Join(errSize, errOld); err != nil {
			return nil, CannotPlan(err)
		}
		fits := func(more int) bool { return size+more <= k.InlineLimit() }
		if !half && !fits(n) {
			if !fits(n + old) {
				return nil, &control.Refusal{Code: "no-space", Why: counting(size+n+old-k.InlineLimit(), "character") + " more than IAM stores of the inline policies"}
			}
			put, err := i.SetInline(k, c.Inline, after)
			if err != nil {
				return nil, CannotPlan(err)
			}
			out, size = append(out, put), size+n+old
			continue
		}
		put, errPut := i.SetInline(k, name, after)
		gone, errGone := i.SetInline(k, c.Inline, "")
		if err := errors.Join(errPut, errGone); err != nil {
			return nil, CannotPlan(err)
		}
		what := "inline policy " + strconv.Quote(name)
		put.Diff = append([]string{"+ " + what + ": " + strconv.Quote(c.Inline) + " with what AWS added"}, document.DiffPolicy(what+" ", before, after)...)
		gone.Diff = []string{"- inline policy " + strconv.Quote(c.Inline)}
		if !half {
			out = append(out, put)
			size += n
		}
		out, size = append(out, gone), size+old
	}
	return out, nil
}

// merged is the text of a copy with what AWS added.
func (c Copied) merged(before string) (string, error) {
	more, err := c.added(before)
	if err != nil {
		return "", err
	}
	doc, err := policy.Parse(before)
	if err != nil {
		return "", err
	}
	after, err := doc.Append(more.statements...)
	if err == nil {
		err = after.Validate(policy.Identity)
	}
	if err != nil {
		return "", err
	}
	return after.Text(), nil
}
