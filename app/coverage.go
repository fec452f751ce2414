package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/source"
	"dera.example/dera/store"
)

// Coverage is what dera sees of its accounts, and by what it hears of changes.
type Coverage struct {
	Accounts []AccountCoverage
	Unread   []Unreadable // of no account alone, such as a configuration that cannot be used
	Sources  []SourceHeard
	Alarms   []dera.Alarm // that stand
}

// AccountCoverage is what dera reads of an account: a place is the resources of a type in a region.
type AccountCoverage struct {
	Account dera.Account
	Places  int
	// Oldest is when the place that was read longest ago was read, and Newest the last one; zero where
	// none was read yet.
	Oldest, Newest time.Time
	// Unread are the places that could not be read when it was last tried, or were never tried.
	Unread         []Unreadable
	Open, Critical int // findings left open
}

// Calls are the calls of AWS that were refused, each once.
func (c AccountCoverage) Calls() (out []string) {
	for _, u := range c.Unread {
		if u.Call != "" && !slices.Contains(out, u.Call) {
			out = append(out, u.Call)
		}
	}
	return out
}

// SourceHeard is when a kind of message last came; zero where it never did, or is not known.
type SourceHeard struct {
	Kind string
	Last time.Time
}

// CoverageOf says what is seen of the accounts: the places that are covered and those among them that
// could not be read. An account that only findings or places know is there too. Sources and alarms are left
// out.
func CoverageOf(accounts []dera.Account, covered []store.Place, places Places, findings []dera.Finding) Coverage {
	byID := map[string]*AccountCoverage{}
	of := func(id string) *AccountCoverage {
		c := byID[id]
		if c == nil {
			c = &AccountCoverage{Account: dera.Account{ID: id}}
			byID[id] = c
		}
		return c
	}
	for _, a := range accounts {
		of(a.ID).Account = a
	}
	for _, p := range covered {
		c := of(p.Account)
		if p.Resource != "" {
			continue
		}
		c.Places++
		if !p.Read.IsZero() && (c.Oldest.IsZero() || p.Read.Before(c.Oldest)) {
			c.Oldest = p.Read
		}
		if p.Read.After(c.Newest) {
			c.Newest = p.Read
		}
	}
	var out Coverage
	for _, u := range places.Unread {
		if u.Account == "" {
			out.Unread = append(out.Unread, u)
			continue
		}
		c := of(u.Account)
		c.Unread = append(c.Unread, u)
	}
	for _, f := range findings {
		if !f.LeftOpen() {
			continue
		}
		c := of(f.Account)
		c.Open++
		if f.Severity == dera.Critical {
			c.Critical++
		}
	}
	for _, c := range byID {
		out.Accounts = append(out.Accounts, *c)
	}
	slices.SortFunc(out.Accounts, func(a, b AccountCoverage) int {
		return cmp.Or(cmp.Compare(len(b.Unread), len(a.Unread)), cmp.Compare(b.Critical, a.Critical), cmp.Compare(a.Account.ID, b.Account.ID))
	})
	return out
}

// SourcesHeard is when each kind of message last came.
func SourcesHeard(ctx context.Context, from interface {
	Remembered(ctx context.Context, name string) (string, error)
}) ([]SourceHeard, error) {
	var out []SourceHeard
	for _, kind := range source.Kinds() {
		text, err := from.Remembered(ctx, rememberDelivery+kind)
		if err != nil {
			return nil, err
		}
		h := SourceHeard{Kind: kind}
		if text != "" {
			if h.Last, err = time.Parse(time.RFC3339, text); err != nil {
				return nil, fmt.Errorf("read when %s last came: %w", kind, err)
			}
		}
		out = append(out, h)
	}
	return out, nil
}

// ExemptionUse is an entry of the exemption list and what it hides now.
type ExemptionUse struct {
	dera.Exemption
	Hides int // findings that are exempt by it
}

// ExemptionUses are the entries, those that expire first at the top, and how many findings are exempt by
// what is no entry: the list of break-glass, or an entry that is not there any more.
func ExemptionUses(list []dera.Exemption, findings []dera.Finding) (uses []ExemptionUse, others map[string]int) {
	hides := map[string]int{}
	for _, f := range findings {
		if f.State != dera.FindingResolved && f.Disposition == dera.Exempt {
			hides[exemptBy(f)]++
		}
	}
	for _, x := range list {
		uses = append(uses, ExemptionUse{x, hides[x.ID]})
		delete(hides, x.ID)
	}
	slices.SortFunc(uses, func(a, b ExemptionUse) int {
		return cmp.Or(a.Expires.Compare(b.Expires), cmp.Compare(a.ID, b.ID))
	})
	return uses, hides
}
