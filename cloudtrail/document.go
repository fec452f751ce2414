package cloudtrail

import "encoding/json"

// Document is the whole document that the call wrote, or "": the policy of
// PutBucketPolicy, which stands in the record as an object or as text. It can
// hold secrets.
func (r Record) Document() string {
	if r.Source != "s3.amazonaws.com" || r.Name != "PutBucketPolicy" || r.Failed() {
		return ""
	}
	raw := r.request()["bucketPolicy"]
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}
