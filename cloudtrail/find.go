package cloudtrail

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// LogFile is a file that may hold recorded CloudTrail.
type LogFile struct {
	Path  string
	named bool // by a person, not found in a folder
}

// Unread is a file that was left out or could not be read, and why.
type Unread struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

// LogFiles are the files that a path holds.
type LogFiles struct {
	Logs    []LogFile
	Digests []string
	LeftOut []Unread
	Failed  []Unread // folders and links that could not be followed
}

// FindLogs lists the files of a path: itself, or what a folder holds at any depth,
// in lexical order. Whether one holds CloudTrail is detected by its content, when it is
// read; digest files and CloudTrail's insights hold no calls.
func FindLogs(path string) (LogFiles, error) {
	var out LogFiles
	info, err := os.Stat(path)
	if err != nil {
		return out, fmt.Errorf("find log files: %w", err)
	}
	if !info.IsDir() {
		if strings.Contains(filepath.Base(path), "_CloudTrail-Digest_") {
			out.Digests = []string{path}
		} else {
			out.Logs = []LogFile{{path, true}}
		}
		return out, nil
	}
	if link, err := os.Lstat(path); err == nil && link.Mode()&fs.ModeSymlink != 0 {
		path += string(filepath.Separator) // a link that was named is followed
	}
	err = filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			out.Failed = append(out.Failed, Unread{name, err.Error()})
			return nil
		}
		if entry.Type()&fs.ModeSymlink != 0 {
			to, err := os.Stat(name)
			switch {
			case err != nil:
				out.Failed = append(out.Failed, Unread{name, err.Error()})
				return nil
			case to.IsDir():
				out.LeftOut = append(out.LeftOut, Unread{name, "a link to a folder"})
				return nil
			}
		}
		if !entry.IsDir() {
			out.add(path, name, entry.Type())
		}
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("find log files: %w", err)
	}
	return out, nil
}

func (out *LogFiles) add(root, name string, kind fs.FileMode) {
	inside, err := filepath.Rel(root, name)
	if err != nil {
		inside = name
	}
	folders := strings.Split(filepath.ToSlash(inside), "/")
	folders = folders[:len(folders)-1]
	switch {
	case !kind.IsRegular() && kind&fs.ModeSymlink == 0:
		out.LeftOut = append(out.LeftOut, Unread{name, "not a file"})
	case strings.HasSuffix(name, ".signature"): // beside a digest file
	case strings.Contains(filepath.Base(name), "_CloudTrail-Digest_"), slices.Contains(folders, "CloudTrail-Digest"):
		out.Digests = append(out.Digests, name)
	case logName.MatchString(filepath.Base(name)): // wherever it was copied to
		out.Logs = append(out.Logs, LogFile{name, false})
	case slices.ContainsFunc(folders, func(f string) bool {
		return strings.HasPrefix(f, "CloudTrail-Insight") || strings.HasPrefix(f, "CloudTrail-Aggregated")
	}):
		out.LeftOut = append(out.LeftOut, Unread{name, "CloudTrail's insights and aggregated events, which are no calls"})
	case neighbour(name) != "":
		out.LeftOut = append(out.LeftOut, Unread{name, "files of " + neighbour(name) + ", which hold no calls"})
	default:
		out.Logs = append(out.Logs, LogFile{name, false})
	}
}

// accountFolder is the folder of an account in a bucket of logs, and what follows it:
// AWSLogs/ACCOUNT/SERVICE/… or AWSLogs/o-ORGANISATION/ACCOUNT/SERVICE/…
var accountFolder = regexp.MustCompile(`(?:^|/)AWSLogs/(?:o-[a-z0-9]{10,32}/)?(\d{12})/([^/]+)/`)

// neighbour is the service whose files lie beside those of CloudTrail in a bucket
// (AWS Config, VPC flow logs, load balancers …), or "".
func neighbour(name string) string {
	m := accountFolder.FindStringSubmatch(filepath.ToSlash(name))
	if m == nil || strings.HasPrefix(m[2], "CloudTrail") {
		return ""
	}
	return m[2]
}

// LogPlace is which events a log file can hold, as its name says.
type LogPlace struct {
	Account, Region string
	From, To        time.Time
}

// logName is the name of a log file (CloudTrail user guide, "CloudTrail log file name
// format").
var logName = regexp.MustCompile(`(\d{12})_CloudTrail_([a-z0-9-]{5,32})_(\d{8}T\d{4}Z)_[^/]*$`)

// latest is how long after an event its log file may come, at most: CloudTrail
// retries a delivery that fails for 30 days, and says nothing closer.
const latest = 30 * 24 * time.Hour

// LogPlaceOf reads the name of a log file.
func LogPlaceOf(name string) (LogPlace, bool) {
	m := logName.FindStringSubmatch(filepath.ToSlash(name))
	if m == nil {
		return LogPlace{}, false
	}
	at, err := time.Parse("20060102T1504Z", m[3])
	if err != nil {
		return LogPlace{}, false
	}
	return LogPlace{m[1], m[2], at.Add(-latest), at.Add(time.Hour)}, true
}

// LeftOut reports whether a file holds no events of CloudTrail, and is so nothing
// that is missing: reader gave err as the first thing of it. What a person named, or
// what is called like a log file, is missing. To find out, reader may have read on.
func (f LogFile) LeftOut(reader *LogReader, err error) (out, readOn bool) {
	switch {
	case f.named:
		return false, false
	case errors.Is(err, errOther):
		return true, false
	case slices.Contains([]string{".json", ".jsonl", ".ndjson"}, filepath.Ext(strings.TrimSuffix(f.Path, ".gz"))):
		return false, false
	}
	var fields Fields
	for ; !errors.Is(err, io.EOF); err = reader.Next(&fields) {
		foreign := errors.Is(err, ErrNotLog) || errors.Is(err, ErrNotCloudTrail) || errors.Is(err, ErrNotJSON) || errors.Is(err, errSyntax)
		if !foreign || errors.Is(err, ErrOtherEvent) {
			return false, true
		}
	}
	return true, true
}
