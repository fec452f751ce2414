package source

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"dera.example/dera/cloudtrail"
)

// Objects reads objects of S3.
type Objects interface {
	// Open opens an object; size is how many bytes it has, packed as it is. The object is one of a
	// bucket that LogsConfig names.
	Open(ctx context.Context, bucket, key string) (in io.ReadCloser, size int64, err error)
}

// LogsConfig configures the log files of CloudTrail that a queue announces. Objects and Buckets
// are mandatory.
type LogsConfig struct {
	Objects Objects
	Buckets []string // that are read: a message that names another one is forged, or not for us
	// MostPacked and MostUnpacked bound an object, in bytes; 64 MiB and 1 GiB if zero.
	MostPacked, MostUnpacked int64
}

const (
	// logs is the source of what stands in log files.
	logs         = "s3"
	mostPacked   = 64 << 20
	mostUnpacked = 1 << 30
	// logTimeout is how long one message may take; logRecords and logBytes bound a delivery.
	logTimeout = 5 * time.Minute
	logRecords = 500
	logBytes   = 4 << 20
	// mostKeptOfLogs is how many faults of what one message announces are kept, as examples: all are counted.
	mostKeptOfLogs = 20
)

// The counters of log files.
const (
	LogsRead    = "logs_read"           // log files that were read
	LogsSkipped = "logs_skipped/"       // objects that hold no calls of covered accounts, by why
	LogsForeign = "logs_foreign_bucket" // objects of buckets that are not named
	LogsTorn    = "logs_torn"           // log files that are not whole, or too large; what came before was read
	LogsFailed  = "logs_failed"         // reads that failed: the message stays in the queue
)

// logFiles reads what messages announce.
type logFiles struct {
	cfg     LogsConfig
	sieve   sieve
	buckets map[string]bool
}

// newLogFiles returns nil where there are none to read.
func newLogFiles(cfg *LogsConfig, watch cloudtrail.Watch, accounts []string) (*logFiles, error) {
	switch {
	case cfg == nil:
		return nil, nil
	case cfg.Objects == nil || len(cfg.Buckets) == 0:
		return nil, errors.New("no objects, or no buckets")
	case cfg.MostPacked < 0 || cfg.MostUnpacked < 0:
		return nil, errors.New("negative size")
	}
	// Whoever can write to the bucket can write a log file: its records are hearsay.
	l := &logFiles{cfg: *cfg, sieve: newSieve(logs, watch, accounts, false), buckets: map[string]bool{}}
	l.cfg.MostPacked, l.cfg.MostUnpacked = orElse(cfg.MostPacked, mostPacked), orElse(cfg.MostUnpacked, mostUnpacked)
	for _, b := range cfg.Buckets {
		l.buckets[b] = true
	}
	return l, nil
}

// split takes out the messages that announce objects.
func (l *logFiles) split(messages []Message) (plain, announcing []Message) {
	if l == nil {
		return messages, nil
	}
	for _, m := range messages {
		if _, ok := cloudtrail.Announced([]byte(m.Body)); ok {
			announcing = append(announcing, m)
		} else {
			plain = append(plain, m)
		}
	}
	return plain, announcing
}

// reading is the reading of one message.
type reading struct {
	*logFiles
	m      Message
	now    time.Time
	handle Handler
	tally  map[string]int64
	kept   []Kept
	// good and bad are how many records of the message could be read, and how many not.
	good, bad int
	files     int // that were begun
	left      int // how many faults may be kept still
}

// take reads what a message announces and hands it over. After an error the message must stay in the
// queue: it is read again.
func (l *logFiles) take(ctx context.Context, m Message, now time.Time, handle Handler) error {
	r := &reading{logFiles: l, m: m, now: now, handle: handle, tally: map[string]int64{}, left: mostKeptOfLogs}
	list, _ := cloudtrail.Announced([]byte(m.Body))
	var errs []error
	for _, o := range list {
		why, account := o.Neighbour()
		switch {
		case !l.buckets[o.Bucket]:
			r.tally[LogsForeign]++
			r.keep(fmt.Sprintf("it announces an object of the bucket %s, which sources.s3_logs does not name", clip(o.Bucket)))
		case why != "":
			r.tally[LogsSkipped+neighbour(why)]++
		case !l.sieve.accounts[account]:
			r.tally[LogsSkipped+"account"]++
		default:
			err := r.object(ctx, o)
			if errors.As(err, new(*handlerError)) {
				return err
			}
			if err != nil {
				r.tally[LogsFailed]++
				errs = append(errs, fmt.Errorf("read s3://%s/%s: %w", o.Bucket, o.Key, err))
			}
		}
	}
	if len(list) == 0 {
		r.tally[LogsSkipped+"nothing"]++
	}
	errs = append(errs, r.hand(ctx, nil))
	return errors.Join(errs...)
}

