package iam

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource/document"
)

// CopyKey begins the keys of findings on copies that lack what AWS added.
const CopyKey = "copy/"

// Copied is an inline policy that is a narrower copy of a policy of AWS, beside what that
// policy said then and says now; without documents where it is the same version.
type Copied struct {
	Inline string   `json:"inline"`
	ARN    string   `json:"arn"`
	Then   Attached `json:"then"` // a document that is "" AWS does not tell any more
	Now    Attached `json:"now"`
}

var copyForm = regexp.MustCompile(`^(.+)-(v[1-9][0-9]*)-narrowed$`)

// CopyOf says of which policy of AWS an inline policy has the name of a copy, in which
// version.
func CopyOf(partition, inline string) (arn, version string, ok bool) {
	m := copyForm.FindStringSubmatch(inline)
	if m == nil {
		return "", "", false
	}
	path := strings.Split(m[1], ".")
	if slices.Contains(path, "") { // no ARN has an empty part
		return "", "", false
	}
	return string(dera.NewARN(partition, "iam", "", "aws", "policy/"+strings.Join(path, "/"))), m[2], true
}

// Key is the key of the finding about a copy.
func (c Copied) Key() string {
	return CopyKey + strings.TrimPrefix(dera.ARN(c.ARN).Resource(), "policy/")
}

// added is what AWS added to a policy since it was copied that a service of the copy may
// need: statements, and the actions that they allow.
type added struct {
	statements []string         // as JSON
	doc        *policy.Document // that has them, and the denials of the copy
	actions    []string
}

// added finds what AWS added and the copy lacks.
func (c Copied) added(text string) (added, error) {
	if c.Then.Version == c.Now.Version {
		return added{}, nil
	}
	if c.Then.Document == "" {
		return added{}, fmt.Errorf("AWS does not tell any more what %s said in version %s, of which %q is a copy: compare it with version %s by hand, and put it under the name %q",
			c.ARN, c.Then.Version, c.Inline, c.Now.Version, CopyName(c.ARN, c.Now.Version))
	}
	docs, err := parsed([]Text{{Name: c.Inline, Document: text}, {Name: c.ARN, Document: c.Then.Document}, {Name: c.ARN, Document: c.Now.Document}})
	if err != nil {
		return added{}, err
	}
	own, then, now := docs[0], docs[1], docs[2]
	if !narrowable(own) || !narrowable(then) || !narrowable(now) || everything(now) {
		return added{}, fmt.Errorf("%s allows everything, or everything but a list: what AWS added to it no list can name", c.ARN)
	}
	if err := c.denials(own, then, now); err != nil {
		return added{}, err
	}
	sid := map[string]bool{}
	for i := range own.Statements {
		sid[own.Statements[i].Sid] = true
	}
	var out added
	for i := range now.Statements {
		st := now.Statements[i]
		if st.Effect != policy.Allow {
			continue
		}
		var list []string
		var err error
		if st.Actions, list, err = wanted(&st, own, then); err != nil {
			return added{}, err
		}
		if len(st.Actions) == 0 {
			continue
		}
		if sid[st.Sid] {
			st.Sid = ""
		}
		line, err := st.Line()
		if err != nil {
			return added{}, err
		}
		out.statements, out.actions = append(out.statements, line), append(out.actions, list...)
	}
	out.actions = distinct(out.actions)
	if len(out.statements) == 0 {
		return added{}, nil
	}
	if out.doc, err = held(own, out.statements...); err != nil || within(out.doc, own) {
		return added{}, err
	}
	return out, nil
}

// held is a policy of statements with the denials of another one.
func held(by *policy.Document, statements ...string) (*policy.Document, error) {
	for i := range by.Statements {
		if by.Statements[i].Effect != policy.Deny {
			continue
		}
		line, err := by.Statements[i].Line()
		if err != nil {
			return nil, err
		}
		statements = append(statements, line)
	}
	return policy.Parse(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)
}

// within reports whether a policy is proved to allow no more than another one.
func within(doc, other *policy.Document) bool {
	return reason.Subset(context.Background(), reason.Policies{doc}, reason.Policies{other}, reason.Config{}).Verdict == reason.Proved
}

// denials: a denial that AWS took back and the copy has, or that AWS added and the copy
// has not, is for a person: no denial is written.
func (c Copied) denials(own, then, now *policy.Document) error {
	has := func(doc *policy.Document, st policy.Statement) bool {
		return slices.ContainsFunc(doc.Statements, func(o policy.Statement) bool { return canon(o) == canon(st) })
	}
	for _, st := range then.Statements {
		if st.Effect == policy.Deny && !has(now, st) && has(own, st) {
			return fmt.Errorf("AWS took a denial out of %s since version %s was copied, which %q still has", c.ARN, c.Then.Version, c.Inline)
		}
	}
	for _, st := range now.Statements {
		if st.Effect == policy.Deny && !has(then, st) && !has(own, st) {
			return fmt.Errorf("AWS added a denial to %s since version %s was copied, which %q lacks", c.ARN, c.Then.Version, c.Inline)
		}
	}
	return nil
}

// canon is a text that is equal for statements that say the same, whatever they are called.
func canon(st policy.Statement) string {
	st.Sid = ""
	return document.CanonStatement(&st)
}

