package engine

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// asCode is the plan as infrastructure as code for its owner, and what the audit
// log says of it, which holds no free text of the customer. A type that cannot be
// told so still waits for a person.
func (e *Engine) asCode(r dera.Resource, p dera.Plan, lang string) (code *dera.CodeDiff, note string) {
	lines, err := e.cfg.Types.Declare(r.Config, p, resource.Format{Language: lang})
	if err != nil {
		return nil, "the change could not be written as " + lang
	}
	plain, err := e.cfg.Types.Declare(r.Config, p, resource.Format{Language: lang, Plain: true})
	if err != nil {
		return nil, "the change could not be written as " + lang
	}
	const most = 200
	return &dera.CodeDiff{Language: lang, Lines: lines}, "as " + lang + ":\n" + strings.Join(shortList(plain, most), "\n")
}