// neighbour is the name of who else writes into buckets of logs, one of a few: whoever writes an object chooses
// the name of its folder.
func neighbour(why string) string {
	known := []string{"digest", "CloudTrail-Insight", "Config", "GuardDuty", "WAFLogs", "elasticloadbalancing", "vpcflowlogs", "vpcdnsquerylogs", "redshift"}
	if slices.Contains(known, why) {
		return why
	}
	return "other"
}

// clip bounds a name from a message.
func clip(s string) string { return s[:min(len(s), 64)] }

// keep keeps a fault under an ID of its own, which is the same when the message comes again.
func (r *reading) keep(why string) {
	if len(r.kept) >= r.left {
		return
	}
	b := batch{Delivery: Delivery{At: r.now}}
	b.keep(Message{ID: fmt.Sprintf("%s/kept-%d", r.m.ID, mostKeptOfLogs-r.left+len(r.kept)), Body: r.m.Body}, why)
	r.kept = append(r.kept, b.Kept...)
}

// hand hands over records, with what was counted since.
func (r *reading) hand(ctx context.Context, records []Message) error {
	d := r.sieve.sift(records, r.now)
	if d.Kinds != nil {
		d.Kinds = []string{KindLogs} // a rule of EventBridge that is off must stay silent
	}
	d.Raw = nil // dera usage import reads log files for the usage ledger
	d.Kept = append(r.kept, d.Kept...)
	d.Kept = d.Kept[:min(len(d.Kept), r.left)]
	for name, n := range r.tally {
		if d.Tallies == nil {
			d.Tallies = map[string]int64{}
		}
		d.Tallies[name] += n
	}
	if err := r.handle(ctx, d); err != nil {
		return &handlerError{err}
	}
	r.tally, r.kept, r.left = map[string]int64{}, nil, r.left-len(d.Kept)
	return nil
}

// object reads one log file. A fault of the file itself is counted and kept, since reading it again
// changes nothing; what stood before it was handed over.
func (r *reading) object(ctx context.Context, o cloudtrail.LogObject) error {
	r.files++
	in, size, err := r.cfg.Objects.Open(ctx, o.Bucket, o.Key)
	if err != nil {
		return err
	}
	defer in.Close()
	if size > r.cfg.MostPacked {
		r.torn(o, fmt.Sprintf("it has %d bytes, and at most %d are read", size, r.cfg.MostPacked))
		return nil
	}
	packed := &counted{in: in, most: r.cfg.MostPacked}
	before := r.bad
	fault, err := r.records(ctx, packed)
	switch {
	case err != nil:
		return err
	case packed.err != nil && !errors.Is(packed.err, io.EOF) && !errors.Is(packed.err, errBound):
		return packed.err // the network, not the file
	case fault != nil && packed.n < size && !errors.Is(fault, errBound):
		return fault // it did not come whole
	case fault != nil:
		r.torn(o, fault.Error())
	case r.bad == before || r.good > 0:
		r.tally[LogsRead]++
	}
	return nil
}

func (r *reading) torn(o cloudtrail.LogObject, why string) {
	r.tally[LogsTorn]++
	r.keep(fmt.Sprintf("the log file s3://%s/%s is not whole: %s", clip(o.Bucket), o.Key[:min(len(o.Key), 512)], why))
}

