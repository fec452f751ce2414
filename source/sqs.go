package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"dera.example/dera/cloudtrail"
)

// Queue is where messages wait: SQS behind package cloud. Its errors may be
// temporary; each call is tried again later. It is safe for concurrent use if
// Run is called more than once.
type Queue interface {
	// Receive returns up to limit messages and hides them from others for the
	// queue's visibility timeout. It waits up to wait for the first one.
	Receive(ctx context.Context, limit int, wait time.Duration) ([]Message, error)
	// Delete removes messages. Deleting one that is gone is no error.
	Delete(ctx context.Context, messages []Message) error
	// Extend hides messages for another visibility timeout from now.
	Extend(ctx context.Context, messages []Message, visibility time.Duration) error
}

// Message is one message as received.
type Message struct {
	ID       string
	Receipt  string // names this receipt of the message; Delete and Extend want it
	Body     string
	Received int // how often it was received, this time included
}

// SQSConfig configures a queue source. Queue, Accounts and Watch are mandatory.
type SQSConfig struct {
	Queue    Queue
	Accounts []string // IDs of the accounts whose events are looked at
	// Watch is what the resource types listen to: every other event is irrelevant.
	Watch cloudtrail.Watch
	// Name is the source's name in events; sqs if empty.
	Name string
	// Authenticated says that only our EventBridge rules can write to the queue
	// (its policy names them). Events in an envelope that agrees with its record
	// are then authenticated.
	Authenticated bool
	// Batch is how many messages are received at once: 1 to 10, 10 if zero.
	Batch int
	// Wait is how long a receive waits for messages: up to 20 s, that if zero.
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/best-practices-setting-up-long-polling.html
	Wait time.Duration
	// Visibility is the queue's visibility timeout; 30 s, the default of SQS, if
	// zero. While a handler works, messages stay hidden.
	Visibility time.Duration
	// Timeout is how long a handler may take; a minute if zero. After the end of
	// its context Run goes on for 8 s at most.
	Timeout time.Duration
	// Ready, where set, is asked after an error before messages are received again:
	// each receive that comes to nothing takes a message nearer to the dead-letter
	// queue.
	Ready func(ctx context.Context) error
	// Logs, where set, are the log files of CloudTrail that messages of the queue announce.
	Logs   *LogsConfig
	Log    *slog.Logger     // discards if nil
	Now    func() time.Time // time.Now if nil
	Random func() float64   // in [0, 1); spreads retries
}

func (c SQSConfig) validate() error {
	switch {
	case c.Queue == nil:
		return errors.New("no queue")
	case len(c.Watch.Calls()) == 0:
		return errors.New("no calls are watched")
	case c.Batch < 0 || c.Batch > 10:
		return fmt.Errorf("batch of %d messages, must be 1 to 10", c.Batch)
	case c.Wait < 0 || c.Wait > 20*time.Second:
		return fmt.Errorf("wait of %s, must be up to 20s", c.Wait)
	case c.Visibility < 0 || c.Timeout < 0:
		return errors.New("negative duration")
	}
	return validAccounts(c.Accounts)
}

// SQS reads events from a queue. Make one with NewSQS.
type SQS struct {
	cfg   SQSConfig
	sieve sieve
	logs  *logFiles
}

// NewSQS returns a source over cfg.Queue, or an error for a configuration that
// cannot work.
func NewSQS(cfg SQSConfig) (*SQS, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("configure queue source: %w", err)
	}
	cfg.Name = orElse(cfg.Name, "sqs")
	cfg.Batch = orElse(cfg.Batch, 10)
	cfg.Wait = orElse(cfg.Wait, 20*time.Second)
	cfg.Visibility = orElse(cfg.Visibility, 30*time.Second)
	cfg.Timeout = orElse(cfg.Timeout, time.Minute)
	cfg.Log = orElse(cfg.Log, slog.New(slog.DiscardHandler))
	cfg.Now, cfg.Random = clock(cfg.Now), randomness(cfg.Random)
	logs, err := newLogFiles(cfg.Logs, cfg.Watch, cfg.Accounts)
	if err != nil {
		return nil, fmt.Errorf("configure log files: %w", err)
	}
	return &SQS{cfg, newSieve(cfg.Name, cfg.Watch, cfg.Accounts, cfg.Authenticated), logs}, nil
}

