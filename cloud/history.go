package cloud

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

const (
	callLookup = "cloudtrail:LookupEvents"
	// lookupEvery keeps to two requests a second, which CloudTrail allows an account in a region.
	//
	// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
	lookupEvery    = 500 * time.Millisecond
	lookupAttempts = 8
)

// PastEvent is an event of the event history; Text is the record, unjudged.
type PastEvent struct {
	ID, Text string
	Time     time.Time
}

// History is the event history of CloudTrail of one account in one region: management
// events of 90 days. It is not safe for concurrent use.
type History struct {
	// Requests is how many were made.
	Requests        int
	account, region string
	timeout         time.Duration // of a request with its retries
	api             *sdk.Client
	last            time.Time
}

// History returns the event history of the account in the region. It makes no call.
func (c *Client) History(account, region string) *History {
	return &History{account: account, region: region, timeout: lookupAttempts * c.cfg.Timeout, api: shared(c, "cloudtrail history", account, region, func(cfg aws.Config) *sdk.Client {
		return sdk.NewFromConfig(cfg, func(o *sdk.Options) {
			o.Retryer = retry.AddWithMaxAttempts(retry.NewAdaptiveMode(), lookupAttempts)
		})
	})}
}

// Page reads a page of the events of a name since from, newest first, and returns the token of
// the one that follows, "" after the last. It waits until CloudTrail allows the request; it
// fails with [Error].
func (h *History) Page(ctx context.Context, name string, from time.Time, token string) (list []PastEvent, next string, err error) {
	return h.page(ctx, &sdk.LookupEventsInput{LookupAttributes: attribute(types.LookupAttributeKeyEventName, name), StartTime: aws.Time(from)}, token)
}

// Changes is Page for the events of all calls that change something, between two times.
func (h *History) Changes(ctx context.Context, from, to time.Time, token string) (list []PastEvent, next string, err error) {
	return h.page(ctx, &sdk.LookupEventsInput{LookupAttributes: attribute(types.LookupAttributeKeyReadOnly, "false"), StartTime: aws.Time(from), EndTime: aws.Time(to)}, token)
}

func attribute(key types.LookupAttributeKey, value string) []types.LookupAttribute {
	return []types.LookupAttribute{{AttributeKey: key, AttributeValue: aws.String(value)}}
}

func (h *History) page(ctx context.Context, in *sdk.LookupEventsInput, token string) (list []PastEvent, next string, err error) {
	wait := time.NewTimer(time.Until(h.last.Add(lookupEvery)))
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return nil, "", ctx.Err()
	case <-wait.C:
	}
	in.MaxResults = aws.Int32(50)
	if token != "" {
		in.NextToken = aws.String(token)
	}
	h.Requests++
	ctx, cancel := within(ctx, h.timeout)
	defer cancel()
	out, err := h.api.LookupEvents(ctx, in)
	h.last = time.Now()
	if err == nil && token != "" && aws.ToString(out.NextToken) == token {
		err = Foreign("its next page is the page itself")
	}
	if err != nil {
		return nil, "", wrap(h.account, h.region, callLookup, err)
	}
	for _, e := range out.Events {
		list = append(list, PastEvent{ID: aws.ToString(e.EventId), Text: aws.ToString(e.CloudTrailEvent), Time: aws.ToTime(e.EventTime)})
	}
	return list, aws.ToString(out.NextToken), nil
}