// records hands the records of a file over. fault is of the file, err of who takes them over.
func (r *reading) records(ctx context.Context, packed io.Reader) (fault, err error) {
	head := bufio.NewReader(packed)
	var text io.Reader = head
	if magic, _ := head.Peek(2); bytes.HasPrefix(magic, zipMagic) {
		zip, err := gzip.NewReader(head)
		if err != nil {
			return err, nil
		}
		text = zip
	}
	plain := bufio.NewReader(&counted{in: text, most: r.cfg.MostUnpacked})
	if magic, _ := plain.Peek(2); bytes.HasPrefix(magic, zipMagic) {
		return errors.New("it is packed twice"), nil // what that unpacks to would not be bounded
	}
	var reader cloudtrail.LogReader
	reader.Reset(plain)
	var fields cloudtrail.Fields
	var list []Message
	bytes := 0
	for n := 0; ; n++ {
		err := reader.Next(&fields)
		end := errors.Is(err, io.EOF) || err != nil && !reader.Whole()
		switch {
		case errors.Is(err, io.EOF):
		case err != nil && end:
			fault = err
		case err != nil: // one record, which costs the others nothing
			r.bad++
			r.tally[LogsTorn]++
			r.keep(fmt.Sprintf("record %d of its log file cannot be read: %v", n, err))
		default:
			list = append(list, Message{ID: fmt.Sprintf("%s/%d/%d", r.m.ID, r.files, n), Body: string(reader.Raw())})
			bytes += len(reader.Raw())
			r.good++
		}
		if len(list) >= logRecords || bytes >= logBytes || end && len(list) > 0 {
			if err := r.hand(ctx, list); err != nil {
				return nil, err
			}
			list, bytes = nil, 0
		}
		if end {
			return fault, nil
		}
	}
}

var zipMagic = []byte("\x1f\x8b")

// errBound says that there is more than is read.
var errBound = errors.New("it is larger than is read")

// counted counts what is read, up to a bound.
type counted struct {
	in      io.Reader
	n, most int64
	err     error
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	if c.n >= c.most {
		var one [1]byte
		if n, err := c.in.Read(one[:]); n == 0 && err != nil {
			c.err = err
			return 0, err
		}
		c.err = errBound
		return 0, errBound
	}
	n, err := c.in.Read(p[:min(int64(len(p)), c.most-c.n)])
	c.n += int64(n)
	if err != nil {
		c.err = err
	}
	return n, err
}

// logsAtOnce is how many batches of announcements are read beside the events.
const logsAtOnce = 4

// do reads what messages announce while the events of the queue go on: a log file may take minutes. Where
// as many are read already as may be, whoever received them waits, and the error is that of itself.
func (a *aside) do(itself, read func() error) error {
	select {
	case a.busy <- struct{}{}:
	default:
		return itself()
	}
	a.wait.Go(func() {
		defer func() { <-a.busy }()
		if err := read(); err != nil {
			select {
			case a.failed <- err:
			default: // one is enough for the queue to pause
			}
		}
	})
	return nil
}

// aside are the readings beside the events of one Run.
type aside struct {
	busy   chan struct{}
	failed chan error
	wait   sync.WaitGroup
}

func newAside() *aside {
	return &aside{busy: make(chan struct{}, logsAtOnce), failed: make(chan error, 1)}
}

// err is that of a reading that could not be committed, said once.
func (a *aside) err() error {
	select {
	case err := <-a.failed:
		return err
	default:
		return nil
	}
}

// announced reads what messages announce, one after the other, and deletes each that was read. One that
// was not stays in the queue, hidden for its visibility timeout: it comes again, and in the end to the dead-letter
// queue. The error is that of the handler.
func (s *SQS) announced(ctx context.Context, messages []Message, now time.Time, handle Handler) error {
	for i := range messages {
		if err := s.announcement(ctx, messages[i:], now, handle); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil // the rest comes again
		}
	}
	return nil
}

// announcement reads what the first of the messages announces, and keeps all of them hidden meanwhile.
func (s *SQS) announcement(ctx context.Context, messages []Message, now time.Time, handle Handler) error {
	work, cancel := inHand(ctx, logTimeout)
	defer cancel()
	release := s.hold(work, messages)
	err := s.cfg.Queue.Extend(work, messages, s.cfg.Visibility)
	if err != nil && len(messages) > 1 { // the receipt of another one may not hold any more, which is no matter of the first
		err = s.cfg.Queue.Extend(work, messages[:1], s.cfg.Visibility)
	}
	if err == nil {
		err = s.logs.take(work, messages[0], now, handle)
	}
	release()
	if err == nil {
		err = s.cfg.Queue.Delete(work, messages[:1])
	}
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(*handlerError)):
		return err
	}
	s.cfg.Log.WarnContext(ctx, "a message stays in the queue and is read again", "source", logs, "message", messages[0].ID, "received", messages[0].Received, "err", err)
	return nil
}

// handlerError means that what was read could not be committed.
type handlerError struct{ err error }

// Error implements error.
func (e *handlerError) Error() string { return "take over what was read: " + e.err.Error() }

// Unwrap returns the handler's error.
func (e *handlerError) Unwrap() error { return e.err }
