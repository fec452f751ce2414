package awssim

import (
	"bytes"
	"encoding/json"
	"strings"
)

// newSQS returns the operations of the Simple Queue Service. Queues are standard queues.
func newSQS() service {
	return service{protocol: sqsProtocol{}, operations: map[string]operation{
		"CreateQueue":                  {run: members(createQueue), request: sqsRequest, unlocked: true, resources: onQueueName},
		"DeleteQueue":                  {run: members(deleteQueue), request: sqsRequest, unlocked: true, resources: onQueue},
		"GetQueueUrl":                  {run: members(getQueueURL), readOnly: true, data: true, unlocked: true, resources: onQueueName},
		"GetQueueAttributes":           {run: members(getQueueAttributes), readOnly: true, data: true, unlocked: true, resources: onQueue},
		"SetQueueAttributes":           {run: members(setQueueAttributes), request: sqsRequest, unlocked: true, resources: onQueue},
		"SendMessage":                  {run: members(sendMessage), data: true, unlocked: true, resources: onQueue},
		"SendMessageBatch":             {run: members(sendMessageBatch), data: true, unlocked: true, resources: onQueue},
		"ReceiveMessage":               {run: members(receiveMessage), data: true, unlocked: true, resources: onQueue},
		"DeleteMessage":                {run: members(deleteMessage), data: true, unlocked: true, resources: onQueue},
		"DeleteMessageBatch":           {run: members(deleteMessageBatch), data: true, unlocked: true, resources: onQueue},
		"ChangeMessageVisibility":      {run: members(changeVisibility), data: true, unlocked: true, resources: onQueue},
		"ChangeMessageVisibilityBatch": {run: members(changeVisibilityBatch), data: true, unlocked: true, resources: onQueue},
		"PurgeQueue":                   {run: members(purgeQueue), request: sqsRequest, unlocked: true, resources: onQueue},
	}}
}

// empty is the answer that says nothing.
type empty struct{}

// members decodes the members of the request for an operation, and refuses one that is not simulated.
func members[In any](run func(*call, In) (any, error)) func(*call) (any, error) {
	return func(k *call) (any, error) {
		var in In
		decoder := json.NewDecoder(bytes.NewReader(k.request.body))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&in)
		if err == nil {
			return run(k, in)
		}
		if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
			return nil, notSimulated("the member %s of %s", name, k.Operation)
		}
		return nil, errorf(400, "SerializationException", "%v", err)
	}
}

// sqsRequest writes the members of a request as CloudTrail shows them, in lower camel case.
func sqsRequest(k *call, e *encoder) {
	var in struct {
		QueueName, QueueURL string
		Attributes          map[string]string
	}
	if json.Unmarshal(k.request.body, &in) != nil {
		return
	}
	e.optional("queueName", in.QueueName)
	e.optional("queueUrl", in.QueueURL)
	if len(in.Attributes) > 0 {
		attributes, err := json.Marshal(in.Attributes)
		if err != nil { // a map of strings always marshals
			panic(err)
		}
		e.raw("attributes", attributes)
	}
}

func onQueueName(k *call) []string {
	return []string{"arn:aws:sqs:" + k.Region + ":" + k.Account + ":" + k.Parameters["QueueName"]}
}

func onQueue(k *call) []string {
	account, name := splitQueueURL(k.Parameters["QueueUrl"])
	return []string{"arn:aws:sqs:" + k.Region + ":" + account + ":" + name}
}

// splitQueueURL reads …/account/name, whatever the host.
func splitQueueURL(url string) (account, name string) {
	parts := strings.Split(url, "/")
	if len(parts) < 2 {
		return "", url
	}
	return parts[len(parts)-2], parts[len(parts)-1]
}

// sqsShape is the name of an error in the JSON protocol; its code is that of the older query protocol.
func sqsShape(code string) string {
	switch code {
	case "AWS.SimpleQueueService.NonExistentQueue":
		return "QueueDoesNotExist"
	case "QueueAlreadyExists":
		return "QueueNameExists"
	}
	return code[strings.LastIndex(code, ".")+1:]
}

// queueOf finds the queue of a call. Queue policies are not simulated: a queue belongs to its account alone.
func (k *call) queueOf(url string) (*queue, error) {
	account, name := splitQueueURL(url)
	if account != k.Account {
		return nil, errorf(403, "AccessDenied", "Access to the resource %s is denied.", url)
	}
	k.cloud.mu.Lock()
	defer k.cloud.mu.Unlock()
	q, ok := k.cloud.queues["arn:aws:sqs:"+k.Region+":"+account+":"+name]
	if !ok {
		return nil, noSuchQueue()
	}
	return q, nil
}

func noSuchQueue() *Error {
	return errorf(400, "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
}

// queueAt finds a queue by its URL in any account and Region.
func (c *Cloud) queueAt(url string) (*queue, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, q := range c.queues {
		if q.url == url {
			return q, nil
		}
	}
	return nil, noSuchQueue()
}
