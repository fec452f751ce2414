// Package cloudtrail reads what AWS tells about calls: the envelopes in which
// CloudTrail records arrive, the records, who called, and which resources an
// event is a hint for: a Watch, made of what the resource types listen to. It is
// shared by the sources, by replay and by the usage ledger. The compliance changes
// of AWS Config, which come the same way, are read here too.
//
// Everything that a record says may have been chosen by an attacker except for
// its first level, which CloudTrail writes: a request parameter is never taken
// for a field of the record. Layer: imports the words and nothing else.
package cloudtrail

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Record is one CloudTrail record, reduced to what dera uses. Its texts are
// free of control characters and bounded in length.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
type Record struct {
	ID        string    // eventID
	RequestID string    // requestID: the service's own of the call
	Source    string    // eventSource, for example ec2.amazonaws.com
	Name      string    // eventName
	Type      string    // eventType, for example AwsApiCall
	Account   string    // of the resources: recipientAccountId where it is told
	Region    string    // awsRegion
	Partition string    // of the region
	Time      time.Time // eventTime in UTC; zero where it is not told
	ReadOnly  bool
	ErrorCode string // "" for a call that succeeded
	Caller    Caller
	UserAgent string
	SourceIP  string // an address, or the name of an AWS service
	// Trusted is true where the record came in an EventBridge envelope that only
	// AWS can send: its source is reserved for AWS, and its account and region
	// are those of the record. It says nothing about who may write to the queue.
	Trusted bool
	// Request and Response are requestParameters and responseElements as they
	// arrived; they alias the text that was decoded.
	Request  json.RawMessage
	Response json.RawMessage
}

// Caller is the userIdentity of a record.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
type Caller struct {
	Type      string // Root, IAMUser, AssumedRole, AWSService …
	ARN       string // of the user, or of the session of an assumed role
	Issuer    string // ARN of the role or user behind a session
	Account   string // of the caller: not always the account of the record
	InvokedBy string // the AWS service that called on behalf of the caller
}

// Actor is the shortest true answer to "who did it": the ARN, else the AWS
// service, else the account. It is "" where the record does not say.
func (r Record) Actor() string {
	switch c := r.Caller; {
	case c.ARN != "":
		return c.ARN
	case c.InvokedBy != "":
		return c.InvokedBy
	default:
		return c.Account
	}
}

// OfRoot reports whether somebody made the call as a root user. A call that an AWS service
// makes in its name, such as for a stack that it made once, is nobody's use of it.
func (r Record) OfRoot() bool {
	return r.Caller.Type == rootType && !byService(r.Caller.InvokedBy)
}

// Failed reports whether the call changed nothing: CloudTrail writes an
// errorCode for refused and failed calls and for dry runs.
func (r Record) Failed() bool { return r.ErrorCode != "" }

// Denied reports whether the call failed because it was not allowed.
func (r Record) Denied() bool { return Denied(r.Source, r.ErrorCode) }

// clean makes a text of the record safe to keep: valid UTF-8 without control
// characters (PostgreSQL refuses NUL), at most limit bytes.
func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
