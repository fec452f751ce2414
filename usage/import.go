package usage

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"dera.example/dera/cloudtrail"
)

// ImportConfig says how log files are read.
type ImportConfig struct {
	// Keys verify digest files. Without keys every record is unverified.
	Keys cloudtrail.PublicKeys
	// Workers read files side by side; 0 means one for each processor.
	Workers int
	// Memory bounds what all workers together collect before they write it down,
	// in bytes; 0 means 48 MiB. The process takes about four times as much.
	Memory int
	// Progress, if set, is told about each file that is done, one at a time.
	Progress func(Progress)
}

// Progress is how far an import has come.
type Progress struct {
	Files, Of int
	File      string
}

// importer is one import under way.
type importer struct {
	*Ledger
	cfg    ImportConfig
	digest *digests
	total  int

	mu       sync.Mutex
	finished int // files
	report   Report
	claimed  map[string]bool // marks of files that a worker of this import has
}

// Import reads CloudTrail log files and folders of them into the ledger. It can be
// stopped at any time and called again: what is marked as read is not read twice,
// and a file counts once whatever its name. A file that cannot be read is in the
// report, and the others are read all the same; the error is for what stops
// everything.
func (l *Ledger) Import(ctx context.Context, cfg ImportConfig, paths ...string) (Report, error) {
	if cfg.Workers <= 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	if cfg.Memory <= 0 {
		cfg.Memory = 48 << 20
	}
	found, err := find(paths)
	if err != nil {
		return Report{}, err
	}
	i := &importer{Ledger: l, cfg: cfg, total: len(found.Logs), report: Report{Counts: Counts{}}, claimed: map[string]bool{}}
	i.report.Damaged, i.report.Digests = found.Failed, len(found.Digests)
	for _, f := range found.LeftOut {
		i.report.leaveOut(f)
	}
	i.digest = readDigests(found.Digests, cfg.Keys)
	defer i.report.sort()
	if err := i.all(ctx, found.Logs); err != nil {
		return i.report, fmt.Errorf("import use: %w", err)
	}
	facts, hours, err := i.digest.conclude(SecondOf(l.now()))
	if err == nil {
		err = l.store.CommitUsage(ctx, Batch{Facts: facts, Hours: hours})
	}
	if err == nil {
		err = l.store.CompactUsage(ctx, mostRuns, time.Time{})
	}
	if err != nil {
		return i.report, fmt.Errorf("import use: %w", err)
	}
	return i.report, nil
}

