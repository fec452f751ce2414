package awssim

// batchInput is a request with up to ten entries.
type batchInput[T any] struct {
	QueueURL string
	Entries  []T
}

// batch is the answer of a batch: each entry succeeded or failed on its own.
type batch struct {
	Successful []any        `json:",omitempty"`
	Failed     []batchError `json:",omitempty"`
}

type batchError struct {
	ID          string `json:"Id"`
	Code        string
	Message     string
	SenderFault bool
}

type batchID struct {
	ID string `json:"Id"`
}

// each runs the entries of a batch, after the checks that fail the call as a whole.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
func each[T any](entries []T, id func(T) string, run func(T) (any, error)) (any, error) {
	switch {
	case len(entries) == 0:
		return nil, errorf(400, "AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one entry in the request.")
	case len(entries) > 10:
		return nil, errorf(400, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent %d.", len(entries))
	}
	seen := map[string]bool{}
	for _, entry := range entries {
		if seen[id(entry)] {
			return nil, errorf(400, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id %s repeated.", id(entry))
		}
		seen[id(entry)] = true
	}
	var answer batch
	for _, entry := range entries {
		result, err := run(entry)
		if err != nil {
			e := asError(err)
			answer.Failed = append(answer.Failed, batchError{id(entry), e.Code, e.Message, e.Status < 500})
			continue
		}
		answer.Successful = append(answer.Successful, result)
	}
	return answer, nil
}

type sendEntry struct {
	ID string
	sendInput
}

func sendMessageBatch(k *call, in batchInput[sendEntry]) (any, error) {
	q, err := k.queueOf(in.QueueURL)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, entry := range in.Entries {
		total += len(entry.MessageBody)
	}
	if limit := q.maxSize(); total > limit {
		return nil, errorf(400, "AWS.SimpleQueueService.BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", limit, total)
	}
	return each(in.Entries, func(e sendEntry) string { return e.ID }, func(e sendEntry) (any, error) {
		answer, err := k.send(q, e.sendInput)
		answer.ID = e.ID
		return answer, err
	})
}

func deleteMessageBatch(k *call, in batchInput[receiptInput]) (any, error) {
	q, err := k.queueOf(in.QueueURL)
	if err != nil {
		return nil, err
	}
	return each(in.Entries, func(e receiptInput) string { return e.ID }, func(e receiptInput) (any, error) {
		if err := checkReceipt(e.ReceiptHandle); err != nil {
			return nil, err
		}
		q.remove(e.ReceiptHandle)
		return batchID{e.ID}, nil
	})
}

func changeVisibilityBatch(k *call, in batchInput[receiptInput]) (any, error) {
	q, err := k.queueOf(in.QueueURL)
	if err != nil {
		return nil, err
	}
	return each(in.Entries, func(e receiptInput) string { return e.ID }, func(e receiptInput) (any, error) {
		return batchID{e.ID}, changeOne(q, e)
	})
}
