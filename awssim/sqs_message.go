package awssim

import (
	"crypto/md5" // the checksum of the protocol, no security
	"encoding/hex"
	"slices"
	"strconv"
	"time"
)

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text)) // the checksum of the protocol, no security
	return hex.EncodeToString(sum[:])
}

// enqueue sends a message with a new identifier, which it returns.
func (c *Cloud) enqueue(q *queue, body string, delay time.Duration) string {
	c.mu.Lock()
	id := c.ids.uuid()
	c.mu.Unlock()
	q.send(id, body, delay)
	return id
}

type sendInput struct {
	QueueURL     string
	MessageBody  string
	DelaySeconds *int
}

type sent struct {
	ID               string `json:"Id,omitempty"`
	MessageID        string `json:"MessageId"`
	MD5OfMessageBody string
}

func sendMessage(k *call, in sendInput) (any, error) {
	q, err := k.queueOf(in.QueueURL)
	if err != nil {
		return nil, err
	}
	return k.send(q, in)
}

// send validates and sends one message.
func (k *call) send(q *queue, in sendInput) (sent, error) {
	delay := time.Duration(-1)
	switch {
	case in.MessageBody == "":
		return sent{}, errorf(400, "MissingParameter", "The request must contain the parameter MessageBody.")
	case len(in.MessageBody) > q.maxSize():
		return sent{}, errorf(400, "InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.maxSize())
	case in.DelaySeconds != nil:
		if *in.DelaySeconds < 0 || *in.DelaySeconds > 900 {
			return sent{}, errorf(400, "InvalidParameterValue", "Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.", *in.DelaySeconds)
		}
		delay = time.Duration(*in.DelaySeconds) * time.Second
	}
	return sent{MessageID: k.cloud.enqueue(q, in.MessageBody, delay), MD5OfMessageBody: md5Hex(in.MessageBody)}, nil
}

func (q *queue) maxSize() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.number("MaximumMessageSize")
}

type receiveInput struct {
	QueueURL                    string
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string // no message has any
}

type receivedMessages struct {
	Messages []receivedMessage `json:",omitempty"`
}

type receivedMessage struct {
	MessageID     string `json:"MessageId"`
	ReceiptHandle string
	MD5OfBody     string
	Body          string
	Attributes    map[string]string `json:",omitempty"`
}

// receiveMessage takes messages, and waits for the first one as long as the request or the queue says. It returns as soon
// as there is one, and when the caller's context ends.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
func receiveMessage(k *call, in receiveInput) (any, error) {
	q, err := k.queueOf(in.QueueURL)
	if err != nil {
		return nil, err
	}
	limit, err := ranged("MaxNumberOfMessages", in.MaxNumberOfMessages, 1, 10, 1)
	if err != nil {
		return nil, err
	}
	seconds, err := ranged("VisibilityTimeout", in.VisibilityTimeout, 0, 43200, -1)
	if err != nil {
		return nil, err
	}
	wait, err := ranged("WaitTimeSeconds", in.WaitTimeSeconds, 0, 20, q.waitSeconds())
	if err != nil {
		return nil, err
	}
	got := k.poll(q, limit, time.Duration(seconds)*time.Second, time.Duration(wait)*time.Second)
	if q.isClosed() {
		return nil, noSuchQueue()
	}
	names := slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames)
	var answer receivedMessages
	for _, m := range got {
		answer.Messages = append(answer.Messages, m.show(names))
	}
	return answer, nil
}

// poll receives, and waits if there is nothing.
func (k *call) poll(q *queue, limit int, timeout, wait time.Duration) []received {
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		got, changed, next := q.receive(limit, timeout, k.newReceipt)
		if len(got) > 0 || wait == 0 || q.isClosed() {
			return got
		}
		if !k.wait(changed, over.C, next.Sub(q.now()), !next.IsZero()) {
			return nil
		}
	}
}

// wait waits until it is worth to look again: something changed, or the next message is due. It returns false when the
// time is over or the caller gone.
func (k *call) wait(changed <-chan struct{}, over <-chan time.Time, due time.Duration, any bool) bool {
	var visible <-chan time.Time
	if any {
		timer := time.NewTimer(max(due, time.Millisecond))
		defer timer.Stop()
		visible = timer.C
	}
	select {
	case <-changed:
		return true
	case <-visible:
		return true
	case <-over:
		return false
	case <-k.ctx.Done():
		return false
	}
}

func (k *call) newReceipt() string {
	k.cloud.mu.Lock()
	defer k.cloud.mu.Unlock()
	return k.cloud.ids.hex(48)
}

func (q *queue) waitSeconds() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.number("ReceiveMessageWaitTimeSeconds")
}

// ranged checks an optional number.
func ranged(name string, value *int, low, high, standard int) (int, error) {
	switch {
	case value == nil:
		return standard, nil
	case *value < low || *value > high:
		return 0, errorf(400, "InvalidParameterValue", "Value %d for parameter %s is invalid. Reason: Must be between %d and %d, if provided.", *value, name, low, high)
	}
	return *value, nil
}

// show returns the message with the attributes that were asked for.
func (m received) show(names []string) receivedMessage {
	shown := receivedMessage{MessageID: m.id, ReceiptHandle: m.receipt, MD5OfBody: md5Hex(m.body), Body: m.body}
	all := map[string]string{
		"ApproximateReceiveCount":          strconv.Itoa(m.receives),
		"SentTimestamp":                    strconv.FormatInt(m.sent.UnixMilli(), 10),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.first.UnixMilli(), 10),
	}
	for name, value := range all {
		if slices.Contains(names, name) || slices.Contains(names, "All") {
			if shown.Attributes == nil {
				shown.Attributes = map[string]string{}
			}
			shown.Attributes[name] = value
		}
	}
	return shown
}

type receiptInput struct {
	QueueURL          string
	ID                string
	ReceiptHandle     string
	VisibilityTimeout *int
}

func deleteMessage(k *call, in receiptInput) (any, error) {
	q, err := k.queueOf(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if err := checkReceipt(in.ReceiptHandle); err != nil {
		return nil, err
	}
	q.remove(in.ReceiptHandle)
	return empty{}, nil
}

// checkReceipt refuses text that no receive ever returned.
func checkReceipt(receipt string) error {
	if b, err := hex.DecodeString(receipt); err != nil || len(b) != 48 {
		return errorf(400, "ReceiptHandleIsInvalid", "The input receipt handle \"%s\" is not a valid receipt handle.", receipt)
	}
	return nil
}

func changeVisibility(k *call, in receiptInput) (any, error) {
	q, err := k.queueOf(in.QueueURL)
	if err != nil {
		return nil, err
	}
	return empty{}, changeOne(q, in)
}

func changeOne(q *queue, in receiptInput) error {
	seconds, err := ranged("VisibilityTimeout", in.VisibilityTimeout, 0, 43200, -1)
	if err != nil {
		return err
	}
	if seconds < 0 {
		return errorf(400, "MissingParameter", "The request must contain the parameter VisibilityTimeout.")
	}
	if err := checkReceipt(in.ReceiptHandle); err != nil {
		return err
	}
	if !q.delay(in.ReceiptHandle, time.Duration(seconds)*time.Second) {
		return errorf(400, "InvalidParameterValue", "Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", in.ReceiptHandle)
	}
	return nil
}
