// Package wire reads changes of Lambda functions from the event history of CloudTrail.
package wire

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
	"dera.example/dera/services/lambda/change"
)

// Wire returns how changes are read: two lookups a region, of 50 events a page. CloudTrail
// allows two a second.
func Wire() cloud.Wire {
	return cloud.Wire{
		Type: change.Name, Parts: change.Type().Parts, Find: find, Times: 5,
		Readers: []cloud.Reader{
			cloud.Ported(resource.PortLedger, []string{change.PartUse}, used),
			cloud.Ported(resource.PortIncidents, []string{change.PartExplained}, explained),
		},
		Answers: map[string]cloud.Shape{"CloudTrail LookupEvents": {Members: []string{"Events"}}},
	}
}

// find returns the functions of the region whose code or layers were changed. The history has
// an event some minutes after it happened: what an event names and the history has not is
// found by the next sweep.
func find(ctx context.Context, r *cloud.Reading) (found cloud.Found, _ error) {
	changed, err := cloud.Once(r, "changes of functions", func() (map[string][]change.Change, error) { return lookup(ctx, r) })
	if err != nil {
		return found, err
	}
	names := r.Scope.IDs
	if r.Scope.Sweep() {
		names = slices.Sorted(maps.Keys(changed))
	}
	for _, name := range names {
		if len(changed[name]) == 0 {
			found.Missing = append(found.Missing, name)
			continue
		}
		list := slices.SortedStableFunc(slices.Values(changed[name]), func(a, b change.Change) int { return a.At.Compare(b.At) })
		config := &change.Function{Name: name, Region: r.Scope.Region, Changes: list}
		x := cloud.NewItem(r, name, name, change.Type().ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, name), config)
		x.Has(change.PartChanges)
		found.Items = append(found.Items, x)
	}
	return found, nil
}

// lookup reads the changes of the last days, by function.
func lookup(ctx context.Context, r *cloud.Reading) (map[string][]change.Change, error) {
	api := cloud.Service(r, "cloudtrail", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *sdk.Client { return sdk.NewFromConfig(cfg) })
	changed := map[string][]change.Change{}
	for _, call := range []string{change.UpdateCode, change.UpdateLayers} {
		in := &sdk.LookupEventsInput{
			LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: aws.String(call)}},
			StartTime:        aws.Time(r.At.Add(-change.Days * 24 * time.Hour)),
		}
		err := cloud.List(r, cloud.Listing[*sdk.LookupEventsOutput, types.Event]{
			Call: "cloudtrail:LookupEvents", Of: "events",
			Page: func(token *string) (*sdk.LookupEventsOutput, error) {
				in.NextToken = token
				return api.LookupEvents(ctx, in)
			},
			On: func(p *sdk.LookupEventsOutput) ([]types.Event, *string) { return p.Events, p.NextToken },
		}, func(e types.Event) error { return take(r, changed, call, aws.ToString(e.CloudTrailEvent)) })
		if err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// take adds a change of code or layers by a role or user that succeeded, and no other: of a
// root user every use is reported, and services have no history.
func take(r *cloud.Reading, changed map[string][]change.Change, call, text string) error {
	var event struct {
		RequestParameters struct {
			FunctionName string
			Layers       json.RawMessage
		}
		ResponseElements struct{ FunctionName string }
	}
	record, err := cloudtrail.Decode([]byte(text))
	if err == nil {
		err = json.Unmarshal([]byte(text), &event)
	}
	if err != nil || record.Name != call || record.Account != r.Scope.Account || record.Time.IsZero() {
		return cloud.Foreign("it has what is no %s in account %s: %v", call, r.Scope.Account, err)
	}
	principal := record.Caller.ARN
	switch record.Caller.Type {
	case "AssumedRole":
		principal = record.Caller.Issuer
	case "IAMUser":
	default:
		principal = ""
	}
	if record.Failed() || principal == "" || call == change.UpdateLayers && !layered(event.RequestParameters.Layers) {
		return nil
	}
	name := event.ResponseElements.FunctionName
	if name == "" { // a name, or an ARN, also in part
		parts := strings.Split(event.RequestParameters.FunctionName, ":")
		name = parts[len(parts)-1]
	}
	if name == "" {
		return cloud.Foreign("it has a %s of no function", call)
	}
	changed[name] = append(changed[name], change.Change{Call: call, At: record.Time, From: record.SourceIP, Principal: principal})
	return nil
}

// layered reports whether a request replaces the list of layers, also by an empty one.
func layered(list json.RawMessage) bool { return len(list) > 0 && string(list) != "null" }

// used asks the usage ledger about those who made the changes, for their calls of that name.
func used(ctx context.Context, r *cloud.Reading, ledger resource.Ledger, items []*cloud.Item) error {
	var principals []string
	for _, x := range items {
		for _, c := range x.Config.(*change.Function).Changes {
			principals = append(principals, c.Principal)
		}
	}
	slices.Sort(principals)
	uses, err := ledger.Used(ctx, r.Scope.Account, slices.Compact(principals))
	if err != nil {
		return err
	}
	for _, x := range items {
		list := x.Config.(*change.Function).Changes
		for i, c := range list {
			use, ok := uses[c.Principal]
			if !ok {
				continue
			}
			use.Calls = slices.DeleteFunc(slices.Clone(use.Calls), func(call resource.Call) bool { return call.Source != "lambda.amazonaws.com" || call.Name != c.Call })
			list[i].Use = &use
		}
	}
	return nil
}

// explained reads up to which changes incidents explain.
func explained(ctx context.Context, r *cloud.Reading, from resource.Incidents, items []*cloud.Item) error {
	known, err := from.Attached(ctx, dera.Scope{Partition: cloud.PartitionOf(r.Scope), Account: r.Scope.Account, Region: r.Scope.Region, Type: change.Name})
	if err != nil {
		return err
	}
	for _, x := range items {
		e := known[x.ARN]
		e.Principal = x.ARN
		x.Config.(*change.Function).Explained = &e
	}
	return nil
}
