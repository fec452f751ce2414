package document

import (
	"strings"

	"dera.example/dera/iam/policy"
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