// all reads the files with several workers. The first error stops all.
func (i *importer) all(ctx context.Context, files []cloudtrail.LogFile) error {
	watch, err := i.watched(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan cloudtrail.LogFile)
	var group sync.WaitGroup
	for range i.cfg.Workers {
		group.Go(func() {
			w := &worker{importer: i, a: newAggregate(), limit: i.cfg.Memory / i.cfg.Workers}
			w.a.watching = watch
			if err := w.run(ctx, next); err != nil {
				cancel(err)
			}
		})
	}
feed:
	for _, file := range files {
		select {
		case next <- file:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	group.Wait()
	return context.Cause(ctx)
}

// worker reads one file after the other and writes down what it collected when
// that is large enough.
type worker struct {
	*importer
	a      *aggregate
	limit  int
	marks  []Mark
	reader cloudtrail.LogReader
	gunzip gzip.Reader
	buffer bytes.Buffer
	fields cloudtrail.Fields
}

func (w *worker) run(ctx context.Context, files <-chan cloudtrail.LogFile) error {
	for file := range files {
		if err := w.file(ctx, file); err != nil {
			return err
		}
		if w.a.size > w.limit || len(w.marks) >= 10_000 {
			if err := w.flush(ctx); err != nil {
				return err
			}
		}
	}
	return w.flush(ctx)
}

// flush commits what was collected with the marks of the files that it is from.
// From here on a crash is safe: these records are not read again.
func (w *worker) flush(ctx context.Context) error {
	if len(w.marks) == 0 {
		return nil
	}
	b, err := w.packed(ctx, w.a, w.marks)
	if err != nil {
		return err
	}
	w.a.reset()
	w.marks = nil
	if err := w.put(ctx, b); err != nil {
		return err
	}
	return w.store.CompactUsage(ctx, mostRunsOfImport, time.Time{})
}

// file reads one file, unless it has been read. Its own faults are not errors.
func (w *worker) file(ctx context.Context, log cloudtrail.LogFile) error {
	path := log.Path
	f, err := os.Open(path)
	if err != nil {
		w.damaged(path, err)
		return nil
	}
	defer f.Close()
	sum, trust, err := w.look(f, path)
	if err != nil {
		w.damaged(path, err)
		return nil
	}
	mark, skip, err := w.mark(ctx, sum, trust)
	if err != nil || skip {
		w.done(path, trust, Counts{}, skip)
		if err == nil && mark.Damage != "" { // it is in the ledger, but not whole
			w.damaged(path, errors.New(mark.Damage))
		}
		return err
	}
	mark.Name = path
	var in io.ReadSeeker = f
	if trust == Verified { // the very bytes whose digest was compared
		in = bytes.NewReader(w.buffer.Bytes())
	}
	counts, err := w.records(ctx, log, in, trust, &mark)
	if errors.Is(err, errLeftOut) {
		return nil
	}
	w.done(path, trust, counts, false)
	if err == nil && mark.Damage != "" {
		w.damaged(path, errors.New(mark.Damage))
	}
	return err
}

// maxVerified bounds the files, unpacked or not, that are held in memory to
// compare them with their digest; larger ones stay unverified. CloudTrail writes
// files of a few MB.
const maxVerified = 32 << 20

// look returns the hash of a file and how far it can be trusted.
func (w *worker) look(f *os.File, path string) (string, Trust, error) {
	want, known := w.digest.of(path)
	h := sha256.New()
	w.buffer.Reset()
	var in io.Reader = f
	if known {
		in = io.TeeReader(io.LimitReader(f, maxVerified), &w.buffer)
	}
	if _, err := io.Copy(h, in); err != nil {
		return "", Unverified, err
	}
	trust := Unverified
	if known {
		if _, err := io.Copy(h, f); err != nil { // what is beyond the limit
			return "", Unverified, err
		}
		if w.hash() == want {
			trust = Verified
			w.digest.found(path)
		}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", Unverified, err
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), trust, nil
}

// hash is what a digest says of the file in the buffer: the SHA-256 of the
// unpacked text.
func (w *worker) hash() string {
	in, err := w.unpack(bytes.NewReader(w.buffer.Bytes()))
	if err != nil {
		return ""
	}
	h := sha256.New()
	if _, err := io.Copy(h, in); err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// unpack reads plain or zipped text, whatever the name says.
func (w *worker) unpack(in io.Reader) (io.Reader, error) {
	magic := make([]byte, 2)
	n, err := io.ReadFull(in, magic)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	in = io.MultiReader(bytes.NewReader(magic[:n]), in)
	if string(magic[:n]) != "\x1f\x8b" {
		return in, nil
	}
	if err := w.gunzip.Reset(in); err != nil {
		return nil, err
	}
	return &w.gunzip, nil
}

// mark finds out how much of a file is in the ledger; skip means all that this
// reading could add.
func (w *worker) mark(ctx context.Context, sum string, trust Trust) (m Mark, skip bool, err error) {
	for _, t := range []Trust{Verified, trust} {
		m, err = w.store.UsageMark(ctx, fmt.Sprintf("%s-%d", sum, t))
		switch {
		case err == nil && m.Done:
			return m, true, nil
		case err != nil && !errors.Is(err, ErrNoMark):
			return m, false, err
		}
	}
	m.File = fmt.Sprintf("%s-%d", sum, trust)
	w.importer.mu.Lock()
	defer w.importer.mu.Unlock()
	skip = w.claimed[m.File] // there is a copy of it
	w.claimed[m.File] = true
	return m, skip, nil
}

var errLeftOut = errors.New("left out")

// records reads what the ledger does not have yet.
func (w *worker) records(ctx context.Context, log cloudtrail.LogFile, in io.ReadSeeker, trust Trust, m *Mark) (Counts, error) {
	counts := Counts{}
	skip := m.Records
	m.From, m.Records, m.At = skip, 0, SecondOf(w.now())
	w.a.file()
	first := true
	for w.reader.Reset(in); ; first = false {
		reason := Counted
		if err := w.reader.Next(&w.fields); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			if first {
				switch out, readOn := log.LeftOut(&w.reader, err); {
				case out:
					w.leftOut(log.Path, err)
					return nil, errLeftOut
				case readOn:
					if _, err := in.Seek(0, io.SeekStart); err != nil {
						m.Damage = err.Error()
						break
					}
					w.reader.Reset(in)
					continue
				}
			}
			if reason = reasonOf(err); reason == Unreadable && m.Damage == "" {
				m.Damage = fmt.Sprintf("line %d: %v", w.reader.Line(), err)
			}
			if !w.reader.Whole() {
				m.Damage = cmp.Or(m.Damage, err.Error())
				break
			}
		}
		if m.Records++; m.Records <= skip {
			continue
		}
		if reason == Counted {
			reason = w.a.add(&w.fields, trust)
		}
		counts[reason]++
		if reason.Lost() && !reason.placed() {
			m.Lost++ // the others are noted where they were
		}
		if m.Records%4096 == 0 {
			if err := w.pause(ctx, m); err != nil {
				return counts, err
			}
		}
	}
	m.Done = true
	w.marks = append(w.marks, *m)
	return counts, nil
}

// pause writes down a part of a very large file.
func (w *worker) pause(ctx context.Context, m *Mark) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if w.a.size <= w.limit {
		return nil
	}
	w.marks = append(w.marks, *m)
	m.From = m.Records
	return w.flush(ctx)
}

// done counts a file.
func (w *worker) done(path string, trust Trust, counts Counts, skipped bool) {
	w.importer.mu.Lock()
	defer w.importer.mu.Unlock()
	r := &w.report
	if skipped {
		r.Skipped++
	} else {
		r.Files++
		if trust == Verified {
			r.Verified++
		}
	}
	r.Records += counts.Total()
	r.Counts.add(counts)
	w.tell(path)
}

// damaged notes a file that cannot be read, or not to its end.
func (w *worker) damaged(path string, err error) {
	w.importer.mu.Lock()
	defer w.importer.mu.Unlock()
	w.report.Damaged = append(w.report.Damaged, cloudtrail.Unread{File: path, Why: err.Error()})
}

// leftOut notes a file that holds no events of CloudTrail.
func (w *worker) leftOut(path string, err error) {
	w.importer.mu.Lock()
	defer w.importer.mu.Unlock()
	w.report.leaveOut(cloudtrail.Unread{File: path, Why: err.Error()})
	w.tell(path)
}

func (i *importer) tell(path string) {
	i.finished++
	if i.cfg.Progress != nil {
		i.cfg.Progress(Progress{i.finished, i.total, path})
	}
}
