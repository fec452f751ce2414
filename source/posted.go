package source

import (
	"encoding/json"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// posted sorts a message of the webhook. Everything in it is hearsay.
func (s sieve) posted(m Message, now time.Time) Delivery {
	b := &batch{Delivery: Delivery{Source: s.source, At: now}, index: map[string]int{}, seen: map[string]bool{}}
	var o map[string]json.RawMessage
	if json.Unmarshal([]byte(m.Body), &o) == nil && o["detail-type"] == nil && o["eventSource"] == nil && o["Type"] == nil {
		b.Counts.Received++
		s.direct(b, m, o)
	} else {
		s.message(b, m)
	}
	// Whatever it holds, it came by the webhook: it is no record of CloudTrail, and no sign that
	// the queue delivers.
	b.Kinds, b.Tests, b.Raw, b.Heard = []string{KindWebhook}, nil, nil, nil
	return b.Delivery
}

// direct sorts a message that is no envelope: a finding, or the names of resources.
func (s sieve) direct(b *batch, m Message, o map[string]json.RawMessage) {
	var r cloudtrail.Report
	var err error
	if o["AwsAccountId"] != nil || o["class_uid"] != nil || o["finding_info"] != nil {
		r, err = cloudtrail.DecodeFinding([]byte(m.Body))
	} else {
		r, err = namedIn([]byte(m.Body))
	}
	if err != nil {
		b.Counts.Malformed++
		b.keep(m, why(err))
		return
	}
	s.reports(b, m, []cloudtrail.Report{r}, false)
}

// namedIn is the report of a message that names resources by ARN, or one by type and ID.
func namedIn(body []byte) (cloudtrail.Report, error) {
	var in struct {
		Resource  string   `json:"resource"`
		Resources []string `json:"resources"`
		Account   string   `json:"account"`
		Region    string   `json:"region"`
		Type      string   `json:"type"`
		ID        string   `json:"id"`
		Reason    string   `json:"reason"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return cloudtrail.Report{}, &cloudtrail.FieldError{Field: "resource"}
	}
	if in.Resource != "" {
		in.Resources = append(in.Resources, in.Resource)
	}
	r := cloudtrail.Report{Source: webhookName, Name: orElse(in.Reason, "signed message"), Account: in.Account, Region: in.Region}
	for _, arn := range in.Resources {
		if !strings.HasPrefix(arn, "arn:") {
			return r, &cloudtrail.FieldError{Field: "resource", Value: arn}
		}
		r.Resources = append(r.Resources, cloudtrail.Reported{ARN: dera.ARN(arn), Type: in.Type, Region: in.Region})
	}
	if len(r.Resources) == 0 && in.Type != "" {
		r.Resources = append(r.Resources, cloudtrail.Reported{Type: in.Type, ID: in.ID, Region: in.Region})
	}
	if len(r.Resources) == 0 {
		return r, &cloudtrail.FieldError{Field: "resource"}
	}
	return r.Checked()
}