// Run receives until ctx ends, then finishes the batch in hand and returns nil.
// Each batch goes to handle once, whatever its messages are worth, and is
// deleted only after handle returned nil. Errors of the queue and of the handler
// are logged and tried again after a growing wait. Several goroutines may Run
// the same source; each has one batch in hand.
func (s *SQS) Run(ctx context.Context, handle Handler) error {
	retry := backoff{random: s.cfg.Random}
	beside := newAside()
	defer beside.wait.Wait()
	for ctx.Err() == nil {
		err := beside.err()
		if err == nil {
			err = s.ready(ctx, retry.errors)
		}
		if err == nil {
			err = s.round(ctx, handle, beside)
		}
		if err != nil {
			retry.pause(ctx, s.cfg.Log, s.cfg.Name, err)
			continue
		}
		retry.reset()
	}
	return nil
}

// ready asks whether a batch can be taken over, where the last round failed.
func (s *SQS) ready(ctx context.Context, failed int) error {
	if s.cfg.Ready == nil || failed == 0 {
		return nil
	}
	if err := s.cfg.Ready(ctx); err != nil {
		return fmt.Errorf("nothing is received: %w", err)
	}
	return nil
}

// round receives, handles and deletes one batch.
func (s *SQS) round(ctx context.Context, handle Handler, beside *aside) error {
	messages, err := s.cfg.Queue.Receive(ctx, s.cfg.Batch, s.cfg.Wait)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // the end, and nothing in hand
	case err != nil:
		return fmt.Errorf("receive messages: %w", err)
	case len(messages) == 0:
		return nil
	}
	now := s.cfg.Now().UTC()
	messages, announcing := s.logs.split(messages)
	if len(announcing) == 0 {
		return s.batch(ctx, messages, now, handle)
	}
	if len(messages) > 0 {
		if err := s.cfg.Queue.Extend(ctx, announcing, s.cfg.Timeout+s.cfg.Visibility); err != nil {
			s.cfg.Log.WarnContext(ctx, "messages may be delivered again", "source", logs, "err", err)
		}
		if err := s.batch(ctx, messages, now, handle); err != nil {
			return err
		}
	}
	return beside.do(func() error { return s.announced(ctx, announcing, now, handle) })
}

// batch handles and deletes messages that are events.
func (s *SQS) batch(ctx context.Context, messages []Message, now time.Time, handle Handler) error {
	// From here on the end of ctx stops nothing: the batch is in hand.
	work, cancel := inHand(ctx, s.cfg.Timeout)
	defer cancel()
	release := s.hold(work, messages)
	err := handle(work, s.sieve.sift(messages, now))
	release()
	if err != nil {
		return fmt.Errorf("handle %d messages: %w", len(messages), err)
	}
	// The handler has committed: a crash between here and the deletion only
	// brings the messages again.
	if err := s.cfg.Queue.Delete(work, messages); err != nil {
		return fmt.Errorf("delete %d messages: %w", len(messages), err)
	}
	return nil
}

// hold keeps messages hidden from other consumers until release is called.
func (s *SQS) hold(ctx context.Context, messages []Message) (release func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(max(s.cfg.Visibility/2, time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := s.cfg.Queue.Extend(ctx, messages, s.cfg.Visibility); err != nil && ctx.Err() == nil {
				s.cfg.Log.WarnContext(ctx, "messages may be delivered again", "source", s.cfg.Name, "err", err)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// orElse returns v, or fallback for the zero value.
func orElse[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
