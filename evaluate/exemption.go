package evaluate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// Limits of an exemption list.
const (
	maxExemptionFile    = 1 << 20             // bytes
	exemptionExpiresDue = 14 * 24 * time.Hour // before expiry, when a warning begins
	defaultExemptionAge = 366                 // days ahead that an expiry is not warned of
)

// ExemptionConfig says how an exemption list is read. Its zero value is good
// but for Now.
type ExemptionConfig struct {
	// Now decides what has expired and what soon will.
	Now time.Time
	// Commit names the version of the file, for example a git commit; the
	// SHA-256 of its text if empty.
	Commit string
	// MaxDays is how many days ahead an expiry may lie without a warning; 366 if
	// zero.
	MaxDays int
	// Controls are the IDs of all controls. An exemption for a control that is
	// not among them is warned of; nothing is checked if empty.
	Controls []string
	// Types are the resource types, and On the controls on each by its name. A list
	// that exempts every resource of a type from all of them is warned of.
	Types resource.Registry
	On    map[string][]string
}

// Exemptions is a list that was read as a whole: one wrong entry and there is
// none. It is not changed after the read and safe for concurrent use.
type Exemptions struct {
	// Commit names the version of the file; decisions record it.
	Commit string
	// Warnings are what a person should look at soon: entries that expire within
	// 14 days or only after more than a year, and controls that do not exist.
	Warnings []ExemptionProblem

	list []dera.Exemption
	keep []Keep
	now  time.Time
}

// Load reads the list at path. An error means that nothing is known of what is
// exempt, so the caller must act on nothing; it is an *ExemptionError with the
// position of every fault where the file could be read.
func (c ExemptionConfig) Load(path string) (*Exemptions, error) {
	text, err := readExemptionFile(path)
	if err != nil {
		return nil, fmt.Errorf("load exemptions: %w", err)
	}
	return c.Parse(path, text)
}

// Parse reads the text of a list; path is for positions only.
func (c ExemptionConfig) Parse(path string, text []byte) (*Exemptions, error) {
	out := &Exemptions{Commit: c.Commit, now: c.Now}
	if out.Commit == "" {
		sum := sha256.Sum256(text)
		out.Commit = "sha256:" + hex.EncodeToString(sum[:])
	}
	if c.MaxDays == 0 {
		c.MaxDays = defaultExemptionAge
	}
	r := &exemptionReader{cfg: c, file: path, commit: out.Commit, ids: map[string]int{}}
	out.list, out.keep = r.read(text)
	if len(r.problems) > 0 {
		return nil, &ExemptionError{Problems: r.problems}
	}
	r.warnWide(out.list)
	out.Warnings = r.warnings
	return out, nil
}

// readExemptionFile reads a regular file of bounded size.
func readExemptionFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err // it names the path
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder, must be a file", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, maxExemptionFile+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(text) > maxExemptionFile {
		return nil, fmt.Errorf("%s is larger than 1 MiB", path)
	}
	return text, nil
}

// All returns every entry in the order of the file, expired ones included.
func (e *Exemptions) All() []dera.Exemption { return slices.Clone(e.list) }

// Expired returns the entries that had lapsed when the list was read. They
// exempt nothing and wait for their removal.
func (e *Exemptions) Expired() []dera.Exemption {
	var out []dera.Exemption
	for _, x := range e.list {
		if lapsed(x, e.now) {
			out = append(out, x)
		}
	}
	return out
}

// lapsed reports whether x has lapsed: an exemption holds up to and including
// the moment that it names.
func lapsed(x dera.Exemption, now time.Time) bool { return now.After(x.Expires) }
