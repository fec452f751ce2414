package function

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
)

// Input is version 1 of the input of the operations: one statement of the policy, by its
// Sid and as it is written.
type Input struct {
	Resource  string `json:"resource"` // the ID
	Sid       string `json:"sid"`
	Statement string `json:"statement"`
}

func operations() []resource.Operator[resourcepolicy.Config] {
	took := func(before, after bool) func(in Input, p dera.Plan, _ dera.Change) (resource.Taken, error) {
		return func(in Input, p dera.Plan, _ dera.Change) (resource.Taken, error) {
			out := resource.Taken{Resources: []string{string(p.Resource), string(p.Resource) + ":*"}}
			if before {
				out.Before = wrap(in.Statement)
			}
			if after {
				out.After = wrap(in.Statement)
			}
			return out, nil
		}
	}
	of := func(in Input) (string, error) { return in.Resource, nil }
	return []resource.Operator[resourcepolicy.Config]{
		resource.Op(resource.OpSpec[resourcepolicy.Config, Input]{
			OperationType: resource.OperationType{Name: RemovePermission, Denies: resource.DeniesByResource}, Of: of, Took: took(true, false),
			Apply: func(c *resourcepolicy.Config, in Input) { c.Policy = without(c.Policy, in.Sid) },
		}),
		resource.Op(resource.OpSpec[resourcepolicy.Config, Input]{
			OperationType: resource.OperationType{Name: AddPermission, Denies: resource.DeniesByResource}, Of: of, Took: took(false, true),
			Apply: func(c *resourcepolicy.Config, in Input) { c.Policy = with(c.Policy, in) },
			Refuse: func(c *resourcepolicy.Config, in Input) error {
				if _, there := Statement(c.Policy, in.Sid); there {
					return &resource.NotAllowedError{Why: "the policy has a statement " + in.Sid + " already"}
				}
				return nil
			},
		}),
	}
}

// wrap is a policy of one statement, as Lambda writes it.
func wrap(statement string) string {
	return `{"Version":"` + policy.Version2012 + `","Id":"default","Statement":[` + statement + `]}`
}

// Statement is the text of the statement with the Sid.
func Statement(text, sid string) (string, bool) {
	doc, err := policy.Parse(text)
	if err != nil {
		return "", false
	}
	for i := range doc.Statements {
		if st := &doc.Statements[i]; st.Sid == sid {
			return doc.Text()[st.Span().Start:st.Span().End], true
		}
	}
	return "", false
}

// without is the policy without the statement, and "" where none is left; what cannot be
// read stays.
func without(text, sid string) string {
	doc, err := policy.Parse(text)
	if err != nil {
		return text
	}
	i := slices.IndexFunc(doc.Statements, func(st policy.Statement) bool { return st.Sid == sid })
	if i < 0 {
		return text
	}
	left, err := doc.Apply(policy.RemoveStatement(i))
	switch {
	case errors.Is(err, policy.ErrLast):
		return ""
	case err != nil:
		return text
	}
	return left.Text()
}

// with is the policy with the statement too.
func with(text string, in Input) string {
	if text == "" {
		return wrap(in.Statement)
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return text
	}
	if _, there := Statement(text, in.Sid); there {
		return text
	}
	more, err := doc.Append(in.Statement)
	if err != nil {
		return text
	}
	return more.Text()
}

// edit takes whole statements out: Lambda changes none. The undo adds the statement
// again, where AddPermission can say all of it.
func edit(c *resourcepolicy.Config, doc *policy.Document, cuts []document.PublicCut) ([]dera.Change, error) {
	var out []dera.Change
	for _, cut := range cuts {
		st := &doc.Statements[cut.Index]
		text := doc.Text()[st.Span().Start:st.Span().End]
		switch {
		case !cut.Whole():
			return nil, fmt.Errorf("statement %d names others too, and Lambda removes whole statements only", cut.Index+1)
		case st.Sid == "":
			return nil, fmt.Errorf("statement %d has no Sid, by which Lambda removes it", cut.Index+1)
		case strings.Contains(strings.ToLower(text), "lambda:eventsourcetoken"):
			return nil, fmt.Errorf("statement %d holds a token, which dera keeps nowhere", cut.Index+1)
		}
		in := Input{Resource: c.ID, Sid: st.Sid, Statement: text}
		change, err := resource.NewChange(RemovePermission, in, text, nil, AddPermission, in, []string{"- " + document.StatementLine(cut.Index, st)})
		if err != nil {
			return nil, err
		}
		if _, err := PermissionOf(text); err != nil {
			change.Undo = nil
		}
		out = append(out, change)
	}
	return out, nil
}

// declare shows the permission that goes. CloudFormation and Terraform have each
// statement as a resource of its own.
func declare(before, _ *resourcepolicy.Config, op resource.Operation, as resource.Format) ([]string, error) {
	in, err := resource.Input[Input](op)
	if err != nil {
		return nil, err
	}
	p, err := PermissionOf(in.Statement)
	if err != nil {
		return nil, err
	}
	sign := "-"
	if op.Name == AddPermission {
		sign = "+"
	}
	var lines []string
	if as.Language == resource.CloudFormation {
		lines = []string{resource.LogicalID(in.Sid) + ":", "  Type: AWS::Lambda::Permission", "  Properties:", "    FunctionName: " + resource.YAMLText(before.ID)}
		for _, m := range p.members() {
			lines = append(lines, "    "+m[1]+": "+resource.YAMLText(m[2]))
		}
	} else {
		lines = []string{fmt.Sprintf("resource \"aws_lambda_permission\" %q {", resource.Identifier(in.Sid)), "  function_name = " + resource.HCLText(before.ID)}
		for _, m := range p.members() {
			lines = append(lines, "  "+m[0]+" = "+resource.HCLText(m[2]))
		}
		lines = append(lines, "}")
	}
	for i := range lines {
		lines[i] = sign + lines[i]
	}
	return resource.WrapCode(as, nil, lines, nil)
}
