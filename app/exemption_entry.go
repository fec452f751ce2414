package app

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
)

// ExemptionDays is how far ahead a proposed exemption expires.
const ExemptionDays = 90

// ExemptionEntry is an entry of the exemption list that covers just this
// finding. Its reason is left blank on purpose, and so is an owner that is not
// known: a blank makes the list invalid, dera exemptions check refuses it, and a
// list with it stops automation, so that nobody merges what nobody thought about.
func ExemptionEntry(f dera.Finding, now time.Time) []string {
	owner := "# blank: who answers for it"
	if f.Owner != "" && f.OwnerSource != "actor" {
		owner = "# by its " + f.OwnerSource
	} else {
		f.Owner = ""
	}
	out := []string{
		"  - id: " + strings.TrimPrefix(f.ID, "f-"),
		"    match:",
		"      controls: [" + quoted(f.Control) + "]",
		"      accounts: [" + quoted(f.Account) + "]",
		"      resources: [" + quoted(string(f.Resource)) + "]",
		"      keys: [" + quoted(f.Key) + "]",
	}
	for _, list := range []struct {
		name   string
		values []string
	}{{"sources", f.Sources}, {"permissions", f.Permissions}} {
		var values []string
		for _, v := range list.values {
			values = append(values, quoted(v))
		}
		if len(values) > 0 {
			out = append(out, "      "+list.name+": ["+strings.Join(values, ", ")+"]")
		}
	}
	return append(out,
		fmt.Sprintf("    owner: %s %s", quoted(f.Owner), owner),
		`    reason: "" # blank: why it must stay as it is, with a ticket; the list is not valid without`,
		"    expires: "+now.UTC().AddDate(0, 0, ExemptionDays).Format(time.DateOnly),
	)
}

// quoted is a text as YAML reads it back, whatever it holds.
func quoted(s string) string {
	text, err := json.Marshal(s) // a string of JSON is one of YAML
	if err != nil {
		return `""` // a string always has JSON
	}
	return string(text)
}
