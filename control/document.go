package control

import (
	"fmt"
	"strings"
)

// Document is the control's page in Markdown: why, when what is done, the fix,
// the permissions and where the rule comes from (requirement D10).
func (c Control) Document() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# %s", c.Title)
	line("")
	line("`%s` looks at `%s`. Severity: up to %s. Complexity of the remediation: %s.", c.ID, c.Type, c.Severity, c.Complexity)
	line("")
	line("**Why.** %s", c.Why)
	line("")
	line("**Fix.** %s", c.Fix)
	line("")
	line("| when | decision before guardrails | because |")
	line("|---|---|---|")
	for _, k := range c.Cases {
		line("| %s | %s | %s |", k.When, k.Disposition, k.Because)
	}
	line("")
	if c.Incident {
		line("A finding stays open until `dera incident attach FINDING --reference REFERENCE` names an incident; it opens again when there is use after that. A break-glass list does not exempt it.")
		line("")
	}
	line("The guardrails may lower a decision, never raise it; see [the gate](../gate.md).")
	line("")
	line("| rule | ID |")
	line("|---|---|")
	for _, r := range c.Refs {
		line("| [%s](%s) | %s |", r.Standard, r.URL, r.ID)
	}
	line("")
	line("**Reads.** %s", code(c.Reads))
	line("")
	if len(c.GuardReads) > 0 {
		line("**Guardrails read.** %s", code(c.GuardReads))
		line("")
	}
	if len(c.Writes) > 0 {
		line("**Writes, undo included.** %s", code(c.Writes))
	} else {
		line("**Writes.** None.")
	}
	line("")
	line("Owner: %s. To be reviewed by %s.", c.Owner, c.ReviewBy)
	return b.String()
}

func code(list []string) string {
	var out []string
	for _, s := range list {
		out = append(out, "`"+s+"`")
	}
	return strings.Join(out, ", ")
}
