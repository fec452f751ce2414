package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"dera.example/dera/cloudtrail"
)

// Raw is one event as it stands in a file: a CloudTrail record or an EventBridge
// envelope, its JSON unjudged.
type Raw struct {
	Body []byte
	File string
	Line int // where it begins, from 1
}

// Position is file:line.
func (r Raw) Position() string { return fmt.Sprintf("%s:%d", r.File, r.Line) }

// FilesExcept reads recorded events from files and folders, in every form that
// cloudtrail.LogReader reads. A file of a folder that holds no events of CloudTrail
// is left out, and reported to leftOut.
//
// An error comes with the file and the line of its Raw; reading then goes on
// behind it where that is safe, else with the next file. Memory is bounded: one
// record, at most as large as Decode takes, whatever the size of the file.
func FilesExcept(leftOut func(cloudtrail.Unread), paths ...string) iter.Seq2[Raw, error] {
	return func(yield func(Raw, error) bool) {
		r := fileReader{leftOut: leftOut, yield: yield}
		for _, path := range paths {
			if !r.path(path) {
				return
			}
		}
	}
}

// fileReader reads one file after the other.
type fileReader struct {
	cloudtrail.LogReader
	leftOut func(cloudtrail.Unread)
	yield   func(Raw, error) bool
}

// path reads a file or a folder; it reports whether to go on.
func (r *fileReader) path(path string) bool {
	found, err := cloudtrail.FindLogs(path)
	if err != nil {
		return r.yield(Raw{File: path}, fmt.Errorf("read events: %w", err))
	}
	for _, f := range found.Failed {
		if !r.yield(Raw{File: f.File}, fmt.Errorf("read events: %s", f.Why)) {
			return false
		}
	}
	for _, name := range found.Digests {
		found.LeftOut = append(found.LeftOut, cloudtrail.Unread{File: name, Why: "a digest file, which holds no events"})
	}
	for _, f := range found.LeftOut {
		r.leftOut(f)
	}
	for _, f := range found.Logs {
		if !r.file(f) {
			return false
		}
	}
	if len(found.Logs)+len(found.LeftOut)+len(found.Failed) == 0 {
		return r.yield(Raw{File: path}, fmt.Errorf("read events: folder %s is empty", path))
	}
	return true
}

func (r *fileReader) file(file cloudtrail.LogFile) bool {
	in, err := os.Open(file.Path)
	if err != nil {
		return r.yield(Raw{File: file.Path}, fmt.Errorf("read events: %w", err))
	}
	defer in.Close()
	r.Reset(in)
	var f cloudtrail.Fields
	for first := true; ; first = false {
		err := r.Next(&f)
		if errors.Is(err, io.EOF) {
			return true
		}
		at := Raw{File: file.Path, Line: r.Line()}
		if err != nil && first {
			switch out, readOn := file.LeftOut(&r.LogReader, err); {
			case out:
				r.leftOut(cloudtrail.Unread{File: file.Path, Why: err.Error()})
				return true
			case readOn:
				if _, err := in.Seek(0, io.SeekStart); err != nil {
					return r.yield(at, fmt.Errorf("read events: %w", err))
				}
				r.Reset(in)
				continue
			}
		}
		switch {
		case errors.Is(err, cloudtrail.ErrNotCloudTrail) && !errors.Is(err, cloudtrail.ErrOtherEvent) && r.Raw() != nil:
			at.Body, err = bytes.Clone(r.Raw()), nil // whoever decodes it says what is wrong
		case err != nil:
			err = fmt.Errorf("read events: %s: %w", at.Position(), err)
		default:
			at.Body = bytes.Clone(r.Raw())
		}
		if !r.yield(at, err) {
			return false
		}
	}
}
