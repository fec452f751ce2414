package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// PutDistribution makes a distribution, or changes the one with its ID, as the account's user "admin", and returns the ID.
// Unlike [Account.AddDistribution] it is an API call: it emits an event, meets faults and can be denied.
func (a *Account) PutDistribution(ctx context.Context, d Distribution) (string, error) {
	operation := "UpdateDistribution"
	if d.ID == "" {
		operation = "CreateDistribution"
	}
	answer, err := a.distributionCall(ctx, operation, d)
	if err != nil {
		return "", err
	}
	return answer.(*distribution).ID, nil
}

// DeleteDistribution deletes a distribution, with an event.
func (a *Account) DeleteDistribution(ctx context.Context, id string) error {
	_, err := a.distributionCall(ctx, "DeleteDistribution", Distribution{ID: id})
	return err
}

func (a *Account) distributionCall(ctx context.Context, operation string, d Distribution) (any, error) {
	body, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	req := request{service: "cloudfront", operation: operation, rest: &restRequest{}, body: body, flat: map[string]string{}, host: "cloudfront.amazonaws.com"}
	if d.ID != "" {
		req.flat["Id"] = d.ID
	}
	return a.Region("us-east-1").do(ctx, req) // where CloudFront is
}

func noDistribution() *Error {
	return errorf(404, "NoSuchDistribution", "The specified distribution does not exist.")
}

func putDistribution(k *call, in Distribution) (any, error) {
	switch {
	case k.Operation == "CreateDistribution":
		in.ID = k.state.ids.key("E", 13)
	case k.state.distributions.get(in.ID, view{}) == nil:
		return nil, noDistribution()
	}
	d := &distribution{in, k.Account, k.Time.Truncate(time.Second)}
	k.state.distributions.put(d.ID, d)
	return d, nil
}

func deleteDistribution(k *call, in Distribution) (any, error) {
	d := k.state.distributions.get(in.ID, view{})
	switch {
	case d == nil:
		return nil, noDistribution()
	case !d.Disabled:
		return nil, errorf(409, "DistributionNotDisabled", "The distribution you are trying to delete has not been disabled.")
	}
	k.state.distributions.put(in.ID, nil)
	return d, nil
}

// distributionTrail writes requestParameters of a call that changes a distribution.
func distributionTrail(k *call, e *encoder) {
	var d Distribution
	if json.Unmarshal(k.request.body, &d) != nil {
		return
	}
	e.optional("id", d.ID)
	if k.Operation == "DeleteDistribution" {
		return
	}
	e.begin("distributionConfig")
	e.text("comment", "HIDDEN_DUE_TO_SECURITY_REASONS")
	e.flag("enabled", !d.Disabled)
	e.begin("origins")
	e.number("quantity", len(d.Origins))
	e.name("items")
	e.buf = append(e.buf, '[')
	for i, domain := range d.Origins {
		e.item()
		e.text("id", "origin-"+strconv.Itoa(i+1))
		e.text("domainName", domain)
		e.text("originPath", "")
		e.begin("s3OriginConfig")
		e.text("originAccessIdentity", "")
		e.end("s3OriginConfig")
		e.endItem()
	}
	e.buf = append(e.buf, ']')
	e.end("origins")
	e.end("distributionConfig")
}
