package document

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
)

// DiffPolicy is what changes between two texts of a policy, as lines of a diff for
// people and records: of a statement that has other actions or principals just these,
// else the whole statement. Values of conditions can be secret, so they are left out.
// What stands before each line is the prefix.
func DiffPolicy(prefix, before, after string) []string {
	old, errOld := statements(before)
	fresh, errFresh := statements(after)
	if errOld != nil || errFresh != nil {
		return []string{"- " + prefix + "policy that cannot be read", "+ " + prefix + "policy that cannot be read"}
	}
	var out []string
	// Statements that are in both say nothing, wherever they stand.
	left := slices.Clone(fresh)
	var gone []numbered
	for _, o := range old {
		if i := slices.IndexFunc(left, func(f numbered) bool { return f.canon == o.canon }); i >= 0 {
			left = slices.Delete(left, i, i+1)
		} else {
			gone = append(gone, o)
		}
	}
	for _, o := range gone {
		i := slices.IndexFunc(left, func(f numbered) bool { return f.frame == o.frame })
		if i < 0 {
			out = append(out, "- "+prefix+StatementLine(o.index, &o.st))
			continue
		}
		out = append(out, elements(prefix, o, left[i])...)
		left = slices.Delete(left, i, i+1)
	}
	for _, f := range left {
		out = append(out, "+ "+prefix+StatementLine(f.index, &f.st))
	}
	if len(out) == 0 && !SamePolicy(before, after) {
		out = append(out, "- "+prefix+"version, ID or a value of a condition", "+ "+prefix+"version, ID or a value of a condition")
	}
	return out
}

// numbered is a statement with its place, its canonical text, and that of it without
// the lists whose elements are compared.
type numbered struct {
	index        int
	st           policy.Statement
	canon, frame string
}

func statements(text string) ([]numbered, error) {
	if text == "" {
		return nil, nil
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return nil, err
	}
	var out []numbered
	for i, st := range doc.Statements {
		n := numbered{index: i, st: st, canon: CanonStatement(&st)}
		if len(st.Actions) > 0 {
			st.Actions = []string{"*"}
		}
		if st.Principals != nil {
			st.Principals = &policy.Principals{Any: true}
		}
		n.frame = CanonStatement(&st)
		out = append(out, n)
	}
	return out, nil
}

// mostShown is how many elements of a statement a diff names.
const mostShown = 40

// elements are the actions and principals that a statement loses and gets.
func elements(prefix string, o, f numbered) []string {
	lead, _, _ := strings.Cut(StatementLine(o.index, &o.st), ": ")
	var out []string
	list := func(sign string, have, not []string) {
		n := 0
		for _, v := range Distinct(have) {
			if slices.Contains(not, v) {
				continue
			}
			if n++; n <= mostShown {
				out = append(out, sign+prefix+lead+": "+v)
			}
		}
		if n > mostShown {
			out = append(out, fmt.Sprintf("%s%s%s: and %d more", sign, prefix, lead, n-mostShown))
		}
	}
	names := func(st policy.Statement) (out []string) {
		for _, p := range PrincipalsOf(&st) {
			out = append(out, "principal "+p.Kind+" "+p.Value)
		}
		return out
	}
	list("- ", o.st.Actions, f.st.Actions)
	list("+ ", f.st.Actions, o.st.Actions)
	list("- ", names(o.st), names(f.st))
	list("+ ", names(f.st), names(o.st))
	return out
}
