package awssim

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// queueName is what SQS takes as a name.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
const queueName = `^[A-Za-z0-9_-]{1,80}$`

// bounds are the attributes that can be set, with their range and default; of those without range any text is kept.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func attributeBounds(name string) (low, high, standard int, known bool) {
	switch name {
	case "VisibilityTimeout":
		return 0, 43200, 30, true
	case "ReceiveMessageWaitTimeSeconds":
		return 0, 20, 0, true
	case "DelaySeconds":
		return 0, 900, 0, true
	case "MessageRetentionPeriod":
		return 60, 1209600, 345600, true
	case "MaximumMessageSize":
		return 1024, 1048576, 1048576, true
	case "Policy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled":
		return 0, 0, 0, true
	}
	return 0, 0, 0, false
}

func checkAttributes(attributes map[string]string) error {
	for name, value := range attributes {
		low, high, _, known := attributeBounds(name)
		if !known {
			if name == "RedrivePolicy" || strings.HasPrefix(name, "Fifo") {
				return notSimulated("the queue attribute %s", name)
			}
			return errorf(400, "InvalidAttributeName", "Unknown Attribute %s.", name)
		}
		if n, err := strconv.Atoi(value); high > 0 && (err != nil || n < low || n > high) {
			return errorf(400, "InvalidAttributeValue", "Invalid value for the parameter %s.", name)
		}
	}
	return nil
}

type createQueueInput struct {
	QueueName  string
	Attributes map[string]string
}

type queueURL struct {
	URL string `json:"QueueUrl"`
}

func (a queueURL) write(e *encoder) { e.text("queueUrl", a.URL) }

// createQueue makes a queue, or returns the one of that name if its attributes are the same.
func createQueue(k *call, in createQueueInput) (any, error) {
	if strings.HasSuffix(in.QueueName, ".fifo") {
		return nil, notSimulated("FIFO queues")
	}
	if ok, err := regexp.MatchString(queueName, in.QueueName); err != nil || !ok {
		return nil, errorf(400, "InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	if err := checkAttributes(in.Attributes); err != nil {
		return nil, err
	}
	arn := "arn:aws:sqs:" + k.Region + ":" + k.Account + ":" + in.QueueName
	c := k.cloud
	c.mu.Lock()
	q, exists := c.queues[arn]
	if !exists {
		q = newQueue(arn, "https://sqs."+k.Region+".amazonaws.com/"+k.Account+"/"+in.QueueName, c.now, maps.Clone(in.Attributes))
		c.queues[arn] = q
	}
	c.mu.Unlock() // a queue's own lock is never waited for under the cloud's
	if exists && !q.agrees(in.Attributes) {
		return nil, errorf(400, "QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute")
	}
	return queueURL{q.url}, nil
}

type queueInput struct{ QueueURL string }

func deleteQueue(k *call, in queueInput) (any, error) {
	q, err := k.queueOf(in.QueueURL)
	if err != nil {
		return nil, err
	}
	k.cloud.mu.Lock()
	delete(k.cloud.queues, q.arn)
	k.cloud.mu.Unlock()
	q.close()
	return empty{}, nil
}

func purgeQueue(k *call, in queueInput) (any, error) {
	q, err := k.queueOf(in.QueueURL)
	if err != nil {
		return nil, err
	}
	q.purge()
	return empty{}, nil
}

func getQueueURL(k *call, in struct{ QueueName, QueueOwnerAWSAccountID string }) (any, error) {
	owner := in.QueueOwnerAWSAccountID
	if owner == "" {
		owner = k.Account
	}
	q, err := k.queueOf("/" + owner + "/" + in.QueueName)
	if err != nil {
		return nil, err
	}
	return queueURL{q.url}, nil
}

type attributes struct{ Attributes map[string]string }

func getQueueAttributes(k *call, in struct {
	QueueURL       string
	AttributeNames []string
}) (any, error) {
	q, err := k.queueOf(in.QueueURL)
	if err != nil {
		return nil, err
	}
	all := q.describe()
	if slices.Contains(in.AttributeNames, "All") {
		return attributes{all}, nil
	}
	chosen := map[string]string{}
	for _, name := range in.AttributeNames {
		if value, ok := all[name]; ok {
			chosen[name] = value
		} else if _, _, _, known := attributeBounds(name); !known {
			return nil, errorf(400, "InvalidAttributeName", "Unknown Attribute %s.", name)
		}
	}
	return attributes{chosen}, nil
}

func setQueueAttributes(k *call, in struct {
	QueueURL   string
	Attributes map[string]string
}) (any, error) {
	q, err := k.queueOf(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if err := checkAttributes(in.Attributes); err != nil {
		return nil, err
	}
	q.set(in.Attributes)
	return empty{}, nil
}
