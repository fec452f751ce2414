package app

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"dera.example/dera/store"
)

const (
	leastPrefix = 4  // characters after the dash of a prefix
	mostMatches = 10 // that an ambiguous prefix lists
)

// Resolver is what Resolve reads.
type Resolver interface {
	FindingIDs(ctx context.Context, prefix string, most int) ([]string, error)
	RemediationIDs(ctx context.Context, prefix string, most int) ([]string, error)
}

// PrefixError means that the beginning of an ID does not name one finding or
// remediation: it is too short, or several begin like that.
type PrefixError struct {
	Prefix  string
	Matches []string // none where it is too short
	More    bool     // there are others beside the matches
}

// Error implements error.
func (e *PrefixError) Error() string {
	if len(e.Matches) == 0 {
		return fmt.Sprintf("%q is too short: write the whole ID, or at least its first %d characters after the dash", e.Prefix, leastPrefix)
	}
	more := ""
	if e.More {
		more = ", …"
	}
	return fmt.Sprintf("%q is ambiguous, more than one ID begins with it: %s%s", e.Prefix, strings.Join(e.Matches, ", "), more)
}

// IDError means that a text is no ID. It is a store.ErrNotFound.
type IDError struct{ Text string }

// Error implements error.
func (e *IDError) Error() string {
	return fmt.Sprintf("%q is not an ID of a finding (f-…) or a remediation (r-…)", e.Text)
}

// Is makes it a store.ErrNotFound.
func (e *IDError) Is(target error) bool { return target == store.ErrNotFound }

// Resolve returns the whole ID of the finding (f-…) or remediation (r-…) that the
// text is the ID or the beginning of. A whole ID always wins. It returns a
// [PrefixError] or store.ErrNotFound where the text names none.
func Resolve(ctx context.Context, from Resolver, text string) (string, error) {
	kind, list := "remediation", from.RemediationIDs
	if strings.HasPrefix(text, "f-") {
		kind, list = "finding", from.FindingIDs
	}
	form := regexp.MustCompile(`^[fr]-([0-9a-f]+)$`).FindStringSubmatch(text)
	if form == nil {
		return text, &IDError{text}
	}
	ids, err := list(ctx, text, mostMatches+1)
	switch {
	case err != nil:
		return text, err
	case len(ids) > 0 && ids[0] == text: // in order, so that it is the first
		return text, nil
	case len(form[1]) < leastPrefix:
		return text, &PrefixError{Prefix: text}
	case len(ids) == 0:
		return text, fmt.Errorf("%s %q: %w", kind, text, store.ErrNotFound)
	case len(ids) == 1:
		return ids[0], nil
	case len(ids) > mostMatches:
		return text, &PrefixError{text, ids[:mostMatches], true}
	}
	return text, &PrefixError{text, ids, false}
}
