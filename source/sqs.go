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
	Received int       // how often it was received, this time included
	Sent     time.Time // when it came into the queue; zero where the queue does not say
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
	// Receivers is how many receives run at the same time at most; 32 if zero. One runs
	// alone while the queue is quiet; each full batch adds one, each empty one ends one.
	Receivers int
	// InHand bounds the messages that are received and not deleted yet; 4,096 if zero.
	// Their bodies are bounded too, at 16 MiB.
	InHand int
	// Alone is the receipt from which on a message is handed over alone, so that none that
	// fails carries others to the dead-letter queue; 3 if zero.
	Alone int
	// Join is how long messages that no type listens to wait for each other, to be
	// committed together; a second if zero.
	Join time.Duration
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
	case c.Visibility < 0 || c.Timeout < 0 || c.Join < 0:
		return errors.New("negative duration")
	case c.Receivers < 0 || c.InHand < 0 || c.Alone < 0:
		return errors.New("negative number")
	}
	return validAccounts(c.Accounts)
}

// SQS reads events from a queue. Make one with NewSQS.
type SQS struct {
	cfg   SQSConfig
	sieve sieve
	logs  *logFiles
	gauge gauge
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
	cfg.Receivers, cfg.InHand, cfg.Alone = orElse(cfg.Receivers, 32), orElse(cfg.InHand, 4096), orElse(cfg.Alone, 3)
	cfg.Join = orElse(cfg.Join, time.Second)
	cfg.Log = orElse(cfg.Log, slog.New(slog.DiscardHandler))
	cfg.Now, cfg.Random = clock(cfg.Now), randomness(cfg.Random)
	logs, err := newLogFiles(cfg.Logs, cfg.Watch, cfg.Accounts)
	if err != nil {
		return nil, fmt.Errorf("configure log files: %w", err)
	}
	return &SQS{cfg: cfg, sieve: newSieve(cfg.Name, cfg.Watch, cfg.Accounts, cfg.Authenticated), logs: logs}, nil
}

// Run receives until ctx ends, then finishes what is in hand and returns nil.
//
// Several receives run at the same time, as many as the queue fills. A message that a
// type may listen to is handed over at once, together with those that came while the
// handler was busy; all others wait for each other, so that a thousand of them cost one
// commit. A message is deleted only after handle returned nil for it (invariant I8), and
// is kept hidden until then. SQS has no order, and Run adds none. Handle is called by two
// goroutines at the same time at most.
//
// Where handle fails for several messages although the source is ready, each half of them
// is handed over again: one that always fails comes again alone, and in the end goes to
// the dead-letter queue. Where it is not ready, what is in hand waits. Errors are logged
// and tried again after a growing wait, by one receiver.
func (s *SQS) Run(ctx context.Context, handle Handler) error {
	in := newIntake(ctx, s, handle)
	s.gauge.add(in)
	defer s.gauge.leave(in)
	in.run(ctx)
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
