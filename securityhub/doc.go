// Package securityhub is dera towards AWS Security Hub: its findings in the formats of
// Security Hub (ASFF and OCSF), and what Security Hub's own findings are set to when dera
// fixes, rolls back or exempts (Writer). Layer: may import the words, store and sink;
// Security Hub itself is a port.
package securityhub

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"dera.example/dera"
)

// Author stands in notes on findings of Security Hub as who wrote them: by it dera knows
// its own writing, which comes back as an event.
const Author = dera.NoteAuthor

// Ref is what a finding fails, by the names of others.
type Ref struct{ Standard, ID, URL string }

// Finding is a finding of dera with what the formats say beside it.
type Finding struct {
	dera.Finding
	// Control is the title of the control, and Fix what its plan does.
	ControlTitle, Fix string
	Refs              []Ref
	Version           string // of dera
}

// PlaceOf is where the Security Hub of a finding is.
func PlaceOf(f dera.Finding) Place { return Place{f.Account, Finding{Finding: f}.region()} }

// productARN is what Security Hub files an account's own findings under.
//
// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-custom-providers.html
func productARN(partition, region, account string) string {
	return string(dera.NewARN(partition, "securityhub", region, account, "product/"+account+"/default"))
}

// id is the ID under which others know the finding: it is the same as long as the finding is.
func (f Finding) id() string { return strings.Join([]string{"dera", f.Account, f.region(), f.ID}, "/") }

// region is where the finding is filed: one on what is global in the partition's home.
func (f Finding) region() string {
	if f.Region == dera.GlobalRegion || f.Region == "" {
		p, _ := dera.PartitionByID(f.Partition)
		return p.Home
	}
	return f.Region
}

// resourceType is the type of a resource in ASFF: AwsEc2SecurityGroup, or Other.
//
// https://docs.aws.amazon.com/securityhub/latest/userguide/asff-resources.html
func resourceType(typ string) string {
	parts := strings.Split(typ, "::")
	if len(parts) != 3 || parts[0] != "AWS" {
		return "Other"
	}
	// Acronyms have one capital letter: DBInstance is DbInstance.
	word := func(s string) string {
		if strings.ToUpper(s) == s {
			return s[:1] + strings.ToLower(s[1:])
		}
		return strings.ReplaceAll(s, "DB", "Db")
	}
	return "Aws" + word(parts[1]) + word(parts[2])
}

// cut bounds a text, in characters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:most-1])) + "…"
}

// explained is what a finding says of itself.
func (f Finding) explained() string {
	why := f.Why
	if f.State == dera.FindingUnknown {
		why = "dera could not judge it: " + why
	}
	if f.Disposition == dera.Exempt {
		for _, r := range f.Reasons {
			if r.Disposition == dera.Exempt {
				why += fmt.Sprintf(" (exempt: %s)", r.Why)
			}
		}
	}
	return cmp.Or(why, f.Title)
}
