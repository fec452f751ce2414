package securitygroup

import (
	"fmt"
	"slices"
	"strconv"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/netset"
)

// service is a TCP port, and what listens there, for people.
type service struct {
	port uint16
	name string
}

func (s service) key() string { return "tcp/" + strconv.Itoa(int(s.port)) }

const boundedSuffix = "/bounded"

// checkPorts finds which of the services the internet reaches, and which bounded public
// networks do. doubt says why what the internet reaches is for a person, or nothing; it may be
// nil.
func checkPorts(g *Group, s control.Settings, list []service, doubt func(control.Settings) string) control.Result {
	allow := inside(g, s)
	var failures []control.Failure
	for _, a := range list {
		e, err := Expose(g.Ingress, netset.TCP, a.port, allow)
		if err != nil {
			return control.Result{Outcome: control.UnknownResult, Why: err.Error()}
		}
		if e.Measure.Internet() {
			f := control.Failure{
				Key: a.key(), Start: dera.Auto, Severity: severity(g, dera.Critical), Sources: sourcesOf(e.Internet),
				Title: fmt.Sprintf("Security group allows %s from the internet", a.name),
				Why:   allowedBy(e.Internet, a.name, e.Measure) + "." + facing(g),
			}
			why := unsplittable(g, e.Internet)
			if why == "" && doubt != nil {
				why = doubt(s)
			}
			if why != "" {
				f.Start = dera.Review
				f.Why += " " + why
			}
			failures = append(failures, f)
		}
		if e.BoundedMeasure.External() && len(e.Bounded) > 0 {
			failures = append(failures, control.Failure{
				Key: a.key() + boundedSuffix, Start: dera.Review, Severity: severity(g, dera.Medium), Sources: sourcesOf(e.Bounded),
				Title: fmt.Sprintf("Security group allows %s from unknown public networks", a.name),
				Why:   allowedBy(e.Bounded, a.name, e.BoundedMeasure) + "; none of them is on an allowlist." + facing(g),
			})
		}
	}
	return judged(g, failures, func(r Rule) bool {
		return slices.ContainsFunc(list, func(a service) bool { return lets(r, netset.TCP, a.port, a.port) })
	})
}

// portRemovals turns the failures into what the plan takes away.
func portRemovals(g *Group, failures []control.Failure, s control.Settings, list []service) ([]Removal, error) {
	var out []Removal
	for _, a := range list {
		e, err := Expose(g.Ingress, netset.TCP, a.port, inside(g, s))
		if err != nil {
			return nil, err
		}
		var rules []Rule
		if hasKey(failures, a.key()) {
			rules = append(rules, e.Internet...)
		}
		if hasKey(failures, a.key()+boundedSuffix) {
			rules = append(rules, e.Bounded...)
		}
		if len(rules) > 0 {
			out = append(out, Removal{Protocol: netset.TCP, Ports: netset.Ports{Lo: a.port, Hi: a.port}, Blamed: rules})
		}
	}
	return out, nil
}
