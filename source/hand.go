package source

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// next waits for what is to be handed over from a lane; nil is the end. While the source fails it waits, but for
// the end.
func (in *intake) next(ctx context.Context, l *lane) []*item {
	in.mu.Lock()
	defer in.mu.Unlock()
	for {
		switch {
		case len(l.items) == 0 && in.ended:
			return nil
		case len(l.items) > 0 && (in.ended || in.failed == nil && in.due(ctx, l)):
			return in.pop(l)
		}
		var due *time.Timer
		if len(l.items) > 0 && in.failed == nil { // the end of a failure is told
			due = time.AfterFunc(time.Until(l.items[0].came.Add(in.cfg.Join)), in.tell)
		}
		in.changed.Wait()
		if due != nil {
			due.Stop()
		}
	}
}

// due reports whether a lane is handed over now: what a type may listen to at once, all others when they are many,
// have waited, or leave no place for more.
func (in *intake) due(ctx context.Context, l *lane) bool {
	if l == &in.urgent || ctx.Err() != nil {
		return true
	}
	full := len(in.held)+(in.asked+1)*in.cfg.Batch > in.cfg.InHand || in.bytes+(in.asked+1)*in.largest > mostBytes
	return full || len(l.items) >= 4*mostJoined || l.bytes >= mostJoinedBytes || time.Since(l.items[0].came) >= in.cfg.Join
}

// pop takes what is handed over together: a message that came often comes alone, in turns with all others, which are
// not to wait behind thousands of those.
func (in *intake) pop(l *lane) []*item {
	most, size := mostJoined, 0
	if l == &in.plain {
		most *= 4
	}
	often := func(x *item) bool { return x.m.Received >= in.cfg.Alone }
	i := slices.IndexFunc(l.items, often)
	if l.alone = i >= 0 && (!l.alone || !slices.ContainsFunc(l.items, func(x *item) bool { return !often(x) })); l.alone {
		x := l.items[i]
		l.items = slices.Delete(l.items, i, i+1)
		l.bytes -= len(x.m.Body)
		return []*item{x}
	}
	out := make([]*item, 0, min(most, len(l.items)))
	l.items = slices.DeleteFunc(l.items, func(x *item) bool {
		if often(x) || len(out) == most || len(out) > 0 && size+len(x.m.Body) > mostJoinedBytes {
			return false
		}
		size += len(x.m.Body)
		out = append(out, x)
		return true
	})
	l.bytes -= size
	return out
}

// back puts what could not be handed over at the beginning of its lane.
func (in *intake) back(l *lane, list []*item) {
	in.mu.Lock()
	defer in.mu.Unlock()
	l.items = slices.Insert(l.items, 0, list...)
	for _, x := range list {
		l.bytes += len(x.m.Body)
	}
}

// take hands messages over and has them deleted.
func (in *intake) take(ctx context.Context, l *lane, list []*item) {
	messages := make([]Message, len(list))
	for i, x := range list {
		messages[i] = x.m
	}
	// From here on the end of ctx stops nothing: the messages are in hand.
	work, cancel := inHand(ctx, in.cfg.Timeout)
	defer cancel()
	now := in.cfg.Now().UTC()
	err := in.safely(work, in.sieve.sift(messages, now))
	if err == nil {
		in.gauge.handled(now, list)
		in.work.Go(func() { in.remove(ctx, list) })
		return
	}
	err = fmt.Errorf("handle %d messages: %w", len(list), err)
	switch {
	case ctx.Err() != nil: // they come again
		in.release(list)
	case in.cfg.Ready != nil && in.cfg.Ready(ctx) != nil:
		in.back(l, list)
		in.fail(err)
	case len(list) > 1 && work.Err() == nil:
		in.take(ctx, l, list[:len(list)/2])
		in.take(ctx, l, list[len(list)/2:])
	default:
		in.release(list)
		in.fail(err)
	}
}

// safely hands a delivery over; a handler that breaks has failed.
func (in *intake) safely(ctx context.Context, d Delivery) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the handler broke: %v", p)
		}
	}()
	return in.handle(ctx, d)
}

// remove deletes messages that are committed: a crash before that, or a failure, only brings them again.
func (in *intake) remove(ctx context.Context, list []*item) {
	defer in.release(list)
	in.mu.Lock()
	for _, x := range list {
		x.deleting = true
	}
	in.mu.Unlock()
	var all sync.WaitGroup
	for part := range slices.Chunk(list, 10) {
		all.Go(func() {
			in.deletes <- struct{}{}
			defer func() { <-in.deletes }()
			work, cancel := inHand(ctx, in.cfg.Timeout)
			defer cancel()
			messages := make([]Message, len(part))
			for i, x := range part {
				messages[i] = x.m
			}
			if err := in.cfg.Queue.Delete(work, messages); err != nil {
				in.fail(fmt.Errorf("delete %d messages: %w", len(messages), err))
				return
			}
			in.went()
		})
	}
	all.Wait()
}

// release lets messages go: those that are not deleted come again when their time is over.
func (in *intake) release(list []*item) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, x := range list {
		if in.held[x] {
			delete(in.held, x)
			in.bytes -= len(x.m.Body)
		}
	}
	in.changed.Broadcast()
}

// keep hides what is in hand from other consumers until stop is called.
func (in *intake) keep(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(max(in.cfg.Visibility/4, time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			in.extendAll(ctx)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// extendAll hides what is in hand for longer, with several calls at once: one after the other they take longer than
// there is time where thousands are in hand and the queue is far away.
func (in *intake) extendAll(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	free := make(chan struct{}, extendsAtOnce)
	for part := range slices.Chunk(in.near(), 10) {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			in.extend(ctx, part)
		})
	}
}

// near are the messages in hand whose time is half over, the first ones first.
func (in *intake) near() []*item {
	in.mu.Lock()
	defer in.mu.Unlock()
	var out []*item
	for x := range in.held {
		if !x.deleting && time.Until(x.until) <= in.cfg.Visibility/2 {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b *item) int { return a.until.Compare(b.until) })
	return out
}

// extend hides messages for another while; those that were deleted meanwhile are left out.
func (in *intake) extend(ctx context.Context, part []*item) {
	in.mu.Lock()
	var messages []Message
	for _, x := range part {
		if in.held[x] && !x.deleting {
			messages = append(messages, x.m)
		}
	}
	in.mu.Unlock()
	if len(messages) == 0 {
		return
	}
	until := time.Now().Add(in.cfg.Visibility)
	if err := in.cfg.Queue.Extend(ctx, messages, in.cfg.Visibility); err != nil {
		if ctx.Err() == nil {
			in.cfg.Log.WarnContext(ctx, "messages may be delivered again", "source", in.cfg.Name, "err", err)
		}
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, x := range part {
		x.until = until
	}
}
