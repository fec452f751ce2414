package app

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"dera.example/dera"
)

// Shape is equal for plans that change the same in the same way and that a person is asked about for the
// same reasons, each on its own resource: whoever has read one has read them all. It is that of a plan
// about findings, in which the plan's own account, region and resource are left out.
func Shape(r dera.Remediation, findings []dera.Finding) string {
	given := regexp.MustCompile(`\bsgr-[0-9a-f]{8,32}\b`)
	own := strings.NewReplacer(names(r.Plan, findings)...)
	parts := []string{r.Control, r.Plan.Type, r.Severity.String(), fmt.Sprint(len(findings))}
	for _, c := range r.Plan.Changes {
		parts = append(parts, fmt.Sprintf("%s/%d optional %t kept %t undo %t", c.Operation, c.Version, c.Optional, c.Kept, c.Undo != nil))
		for _, line := range c.Diff {
			parts = append(parts, own.Replace(line))
		}
		// The lines leave out what a policy says besides. The IDs that AWS gives to rules of groups are no
		// difference: the lines say what each rule allows.
		for _, text := range []json.RawMessage{c.Input, c.Before, c.After} {
			parts = append(parts, given.ReplaceAllString(own.Replace(string(text)), "ID"))
		}
		if c.Undo != nil {
			parts = append(parts, c.Undo.Operation, given.ReplaceAllString(own.Replace(string(c.Undo.Input)), "ID"))
		}
	}
	for _, n := range r.Notes {
		parts = append(parts, "note "+own.Replace(n))
	}
	var against []string
	for _, f := range findings {
		for _, x := range f.Reasons {
			if x.Disposition != dera.Auto {
				against = append(against, x.Guardrail+" "+own.Replace(x.Why))
			}
		}
	}
	slices.Sort(against)
	sum := sha256.Sum256([]byte(fmt.Sprintf("%q", append(parts, slices.Compact(against)...))))
	return hex.EncodeToString(sum[:])
}

// names are the names of where a plan acts, each with what stands for it.
func names(p dera.Plan, findings []dera.Finding) (out []string) {
	type name struct{ is, by string }
	list := []name{{string(p.Resource), "ARN"}, {p.Resource.Name(), "NAME"}, {p.Account, "ACCOUNT"}, {p.Region, "REGION"}}
	for _, f := range findings {
		list = append(list, name{f.ResourceName, "NAME"})
	}
	for _, n := range list {
		if len(n.is) > 3 { // a shorter one stands in other words
			out = append(out, n.is, n.by)
		}
	}
	return out
}
