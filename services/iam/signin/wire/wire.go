// Package wire reads sign-ins without MFA from the event history of CloudTrail.
package wire

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/signin"
)

// Wire returns how sign-ins are read: one lookup a region, of 50 sign-ins a page. CloudTrail
// allows two a second.
func Wire() cloud.Wire {
	return cloud.Wire{
		Type: signin.Name, Parts: signin.Type().Parts, Find: find, Times: 5,
		Readers: []cloud.Reader{cloud.Ported(resource.PortIncidents, []string{own.PartExplained}, explained)},
		Answers: map[string]cloud.Shape{"CloudTrail LookupEvents": {Members: []string{"Events"}}},
	}
}

// find returns the users that signed in without MFA in the region. The history has an event
// some minutes after it happened: what an event names and the history has not is found by the
// next sweep.
func find(ctx context.Context, r *cloud.Reading) (found cloud.Found, _ error) {
	users, err := cloud.Once(r, "sign-ins without MFA", func() (map[string]*signin.SignIn, error) { return lookup(ctx, r) })
	if err != nil {
		return found, err
	}
	names := r.Scope.IDs
	if r.Scope.Sweep() {
		names = slices.Sorted(maps.Keys(users))
	}
	for _, name := range names {
		s := users[name]
		if s == nil {
			found.Missing = append(found.Missing, name)
			continue
		}
		config := *s
		x := cloud.NewItem(r, name, name, signin.ARNOf(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, name), &config)
		x.Has(signin.PartSignIns)
		found.Items = append(found.Items, x)
	}
	return found, nil
}

// lookup reads the sign-ins of the last days.
func lookup(ctx context.Context, r *cloud.Reading) (map[string]*signin.SignIn, error) {
	api := cloud.Service(r, "cloudtrail", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *sdk.Client { return sdk.NewFromConfig(cfg) })
	in := &sdk.LookupEventsInput{
		LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: aws.String("ConsoleLogin")}},
		StartTime:        aws.Time(r.At.Add(-signin.Days * 24 * time.Hour)),
	}
	users := map[string]*signin.SignIn{}
	err := cloud.List(r, cloud.Listing[*sdk.LookupEventsOutput, types.Event]{
		Call: "cloudtrail:LookupEvents", Of: "events",
		Page: func(token *string) (*sdk.LookupEventsOutput, error) {
			in.NextToken = token
			return api.LookupEvents(ctx, in)
		},
		On: func(p *sdk.LookupEventsOutput) ([]types.Event, *string) { return p.Events, p.NextToken },
	}, func(e types.Event) error { return take(r, users, aws.ToString(e.CloudTrailEvent)) })
	if err != nil {
		return nil, err
	}
	return users, nil
}

// take adds a sign-in of a user that succeeded without MFA, and no other.
func take(r *cloud.Reading, users map[string]*signin.SignIn, text string) error {
	var event struct {
		UserIdentity        struct{ UserName string }
		ResponseElements    struct{ ConsoleLogin string }
		AdditionalEventData struct{ MFAUsed string }
	}
	record, err := cloudtrail.Decode([]byte(text))
	if err == nil {
		err = json.Unmarshal([]byte(text), &event)
	}
	if err != nil || record.Name != "ConsoleLogin" || record.Account != r.Scope.Account {
		return cloud.Foreign("it has what is no sign-in to account %s: %v", r.Scope.Account, err)
	}
	if record.Caller.Type != "IAMUser" || record.Failed() || event.ResponseElements.ConsoleLogin != "Success" || event.AdditionalEventData.MFAUsed != "No" {
		return nil
	}
	name := event.UserIdentity.UserName
	if name == "" {
		name = dera.ARN(record.Caller.ARN).Name()
	}
	if !own.UserKind.ValidName(name) || record.Time.IsZero() {
		return cloud.Foreign("it has a sign-in of the user %.70q without its name or time", name)
	}
	s := users[name]
	if s == nil {
		s = &signin.SignIn{User: name, Region: r.Scope.Region}
		users[name] = s
	}
	if s.Times++; record.Time.After(s.At) {
		s.At, s.From = record.Time, record.SourceIP
	}
	return nil
}

// explained reads up to which sign-ins incidents explain.
func explained(ctx context.Context, r *cloud.Reading, from resource.Incidents, items []*cloud.Item) error {
	known, err := from.Attached(ctx, dera.Scope{Partition: cloud.PartitionOf(r.Scope), Account: r.Scope.Account, Region: r.Scope.Region, Type: signin.Name})
	if err != nil {
		return err
	}
	for _, x := range items {
		e := known[x.ARN]
		e.Principal = x.ARN
		x.Config.(*signin.SignIn).Explained = &e
	}
	return nil
}
