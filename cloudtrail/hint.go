package cloudtrail

import (
	"cmp"
	"slices"

	"dera.example/dera"
)

// extractor says which resources an event is a hint for. Where the event does
// not tell, it answers with a sweep: in doubt dera looks at too much.
type extractor func(Record) []dera.Scope

// services is the table of watched calls. Another service is one file with its
// calls and one line here. Never written to.
var services = map[string]map[string]extractor{
	"ec2.amazonaws.com":        ec2Calls,
	"s3.amazonaws.com":         s3Calls,
	"cloudfront.amazonaws.com": cloudFrontCalls,
}

// maxIDs bounds how many resources of one event are looked at one by one.
const maxIDs = 100

func extractorOf(source, name string) extractor { return services[source][name] }

// Hints returns where to look because of the event: one scope for each resource,
// or one sweep where the event does not name them. A failed call changes
// nothing and gives no hints. The answer names what may have changed, never
// what it changed to.
func Hints(r Record) []dera.Scope {
	extract := extractorOf(r.Source, r.Name)
	if extract == nil || r.Failed() {
		return nil
	}
	return extract(r)
}

// Call is one watched call.
type Call struct {
	Source string // for example ec2.amazonaws.com
	Name   string
}

// Types are the resource types that the call can be a hint for.
func (c Call) Types() []string {
	// A request that names one of everything, since some calls are hints only of
	// what they name.
	hints := Hints(Record{Source: c.Source, Name: c.Name, Region: firstRegion, Request: []byte(`{"groupId":"sg-0","bucketName":"any"}`)})
	var out []string
	for _, s := range hints {
		if !slices.Contains(out, s.Type) {
			out = append(out, s.Type)
		}
	}
	return out
}

// Watched lists the calls that can give hints, sorted. An EventBridge rule must
// let at least these through.
func Watched() []Call {
	var out []Call
	for source, calls := range services {
		for name := range calls {
			out = append(out, Call{source, name})
		}
	}
	slices.SortFunc(out, func(a, b Call) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// sweep is a look at all resources of a type where the event happened.
func (r Record) sweep(typ string) []dera.Scope {
	return []dera.Scope{{Partition: r.Partition, Account: r.Account, Region: r.Region, Type: typ}}
}

// scopes is one look for each ID, or a sweep for none and for very many.
func (r Record) scopes(typ string, ids []string) []dera.Scope {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 || len(ids) > maxIDs {
		return r.sweep(typ)
	}
	out := make([]dera.Scope, 0, len(ids))
	for _, id := range ids {
		s := r.sweep(typ)[0]
		s.IDs = []string{id}
		out = append(out, s)
	}
	return out
}

// request returns the parameters of the call, also where CloudTrail wraps them
// in the name of the request.
func (r Record) request() object {
	o, _, _ := parseObject(r.Request)
	if _, wrapped := o[r.Name+"Request"]; wrapped {
		return o.object(r.Name + "Request")
	}
	return o
}

// response returns what the call answered, unwrapped like request.
func (r Record) response() object {
	o, _, _ := parseObject(r.Response)
	if _, wrapped := o[r.Name+"Response"]; wrapped {
		return o.object(r.Name + "Response")
	}
	return o
}
