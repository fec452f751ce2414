package awssim

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
)

// TrailEvent is one CloudTrail event.
type TrailEvent struct {
	ID        string
	Time      time.Time
	Account   string // whose trail it is in
	Region    string
	Source    string // such as ec2.amazonaws.com
	Name      string
	ReadOnly  bool
	ErrorCode string          // such as Client.UnauthorizedOperation; empty: success
	Record    json.RawMessage // the CloudTrail record
}

// Envelope returns the event as EventBridge delivers it to a target.
// https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-service-cloudtrail-via.html
func (e TrailEvent) Envelope() []byte {
	w := &encoder{json: true, buf: []byte{'{'}}
	w.text("version", "0")
	w.text("id", e.ID)
	w.text("detail-type", "AWS API Call via CloudTrail")
	w.text("source", "aws."+strings.TrimSuffix(e.Source, ".amazonaws.com"))
	w.text("account", e.Account)
	w.text("time", e.Time.Format(time.RFC3339))
	w.text("region", e.Region)
	w.raw("resources", []byte("[]"))
	w.raw("detail", e.Record)
	return append(w.buf, '}')
}

// Forward sends events to a queue, as an EventBridge rule for "AWS API Call via CloudTrail" does.
type Forward struct {
	Account string // whose events; empty: every account's
	Region  string // of the events; empty: every Region's
	Queue   string // URL of the queue, of any account and Region: the buses between are not simulated
	// ReadOnly forwards read-only calls too, as a rule in state ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS does.
	ReadOnly bool
	// Tamper turns one envelope into those that are delivered: none drops it, several repeat it; it may hold one back
	// and deliver it with the next. It is not called concurrently for one forward. Nil delivers each once.
	Tamper func(envelope []byte) [][]byte
}

type forwarding struct {
	mu    sync.Mutex
	rules []*forwardRule
}

type forwardRule struct {
	Forward
	mu    sync.Mutex // orders Tamper
	queue *queue
}

// ForwardEvents adds a forward. It fails if the queue does not exist.
func (c *Cloud) ForwardEvents(f Forward) error {
	q, err := c.queueAt(f.Queue)
	if err != nil {
		return err
	}
	c.forwarding.mu.Lock()
	defer c.forwarding.mu.Unlock()
	c.forwarding.rules = append(c.forwarding.rules, &forwardRule{Forward: f, queue: q})
	return nil
}

// emit records the event of a finished call and forwards it. A call into another account appears in both trails.
func (c *Cloud) emit(k *call, answer any, err error) {
	if k.op.data {
		return
	}
	other := ""
	if err == nil && k.op.account != nil {
		other = k.op.account(k, answer)
	}
	shared := ""
	c.mu.Lock()
	id, otherID := c.ids.uuid(), ""
	if other != "" && other != k.Account {
		shared, otherID = c.ids.uuid(), c.ids.uuid()
	}
	c.mu.Unlock()
	c.deliver(k.event(id, k.Account, shared, answer, err))
	if shared != "" {
		c.deliver(k.event(otherID, other, shared, answer, err))
	}
}

// deliver records one event and sends it where it is wanted.
func (c *Cloud) deliver(e TrailEvent) {
	c.recorder.event(e)
	c.forwarding.mu.Lock()
	rules := slices.Clone(c.forwarding.rules)
	c.forwarding.mu.Unlock()
	for _, rule := range rules {
		if e.ReadOnly && !rule.ReadOnly || rule.Account != "" && rule.Account != e.Account || rule.Region != "" && rule.Region != e.Region {
			continue
		}
		rule.send(c, e.Envelope())
	}
}

func (r *forwardRule) send(c *Cloud, envelope []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	bodies := [][]byte{envelope}
	if r.Tamper != nil {
		bodies = r.Tamper(bytes.Clone(envelope))
	}
	for _, body := range bodies {
		c.enqueue(r.queue, string(body), 0)
	}
}

