package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dera.example/dera/cloud"
	"dera.example/dera/source"
)

// sendTest sends a test event through the queue and waits until dera run has taken it.
func (x *examination) sendTest(ctx context.Context) {
	if x.SendTest <= 0 {
		return
	}
	const check, about = "test event", "queue"
	switch {
	case x.Queue == "":
		x.says(check, about, NotTested, "no queue is configured", "")
		return
	case x.Store == nil:
		x.says(check, about, NotTested, "there are no data in which dera run could note it", "")
		return
	}
	id, began := x.NewID(), x.Now()
	if err := x.Cloud.Queue(x.Queue).Send(ctx, source.TestEvent(id)); err != nil {
		fix := ""
		if cloud.Is(err, cloud.Denied) {
			fix = "allow sqs:SendMessage on the queue, which this check alone needs"
		}
		x.says(check, about, Unchecked, plainCause(err), fix)
		return
	}
	sent := x.Now().Sub(began).Round(time.Millisecond)
	for x.Now().Sub(began) < x.SendTest {
		text, err := x.Store.Remembered(ctx, rememberTest)
		if err != nil {
			x.says(check, about, Unchecked, err.Error(), "")
			return
		}
		if at, ok := strings.CutPrefix(text, id+" "); ok {
			received, err := time.Parse(time.RFC3339Nano, at)
			if err != nil {
				x.says(check, about, Unchecked, err.Error(), "")
				return
			}
			x.says(check, about, Healthy, fmt.Sprintf("it arrived: sent in %s, received after %s, committed within %s", sent, received.Sub(began).Round(time.Millisecond), x.Now().Sub(began).Round(time.Millisecond)), "")
			return
		}
		if x.Wait(ctx, testPoll) != nil {
			return
		}
	}
	x.says(check, about, ToDo, fmt.Sprintf("it did not arrive within %s", x.SendTest), "is dera run running, with this queue and this database? The event stays in the queue until it is")
}

// testPoll is how often it is looked whether a test event came.
const testPoll = 200 * time.Millisecond
