package cloudtrail

import (
	"encoding/json"
	"net/url"
	"path"
	"strings"
)

// LogObject is an object of S3 that a message announces.
type LogObject struct{ Bucket, Key string }

// Announced returns the new objects of S3 that a message announces, in each form in which they come
// to a queue: an event notification of S3, plain or by SNS; what EventBridge makes of it; and the
// notification of CloudTrail itself, by SNS. ok is false for another message. One that announces nothing, such
// as the test event of S3 or the removal of an object, is ok and has none.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html
func Announced(raw []byte) (list []LogObject, ok bool) {
	if len(raw) > MaxSize {
		return nil, false
	}
	var m struct {
		Type, Message string // SNS
		Event         string // the test event
		Service       string
		Records       []struct {
			Source string `json:"eventSource"`
			Name   string `json:"eventName"`
			S3     struct {
				Bucket struct{ Name string }
				Object struct{ Key string }
			}
		}
		EventSource string `json:"source"`
		Kind        string `json:"detail-type"`
		Detail      struct {
			Bucket struct{ Name string }
			Object struct{ Key string }
		}
		Bucket string   `json:"s3Bucket"`
		Keys   []string `json:"s3ObjectKey"`
	}
	if json.Unmarshal(raw, &m) != nil {
		return nil, false
	}
	switch {
	case m.Type == "Notification" && m.Message != "":
		return announcedBySNS(m.Message)
	case m.Event == "s3:TestEvent":
		return nil, true
	case m.EventSource == "aws.s3" && m.Kind == "Object Created":
		return []LogObject{{m.Detail.Bucket.Name, m.Detail.Object.Key}}, true
	case m.Bucket != "" && len(m.Keys) > 0:
		for _, key := range m.Keys {
			list = append(list, LogObject{m.Bucket, key})
		}
		return list, true
	case len(m.Records) == 0:
		return nil, false
	}
	for _, r := range m.Records {
		if r.Source != "aws:s3" {
			return nil, false
		}
		if strings.HasPrefix(r.Name, "ObjectCreated:") {
			key, err := url.QueryUnescape(r.S3.Object.Key) // as forms have it, with + for a blank
			if err != nil {
				key = r.S3.Object.Key
			}
			list = append(list, LogObject{r.S3.Bucket.Name, key})
		}
	}
	return list, true
}

// announcedBySNS is Announced of the message in a notification, which holds no other one.
func announcedBySNS(message string) ([]LogObject, bool) {
	var again struct{ Type string }
	if json.Unmarshal([]byte(message), &again) != nil || again.Type == "Notification" {
		return nil, false
	}
	return Announced([]byte(message))
}

// Neighbour says why an object holds no calls: it is a digest of CloudTrail, insights, or a file of another service that
// writes into the same bucket, such as snapshots of AWS Config; "" for a log file. account is the one whose calls it holds.
func (o LogObject) Neighbour() (why, account string) {
	m := accountFolder.FindStringSubmatch(o.Key)
	switch place, ok := LogPlaceOf(path.Base(o.Key)); {
	case m != nil && strings.HasPrefix(m[2], "CloudTrail-Digest"):
		return "digest", m[1]
	case m != nil && m[2] != "CloudTrail":
		return m[2], m[1]
	case ok:
		return "", place.Account
	case m != nil: // such as the mark that CloudTrail leaves to see whether it may write
		return "other", m[1]
	}
	return "other", ""
}
