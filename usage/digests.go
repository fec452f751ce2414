package usage

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"dera.example/dera/cloudtrail"
)

// digests are the digest files of an import whose signature holds.
//
// CloudTrail keeps the signature of a digest file in the metadata of its S3
// object, which a copy on disk has lost; but each digest file also holds the
// signature of the one before it. A signature proves what it signs wherever it
// comes from, so only the newest digest of a chain needs a FILE.signature beside
// it, without which that one stays unverified.
type digests struct {
	files  map[string]string // hash by base name of a log file
	good   []goodDigest
	broken []Broken

	mu   sync.Mutex
	here map[string]bool // base names of log files that were compared
}

type goodDigest struct {
	cloudtrail.Digest
	region, trail string
}

// Broken is a stretch of time for which the chain of digests proves nothing.
type Broken struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	From    Second `json:"from"`
	To      Second `json:"to"`
	Why     string `json:"why"`
}

// maxDigest bounds a digest file, unpacked.
const maxDigest = 64 << 20

// readDigests reads and verifies digest files. Without keys it reads none.
func readDigests(paths []string, keys cloudtrail.PublicKeys) *digests {
	d := &digests{files: map[string]string{}, here: map[string]bool{}}
	if len(keys) == 0 {
		return d
	}
	var all []goodDigest
	signatures := map[string]string{} // by object
	for _, p := range paths {
		g, err := readDigest(p)
		if err != nil {
			d.broken = append(d.broken, brokenName(p, err))
			continue
		}
		all = append(all, g)
		if g.PreviousObject != "" {
			signatures[g.PreviousBucket+"/"+g.PreviousObject] = g.PreviousSignature
		}
		if text, err := os.ReadFile(p + ".signature"); err == nil {
			signatures[g.Bucket+"/"+g.Object] = strings.TrimSpace(string(text))
		}
	}
	for _, g := range all {
		signature, ok := signatures[g.Bucket+"/"+g.Object]
		err := fmt.Errorf("nothing holds the signature of %s", path.Base(g.Object))
		if ok {
			err = keys.Verify(g.Digest, signature)
		}
		if err != nil {
			d.broken = append(d.broken, Broken{g.Account, g.region, SecondOf(g.Start), SecondOf(g.End), err.Error()})
			continue
		}
		d.good = append(d.good, g)
		for _, f := range g.Files {
			if f.Kind == "" || f.Kind == "SHA-256" {
				d.files[path.Base(f.Object)] = f.Hash
			}
		}
	}
	d.chain()
	return d
}

func readDigest(p string) (goodDigest, error) {
	f, err := os.Open(p)
	if err != nil {
		return goodDigest{}, err
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(p, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return goodDigest{}, err
		}
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxDigest))
	if err != nil {
		return goodDigest{}, err
	}
	g := goodDigest{}
	if g.Digest, err = cloudtrail.ParseDigest(raw); err != nil {
		return goodDigest{}, err
	}
	g.region, g.trail, err = digestName(g.Object)
	return g, err
}

// digestName reads region and trail out of ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOME_TIME.json.gz.
func digestName(object string) (region, trail string, err error) {
	_, rest, ok := strings.Cut(path.Base(object), "_CloudTrail-Digest_")
	region, rest, more := strings.Cut(rest, "_")
	i := strings.LastIndexByte(rest, '_')
	if !ok || !more || i < 0 {
		return "", "", fmt.Errorf("digest file has the name %q", path.Base(object))
	}
	return region, rest[:i], nil
}

// brokenName is what the name of an unreadable digest file tells.
func brokenName(p string, err error) Broken {
	b := Broken{Why: fmt.Sprintf("%s cannot be read: %v", filepath.Base(p), err)}
	b.Account, _, _ = strings.Cut(filepath.Base(p), "_")
	b.Region, _, _ = digestName(filepath.ToSlash(p))
	if i := strings.LastIndexByte(p, '_'); i >= 0 {
		if t, err := time.Parse("20060102T150405Z", strings.TrimSuffix(strings.TrimSuffix(p[i+1:], ".gz"), ".json")); err == nil {
			b.From, b.To = SecondOf(t.Add(-time.Hour)), SecondOf(t)
		}
	}
	return b
}

// chain finds where a digest does not follow the one before it.
func (d *digests) chain() {
	slices.SortFunc(d.good, func(a, b goodDigest) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.region, b.region), strings.Compare(a.trail, b.trail), a.End.Compare(b.End))
	})
	for i := 1; i < len(d.good); i++ {
		a, b := d.good[i-1], d.good[i]
		if a.Account != b.Account || a.region != b.region || a.trail != b.trail || b.follows(a) {
			continue
		}
		d.broken = append(d.broken, Broken{
			b.Account, b.region, SecondOf(a.End), SecondOf(b.Start),
			fmt.Sprintf("digest %s does not follow %s: one between them is missing or was changed", path.Base(b.Object), path.Base(a.Object)),
		})
	}
}

// follows reports whether a is what g says was before it, without a hole.
func (g goodDigest) follows(a goodDigest) bool {
	return g.PreviousObject == a.Object && g.PreviousBucket == a.Bucket && g.PreviousHash == a.Hash() && !g.Start.After(a.End)
}

// of returns the hash that a log file must have.
func (d *digests) of(file string) (hash string, ok bool) {
	hash, ok = d.files[filepath.Base(file)]
	return hash, ok
}

// found notes that a log file is the one that was delivered.
func (d *digests) found(file string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.here[filepath.Base(file)] = true
}

// conclude says, after all log files were read, what the digests prove: which
// hours are complete, and where they are not.
func (d *digests) conclude(at Second) ([]Fact, []Hours, error) {
	hours := map[place]*Hours{}
	for i := 0; i < len(d.good); {
		// A stretch is a chain of digests whose log files are all here.
		g := d.good[i]
		j := i
		if missing := d.missing(g); missing > 0 {
			d.broken = append(d.broken, Broken{
				g.Account, g.region, SecondOf(g.Start), SecondOf(g.End),
				fmt.Sprintf("%d of %d log files of %s are missing or were changed", missing, len(g.Files), path.Base(g.Object)),
			})
			i++
			continue
		}
		for j+1 < len(d.good) && d.good[j+1].trail == g.trail && d.good[j+1].follows(d.good[j]) && d.missing(d.good[j+1]) == 0 {
			j++
		}
		last := SecondOf(d.good[j].End)
		for h := (SecondOf(g.Start) + 3599) / 3600 * 3600; h+3600 <= last; h += 3600 {
			t := h.Time()
			hoursOf(hours, g.Account, g.region, t, func() {}).set((t.Day()-1)*24+t.Hour(), true)
		}
		i = j + 1
	}
	var facts []Fact
	for _, b := range d.broken {
		f, err := newFact(factDigest, fmt.Sprintf("%s/%s/%d/%d/%s", b.Account, b.Region, b.From, b.To, b.Why), max(b.From, 1), b)
		if err != nil {
			return nil, nil, err
		}
		facts = append(facts, f)
	}
	var list []Hours
	for _, h := range hours {
		list = append(list, *h)
	}
	return facts, list, nil
}

func (d *digests) missing(g goodDigest) int {
	n := 0
	for _, f := range g.Files {
		if !d.here[path.Base(f.Object)] {
			n++
		}
	}
	return n
}
