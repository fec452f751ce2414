package iam

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
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
	return string(dera.NewARN(partition, "iam", "", "aws", "policy/"+strings.ReplaceAll(m[1], ".", "/"))), m[2], true
}

// Key is the key of the finding about a copy.
func (c Copied) Key() string {
	return CopyKey + strings.TrimPrefix(dera.ARN(c.ARN).Resource(), "policy/")
}

// added is what AWS added to a policy since it was copied that a service of the copy may
// need: statements, and the actions that they allow.
type added struct {
	statements []string         // as JSON
	doc        *policy.Document // that has them
	actions    []string
}

// added finds what AWS added and the copy lacks.
func (c Copied) added(text string) (added, error) {
	if c.Then.Version == c.Now.Version {
		return added{}, nil
	}
	if c.Then.Document == "" {
		return added{}, fmt.Errorf("AWS does not tell any more what %s said in version %s, of which %q is a copy", c.ARN, c.Then.Version, c.Inline)
	}
	docs, err := parsed([]Text{{Name: c.Inline, Document: text}, {Name: c.ARN, Document: c.Then.Document}, {Name: c.ARN, Document: c.Now.Document}})
	if err != nil {
		return added{}, err
	}
	own, then, now := docs[0], docs[1], docs[2]
	if !narrowable(own) || !narrowable(then) || !narrowable(now) || everything(now) {
		return added{}, fmt.Errorf("%s allows everything, or everything but a list: what AWS added to it no list can name", c.ARN)
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
		if st.Actions, list = wanted(&st, own, then); len(st.Actions) == 0 {
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
		return added{}, c.denials(then, now)
	}
	if out.doc, err = policy.Parse(`{"Version":"2012-10-17","Statement":[` + strings.Join(out.statements, ",") + `]}`); err != nil {
		return added{}, err
	}
	if reason.Subset(context.Background(), reason.Policies{out.doc}, reason.Policies{own}, reason.Config{}).Verdict == reason.Proved {
		return added{}, c.denials(then, now)
	}
	return out, nil
}

// denials: a denial that AWS took back stays in the copy, and a person has to look.
func (c Copied) denials(then, now *policy.Document) error {
	for i := range then.Statements {
		if st := then.Statements[i]; st.Effect == policy.Deny && !slices.ContainsFunc(now.Statements, func(o policy.Statement) bool { return canon(o) == canon(st) }) {
			return fmt.Errorf("AWS took a denial out of %s since version %s was copied", c.ARN, c.Then.Version)
		}
	}
	return nil
}

// canon is a text that is equal for statements that say the same.
func canon(st policy.Statement) string {
	return (&policy.Document{Version: policy.Version2012, Statements: []policy.Statement{st}}).Canon()
}

// wanted are the entries of a statement that are about services of the copy and that the
// policy did not allow when it was copied, or of what the copy has, not there or not so;
// with the actions that they stand for.
func wanted(st *policy.Statement, own, then *policy.Document) (entries, actions []string) {
	where := *st
	where.Actions, where.Sid = []string{"x:Y"}, ""
	head := canon(where)
	known := func(action string) bool { // under the same conditions and on the same resources
		return slices.ContainsFunc(then.Statements, func(o policy.Statement) bool {
			if o.Effect != policy.Allow || !lets(&o, action) {
				return false
			}
			o.Actions, o.Sid = []string{"x:Y"}, ""
			return canon(o) == head
		})
	}
	needed := func(action string) bool {
		switch service, _, _ := strings.Cut(action, ":"); {
		case !hasService(own, service), known(action):
			return false
		default:
			return !allows(then, action) || allows(own, action)
		}
	}
	for _, entry := range st.Actions {
		all, ok := catalog.Embedded().Expand(entry)
		if !ok {
			all = []string{entry}
		}
		some := slices.DeleteFunc(slices.Clone(all), func(a string) bool { return !needed(a) })
		if len(some) == len(all) && len(some) > 0 {
			entries = append(entries, entry)
		} else {
			entries = append(entries, some...)
		}
		actions = append(actions, some...)
	}
	return entries, actions
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
			out.Failures = append(out.Failures, control.Failure{
				Key: c.Key(), Start: dera.Review, Severity: dera.Low, Title: "Copy of a policy of AWS lacks what AWS added",
				Why: fmt.Sprintf("Inline policy %q is a copy of %s in version %s; in force is %s. To services that the copy has, AWS added: %s.",
					c.Inline, c.ARN, c.Then.Version, c.Now.Version, listed(more.actions, 8)),
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

func (i *Identity) text(inline string) string {
	if n := i.inline(inline); n >= 0 {
		return i.Inline[n].Document
	}
	return ""
}

// UpdateCopies are the changes after which copies have what AWS added: each has the name
// of the version in force. The new one is put before the old one goes.
func (i *Identity) UpdateCopies(k Kind, failures []control.Failure) (out []dera.Change, refusal *control.Refusal) {
	size := 0
	for _, p := range i.Inline {
		n, err := growth("", p.Document)
		if err != nil {
			return nil, CannotPlan(err)
		}
		size += n
	}
	for _, c := range i.Copied {
		if !slices.Contains(Keys(failures), c.Key()) || c.Then.Version == c.Now.Version { // one of the version in force may be half of the plan
			continue
		}
		before, name := i.text(c.Inline), CopyName(c.ARN, c.Now.Version)
		after, err := c.merged(before)
		if err != nil {
			return nil, CannotPlan(err)
		}
		half := i.hasCopy(name, after) // of a plan that was carried out in part
		if i.inline(name) >= 0 && !half {
			return nil, &control.Refusal{Code: "name-taken", Why: fmt.Sprintf("there is an inline policy %q, whose name the copy would have", name)}
		}
		put, errPut := i.SetInline(k, name, after)
		gone, errGone := i.SetInline(k, c.Inline, "")
		n, errSize := growth("", after)
		if err := errors.Join(errPut, errGone, errSize); err != nil {
			return nil, CannotPlan(err)
		}
		if !half && size+n > k.InlineLimit() {
			return nil, &control.Refusal{Code: "no-space", Why: counting(size+n-k.InlineLimit(), "character") + " more than IAM stores of the inline policies, while both copies are there"}
		}
		what := "inline policy " + strconv.Quote(name)
		put.Diff = append([]string{"+ " + what + ": " + strconv.Quote(c.Inline) + " with what AWS added"}, document.DiffPolicy(what+" ", before, after)...)
		gone.Diff = []string{"- inline policy " + strconv.Quote(c.Inline)}
		if !half {
			out = append(out, put)
		}
		out = append(out, gone)
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