// event writes the CloudTrail record of a call.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
func (k *call) event(id, recipient, shared string, answer any, err error) TrailEvent {
	source := k.Service + ".amazonaws.com"
	version, agent := "1.09", k.request.userAgent
	isS3 := k.Service == "s3" || k.Service == "s3control"
	if isS3 {
		source, version, agent = "s3.amazonaws.com", "1.11", "["+agent+"]"
	}
	e := TrailEvent{ID: id, Time: k.Time.Truncate(time.Second), Account: recipient, Region: k.Region, Source: source, Name: k.Operation, ReadOnly: k.op.readOnly}
	if k.op.event != "" {
		e.Name = k.op.event
	}
	w := &encoder{json: true, buf: []byte{'{'}}
	w.text("eventVersion", version)
	k.identity(w, recipient)
	w.text("eventTime", e.Time.Format(time.RFC3339))
	w.text("eventSource", source)
	w.text("eventName", e.Name)
	w.text("awsRegion", k.Region)
	w.text("sourceIPAddress", k.request.sourceIP)
	w.text("userAgent", agent)
	if err != nil {
		failure := asError(err)
		e.ErrorCode = eventErrorCode(k.Service, failure)
		w.text("errorCode", e.ErrorCode)
		w.text("errorMessage", failure.Message)
	}
	k.requestParameters(w)
	k.responseElements(w, answer, err)
	if isS3 {
		k.s3Extras(w, answer)
	}
	w.text("requestID", k.RequestID)
	w.text("eventID", id)
	w.flag("readOnly", k.op.readOnly)
	w.text("eventType", "AwsApiCall")
	w.flag("managementEvent", true)
	w.text("recipientAccountId", recipient)
	w.optional("sharedEventID", shared)
	w.text("eventCategory", "Management")
	w.begin("tlsDetails")
	w.text("tlsVersion", "TLSv1.3")
	w.text("cipherSuite", "TLS_AES_128_GCM_SHA256")
	w.text("clientProvidedHostHeader", k.request.host)
	w.end("tlsDetails")
	e.Record = append(w.buf, '}')
	return e
}

// eventErrorCode is the error code as CloudTrail shows it: EC2's own begin with the side that is to blame.
func eventErrorCode(service string, e *Error) string {
	switch {
	case service != "ec2":
		return e.Code
	case e.Status >= 500 && e.Code != "RequestLimitExceeded":
		return "Server." + e.Code
	default:
		return "Client." + e.Code
	}
}

func (k *call) requestParameters(w *encoder) {
	if k.op.request == nil {
		w.raw("requestParameters", []byte("null"))
		return
	}
	w.begin("requestParameters")
	k.op.request(k, w)
	w.end("requestParameters")
}

// responseElements is null for reads (AssumeRole, though read-only, shows its answer) and for failed calls.
func (k *call) responseElements(w *encoder, answer any, err error) {
	d, ok := answer.(document)
	if err != nil || !ok || k.op.readOnly && k.op.account == nil {
		w.raw("responseElements", []byte("null"))
		return
	}
	w.begin("responseElements")
	if k.op.wrapped {
		w.wrapped = true
		w.begin(k.Operation + "Response")
		w.text("xmlns", ec2Namespace)
	}
	if k.Service == "ec2" {
		w.text("requestId", k.RequestID)
	}
	d.write(w)
	if k.op.wrapped {
		w.end(k.Operation + "Response")
	}
	w.end("responseElements")
}

// identity writes who called. In another account's trail only the account of the caller is told.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func (k *call) identity(w *encoder, recipient string) {
	p := k.principal
	w.begin("userIdentity")
	defer w.end("userIdentity")
	switch {
	case recipient != p.account:
		w.text("type", "AWSAccount")
		w.text("principalId", p.id)
		w.text("accountId", p.account)
		return
	case p.isRoot():
		w.text("type", "Root")
	case p.role != "":
		w.text("type", "AssumedRole")
	default:
		w.text("type", "IAMUser")
	}
	w.text("principalId", p.id)
	w.text("arn", p.arn)
	w.text("accountId", p.account)
	w.text("accessKeyId", p.credentials.AccessKeyID)
	w.optional("userName", p.user)
	if p.role == "" {
		return
	}
	roleID, _, _ := strings.Cut(p.id, ":")
	w.begin("sessionContext")
	w.begin("sessionIssuer")
	w.text("type", "Role")
	w.text("principalId", roleID)
	w.text("arn", p.role)
	w.text("accountId", p.account)
	w.text("userName", p.role[strings.LastIndex(p.role, "/")+1:])
	w.end("sessionIssuer")
	w.begin("attributes")
	w.text("creationDate", p.created.Format(time.RFC3339))
	w.text("mfaAuthenticated", "false")
	w.end("attributes")
	w.end("sessionContext")
}