// wanted are the entries of a statement that are about services of the copy and that the
// policy did not allow when it was copied, or of what the copy has, not there or not so;
// with the actions that they stand for. What the copy allows as widely, or denies
// whatever the resource, is not wanted.
func wanted(st *policy.Statement, own, then *policy.Document) (entries, actions []string, err error) {
	where := *st
	where.Actions, where.Sid = []string{"x:Y"}, ""
	head := canon(where)
	known := func(action string) bool { // under the same conditions and on the same resources
		return slices.ContainsFunc(then.Statements, func(o policy.Statement) bool {
			if o.Effect != policy.Allow || !Lets(&o, action) {
				return false
			}
			o.Actions, o.Sid = []string{"x:Y"}, ""
			return canon(o) == head
		})
	}
	needed := func(action string) bool {
		switch service, _, _ := strings.Cut(action, ":"); {
		case !hasService(own, service), denies(own, action), known(action):
			return false
		default:
			return !allows(then, action) || allows(own, action)
		}
	}
	var has []string // of what may be wanted, what the copy allows somehow
	lists := make([][]string, len(st.Actions))
	for i, entry := range st.Actions {
		all, ok := catalog.Embedded().Expand(entry)
		if !ok {
			all = []string{entry}
		}
		lists[i] = all
		has = append(has, slices.DeleteFunc(slices.Clone(all), func(a string) bool { return !needed(a) || !allows(own, a) })...)
	}
	covered, err := coveredBy(own, st, distinct(has))
	if err != nil {
		return nil, nil, err
	}
	for i, entry := range st.Actions {
		some := slices.DeleteFunc(slices.Clone(lists[i]), func(a string) bool { return !needed(a) || covered[a] })
		if len(some) == len(lists[i]) && len(some) > 0 {
			entries = append(entries, entry)
		} else {
			entries = append(entries, some...)
		}
		actions = append(actions, some...)
	}
	return entries, actions, nil
}

// coveredBy are the actions that a policy allows wherever a statement does.
func coveredBy(own *policy.Document, st *policy.Statement, actions []string) (map[string]bool, error) {
	out := map[string]bool{}
	for rest := [][]string{actions}; len(rest) > 0; rest = rest[1:] {
		if len(rest[0]) == 0 {
			continue
		}
		one := *st
		one.Actions, one.Sid = rest[0], ""
		line, err := one.Line()
		if err != nil {
			return nil, err
		}
		doc, err := held(own, line)
		switch {
		case err != nil:
			return nil, err
		case within(doc, own):
			for _, a := range rest[0] {
				out[a] = true
			}
		case len(rest[0]) > 1:
			half := len(rest[0]) / 2
			rest = append(rest, rest[0][:half], rest[0][half:])
		}
	}
	return out, nil
}

// denies reports whether a policy denies an action whatever it is about.
func denies(doc *policy.Document, action string) bool {
	return slices.ContainsFunc(doc.Statements, func(st policy.Statement) bool {
		return st.Effect == policy.Deny && Lets(&st, action) && slices.Contains(st.Resources, "*") && len(st.Conditions) == 0
	})
}

// hasService reports whether a policy allows something of a service.
func hasService(doc *policy.Document, service string) bool {
	return slices.ContainsFunc(doc.Statements, func(st policy.Statement) bool {
		return st.Effect == policy.Allow && slices.ContainsFunc(st.Actions, func(e string) bool {
			of, _, _ := strings.Cut(e, ":")
			return catalog.Match(strings.ToLower(of), strings.ToLower(service))
		})
	})
}

// OutdatedCopies finds the copies that lack what AWS added.
func (i *Identity) OutdatedCopies() control.Result {
	if !i.Read(PartInline, PartCopied) {
		return control.Result{Outcome: control.UnknownResult, Why: "dera lacks permission to read the inline policies, or the policies of AWS of which they are copies"}
	}
	var out control.Result
	var unclear []error
	for _, c := range i.Copied {
		if i.inline(c.Inline) < 0 {
			continue // it is not there any more
		}
		more, err := c.added(i.text(c.Inline))
		switch {
		case err != nil:
			unclear = append(unclear, err)
		case len(more.actions) > 0:
			why := fmt.Sprintf("Inline policy %q is a copy of %s in version %s; in force is %s. To services that the copy has, AWS added: %s.",
				c.Inline, c.ARN, c.Then.Version, c.Now.Version, listed(more.actions, 8))
			if n := slices.IndexFunc(out.Failures, func(f control.Failure) bool { return f.Key == c.Key() }); n >= 0 { // another copy of it
				out.Failures[n].Why += " " + why
				continue
			}
			out.Failures = append(out.Failures, control.Failure{
				Key: c.Key(), Start: dera.Review, Severity: dera.Low, Title: "Copy of a policy of AWS lacks what AWS added", Why: why,
			})
		}
	}
	slices.SortFunc(out.Failures, func(a, b control.Failure) int { return cmp.Compare(a.Key, b.Key) })
	switch {
	case len(unclear) > 0:
		out.Outcome, out.Why = control.UnknownResult, errors.Join(unclear...).Error()
	case len(out.Failures) > 0:
		out.Outcome = control.Fail
	case len(i.Copied) == 0:
		out.Outcome = control.NotApplicable
	default:
		out.Outcome = control.Pass
	}
	return out
}

// outgrown reports whether a copy is there and not of the version in force: one that is
// may be half of a plan.
func (i *Identity) outgrown(c Copied) bool {
	return c.Then.Version != c.Now.Version && i.inline(c.Inline) >= 0
}

func (i *Identity) text(inline string) string {
	if n := i.inline(inline); n >= 0 {
		return i.Inline[n].Document
	}
	return ""
}
