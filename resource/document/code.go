package document

import (
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
)

// StatementTexts are the statements of a policy as JSON, which both languages
// take for a value.
func StatementTexts(hide *Redactor, text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return nil, err
	}
	shown := hide.Document(doc)
	var out []string
	for i := range shown.Statements {
		one := (&policy.Document{Statements: shown.Statements[i : i+1]}).Text()
		// Only the statement of the document: from the second brace to the last but one.
		open := strings.Index(one[1:], "{") + 1
		end := strings.LastIndex(one[:len(one)-1], "}")
		body := strings.Split(one[open:end+1], "\n")
		margin := len(body[len(body)-1]) - len(strings.TrimLeft(body[len(body)-1], " "))
		for n := range body {
			body[n] = strings.TrimPrefix(body[n], strings.Repeat(" ", margin))
		}
		out = append(out, strings.Join(body, "\n"))
	}
	return out, nil
}

// Declare shows the statements that go and those that come, between the lines of code
// that stay; indent leads each statement. Values that can be secret have stand-ins.
func Declare(head, tail []string, indent, before, after string, as resource.Format) ([]string, error) {
	var hide Redactor
	old, err := StatementTexts(&hide, before)
	if err != nil {
		return nil, err
	}
	fresh, err := StatementTexts(&hide, after)
	if err != nil {
		return nil, err
	}
	var changed []string
	show := func(sign string, from, other []string) {
		for _, text := range from {
			if slices.Contains(other, text) {
				continue
			}
			for n, line := range strings.Split(text, "\n") {
				lead := indent
				if n > 0 {
					lead = strings.Repeat(" ", len(indent))
				}
				changed = append(changed, sign+lead+line)
			}
		}
	}
	show("-", old, fresh)
	show("+", fresh, old)
	return resource.WrapCode(as, head, changed, tail)
}
