package cloudtrail

import (
	"bytes"
	"encoding/json"
)

// DataCall is a call on the data of resources, such as a request for an object of a bucket.
type DataCall struct {
	Record
	// Resources are the ARNs that the record names, and Owner the account that they belong to, or "".
	Resources []string
	Owner     string
}

// Anonymous is what CloudTrail writes for the account of a caller without credentials.
const Anonymous = "anonymous"

// Data returns the call on data that a record or an envelope tells of; false for every other event.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
func Data(raw []byte) (DataCall, bool) {
	if len(raw) > MaxSize || !bytes.Contains(raw, []byte(`"Data"`)) {
		return DataCall{}, false
	}
	type named struct {
		Category  string `json:"eventCategory"`
		Recipient string `json:"recipientAccountId"`
		Resources []struct {
			ARN     string `json:"ARN"`
			Account string `json:"accountId"`
		} `json:"resources"`
	}
	var e struct {
		named
		Detail *named `json:"detail"`
	}
	if json.Unmarshal(raw, &e) != nil {
		return DataCall{}, false
	}
	if e.Detail != nil {
		e.named = *e.Detail
	}
	r, err := Decode(raw)
	if err != nil || e.Category != "Data" || r.Time.IsZero() {
		return DataCall{}, false
	}
	d := DataCall{Record: r}
	for _, x := range e.Resources {
		if x.ARN != "" {
			d.Resources = append(d.Resources, clean(x.ARN, 2048))
		}
		if x.Account != "" {
			d.Owner = clean(x.Account, 12)
		}
	}
	return d, len(d.Resources) > 0
}

// ByOthers reports whether the caller is of another account than the owner's, or nobody that is known.
func (d DataCall) ByOthers() bool { return d.Caller.Account == "" || d.Caller.Account != d.Owner }
