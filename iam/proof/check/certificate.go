// Package check reads certificates and decides independently whether what they say
// is true. It shares no code with the engine that made them but the parser of
// policies (dera/iam/policy): languages are compared by derivatives, statements
// one by one, without search, caches or solver. Where it cannot follow, it
// rejects.
package check

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Format is the first line of defence against reading something else.
const Format = "dera certificate 1"

// The purposes of a certificate.
const (
	// Subset: the new policies grant nothing that the old ones do not.
	Subset = "subset"
	// Narrow: and nothing of what is kept is lost, all that is removed is gone,
	// and a request shows that this is not nothing.
	Narrow = "narrow"
	// Scope: and what was removed was not used, as far as CloudTrail shows it.
	Scope = "scope"
)

// The claims, in the order in which they stand.
const (
	NothingNew      = "nothing-new"       // new ⊆ old
	NothingNewAlone = "nothing-new-alone" // the same without what stands beside
	NothingLost     = "nothing-lost"      // old, for the actions kept ⊆ new
	Gone            = "gone"              // new allows none of what is removed
)

// Claims lists the claims that a certificate of a purpose makes.
func Claims(purpose string, beside bool) []string {
	out := []string{NothingNew}
	if beside {
		out = append(out, NothingNewAlone)
	}
	if purpose != Subset {
		out = append(out, NothingLost, Gone)
	}
	return out
}

// Semantics names the readings of AWS's documentation under which every claim
// holds: all combinations of the choices.
func Semantics() []string {
	return []string{
		"Null takes notice of a set operator, or none",
		"a value of another type does not fulfil a negated operator, or does",
		"an empty text is a value, or absent, for Null and the set operators",
		"case is disregarded for all letters, or for a to z",
		"keys of unknown type carry one value, or many",
		"short ARNs are completed, or taken to the letter",
		"a variable without value matches nothing, or voids its statement",
		"wildcards in resources stay within a part of the ARN, or cross colons",
	}
}

// Certificate is the evidence for one change. Fields stand in the order of
// their names, as canonical JSON wants them.
type Certificate struct {
	Beside    []Document `json:"beside"`    // attached too, before and after
	Catalogue string     `json:"catalogue"` // that the change was made with
	Claims    []Claim    `json:"claims"`
	Digest    string     `json:"digest"` // of everything else
	Events    string     `json:"events"` // digest of the record of use
	Format    string     `json:"format"`
	Kept      []string   `json:"kept"` // actions
	New       []Document `json:"new"`
	Old       []Document `json:"old"`
	Prelude   []byte     `json:"prelude"` // SMT-LIB before that of each claim, gzip in base64
	Purpose   string     `json:"purpose"`
	Removed   []string   `json:"removed"` // entries as in an Action list
	Semantics []string   `json:"semantics"`
	Unused    *Unused    `json:"unused,omitempty"`
	Unwritten string     `json:"unwritten"` // why there is no SMT-LIB
	Window    Window     `json:"window"`
	Witness   *Request   `json:"witness"` // allowed before, not after
}

// Document is a policy with its digest.
type Document struct {
	SHA256 string `json:"sha256"`
	Text   string `json:"text"`
}

// NewDocument computes the digest.
func NewDocument(text string) Document { return Document{sum([]byte(text)), text} }

// Claim is one claim and how to ask a solver about it: unsat means that it
// holds.
type Claim struct {
	Claim  string `json:"claim"`
	SMTLIB string `json:"smtlib"`
}

// Window is the time in which use was watched, RFC 3339 in UTC; empty when none
// was.
type Window struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Request is a concrete request.
type Request struct {
	Action   string              `json:"action"`
	Context  map[string][]string `json:"context"`
	Resource string              `json:"resource"`
}

// sum is the SHA-256 of some data in pieces.
func sum(data ...[]byte) string {
	h := sha256.New()
	for _, d := range data {
		h.Write(d)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Encode writes the certificate as canonical JSON with a line feed at the end,
// and sets its digest. The keys stand in order, without white space; this is
// RFC 8785 but for U+2028 and U+2029, which are escaped.
func (c *Certificate) Encode() ([]byte, error) {
	c.Digest = ""
	bare, err := c.encode()
	if err != nil {
		return nil, err
	}
	c.Digest = sum(bare)
	before, after, _ := bytes.Cut(bare, []byte(digestField+`"`))
	return slices.Concat(before, []byte(digestField+c.Digest+`"`), after), nil
}

// digestField comes before the digest. No text within the certificate can look
// like it, because a quote within a text has a backslash before it, and no other
// field of this name is a text.
const digestField = `"digest":"`

func (c *Certificate) encode() ([]byte, error) {
	var b bytes.Buffer
	err := c.write(&b)
	return b.Bytes(), err
}

func (c *Certificate) write(to io.Writer) error {
	e := json.NewEncoder(to)
	e.SetEscapeHTML(false)
	if err := e.Encode(c); err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	return nil
}

// comparison tells whether exactly the data that it begins with is written to it.
type comparison struct {
	left  []byte
	other bool
}

func (c *comparison) Write(p []byte) (int, error) {
	var same bool
	if c.left, same = bytes.CutPrefix(c.left, p); !same {
		c.other = true
	}
	return len(p), nil
}

// Parse reads a certificate and checks everything about it but the claims:
// that it is canonical, and that the digests are right.
func Parse(data []byte) (*Certificate, error) {
	var c Certificate
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	again := comparison{left: data}
	if err := c.write(&again); err != nil {
		return nil, err
	}
	if again.other || len(again.left) > 0 {
		return nil, errors.New("this is no certificate in canonical form")
	}
	if c.Format != Format {
		return nil, fmt.Errorf("the format is %q, want %q", c.Format, Format)
	}
	// What was read is canonical, so it has the digest once, as it is written.
	before, after, _ := bytes.Cut(data, []byte(digestField))
	after = bytes.TrimPrefix(after, []byte(c.Digest))
	if d := sum(before, []byte(digestField), after); d != c.Digest {
		return nil, fmt.Errorf("the digest is %s, the certificate says %s", d, c.Digest)
	}
	for _, list := range [][]Document{c.Beside, c.Old, c.New} {
		for _, doc := range list {
			if got := sum([]byte(doc.Text)); got != doc.SHA256 {
				return nil, fmt.Errorf("the digest of a policy is %s, the certificate says %s", got, doc.SHA256)
			}
		}
	}
	return &c, nil
}
