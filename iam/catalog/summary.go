package catalog

import (
	"cmp"
	"slices"
)

// ServiceSummary counts what can be called unused of a service.
type ServiceSummary struct {
	Prefix  string
	Row     Row
	Actions int
	// Management can be called unused when there was no call, Alone of them
	// whatever else was used; Data where data events were recorded; Hidden when
	// nothing stays that they are used with. The others are kept.
	Management, Alone, Data, Hidden int
}

// Summary counts by service, the largest first.
func Summary() []ServiceSummary {
	c := Embedded()
	var out []ServiceSummary
	for _, prefix := range c.Services() {
		s := ServiceSummary{Prefix: prefix}
		if known, ok := theObserved().services[prefix]; ok {
			s.Row = known.row
		}
		actions, _ := c.Expand(prefix + ":*")
		for _, a := range actions {
			s.Actions++
			switch e := c.Evidence(a); e.Class {
			case Management:
				s.Management++
				if len(e.With) == 0 {
					s.Alone++
				}
			case Data:
				s.Data++
			case Hidden:
				s.Hidden++
			case Unknown:
			}
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b ServiceSummary) int {
		return cmp.Or(cmp.Compare(b.Actions, a.Actions), cmp.Compare(a.Prefix, b.Prefix))
	})
	return out
}
