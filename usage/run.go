package usage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/klauspost/compress/s2"

	"dera.example/dera/cloudtrail"
)

// Parts is into how many parts the ledger is split. It is fixed: a principal's
// part follows from its key.
const Parts = 256

// Part is where a principal is kept.
func Part(key string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // cannot fail
	return int(h.Sum32() % Parts)
}

// A run is a sorted list of activities, packed: what one flush knew of one part.
// Reading a part merges its runs; compaction writes the merger back as one.
const (
	runVersion = 1
	maxRun     = 1 << 30 // unpacked
)

var errRun = errors.New("run of the usage ledger is damaged")

// encodeRun packs activities, which are sorted by key, with their uses sorted.
func encodeRun(list []Activity) []byte {
	uses := 0
	for _, a := range list {
		uses += len(a.Uses)
	}
	e := encoder{out: make([]byte, 0, 64*len(list)+96*uses)}
	e.number(uint64(len(list)))
	for _, a := range list {
		e.text(a.Key)
		e.text(a.ARN)
		e.number(uint64(a.Kind))
		e.number(uint64(a.SessionEnd))
		e.number(uint64(len(a.Uses)))
		for _, u := range a.Uses {
			e.use(u)
		}
	}
	return append([]byte{runVersion}, s2.EncodeBetter(nil, e.out)...)
}

// encoder writes texts as their difference from the one before at that place.
type encoder struct {
	out  []byte
	last string
}

func (e *encoder) number(n uint64) { e.out = binary.AppendUvarint(e.out, n) }

func (e *encoder) text(s string) {
	same := 0
	for same < len(s) && same < len(e.last) && s[same] == e.last[same] {
		same++
	}
	e.number(uint64(same))
	e.number(uint64(len(s) - same))
	e.out = append(e.out, s[same:]...)
	e.last = s
}

func (e *encoder) use(u Use) {
	e.text(u.Action.Source)
	e.text(u.Action.Name)
	flags := uint64(u.Trust)
	if u.More {
		flags |= 2
	}
	for _, n := range []uint64{
		flags, uint64(u.First), uint64(u.Last), u.Count, uint64(u.Succeeded), uint64(u.LastDenied), u.Denied, uint64(len(u.Resources)),
	} {
		e.number(n)
	}
	for _, r := range u.Resources {
		e.text(r)
	}
}

// decodeRun reads what encodeRun wrote.
func decodeRun(run []byte) ([]Activity, error) {
	if len(run) == 0 || run[0] != runVersion {
		return nil, fmt.Errorf("%w: unknown version", errRun)
	}
	if n, err := s2.DecodedLen(run[1:]); err != nil || n > maxRun {
		return nil, errRun
	}
	raw, err := s2.Decode(nil, run[1:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRun, err)
	}
	texts, ok := allTexts(raw)
	if !ok {
		return nil, errRun
	}
	d := decoder{raw: raw, texts: texts}
	n := d.count()
	out := make([]Activity, 0, min(n, 1<<16))
	for range n {
		if out = append(out, d.activity()); d.bad {
			return nil, errRun
		}
	}
	if d.bad || len(d.raw) > 0 {
		return nil, errRun
	}
	return out, nil
}

// texts are the texts of a run in order: pieces of one string, for one each would
// cost more than all the rest.
type texts struct {
	all  string
	ends []uint32
	next int
}

// allTexts walks through a run for its texts alone.
func allTexts(raw []byte) (*texts, bool) {
	d := decoder{raw: raw, gather: &gathered{}}
	for range d.count() {
		if d.bad {
			break
		}
		d.activity()
	}
	return &texts{all: string(d.gather.buf), ends: d.gather.ends}, !d.bad
}

func (t *texts) take() string {
	from := uint32(0)
	if t.next > 0 {
		from = t.ends[t.next-1]
	}
	t.next++
	return t.all[from:t.ends[t.next-1]]
}

// gathered is what a walk for texts has found.
type gathered struct {
	buf  []byte
	ends []uint32
	last int // where the last text begins
}

// maxTexts bounds the texts of a run, which are its unpacked size again and, by
// what they share, more.
const maxTexts = 1 << 30

func (g *gathered) add(same uint64, more []byte) bool {
	if same > uint64(len(g.buf)-g.last) || len(g.buf)+int(same)+len(more) > maxTexts {
		return false
	}
	begin := len(g.buf)
	g.buf = append(g.buf, g.buf[g.last:g.last+int(same)]...)
	g.buf = append(g.buf, more...)
	g.last = begin
	g.ends = append(g.ends, uint32(len(g.buf)))
	return true
}

// decoder reads a run: once to gather its texts, and then to make of it what it
// is, with these texts.
type decoder struct {
	raw    []byte
	gather *gathered // nil the second time
	texts  *texts
	bad    bool
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.raw)
	if size <= 0 {
		d.bad = true
		return 0
	}
	d.raw = d.raw[size:]
	return n
}

// count is a number of things that follow, each of at least one byte.
func (d *decoder) count() int {
	n := d.number()
	if n > uint64(len(d.raw)) {
		d.bad = true
		return 0
	}
	return int(n)
}

func (d *decoder) text() string {
	same, more := d.number(), d.number()
	if d.bad || more > uint64(len(d.raw)) {
		d.bad = true
		return ""
	}
	tail := d.raw[:more]
	d.raw = d.raw[more:]
	if d.gather != nil {
		d.bad = !d.gather.add(same, tail)
		return ""
	}
	return d.texts.take()
}

func (d *decoder) activity() Activity {
	a := Activity{Key: d.text(), ARN: d.text(), Kind: cloudtrail.PrincipalKind(d.number()), SessionEnd: Second(d.number())}
	n := d.count()
	if d.gather == nil {
		a.Uses = make([]Use, 0, min(n, 1<<12))
	}
	for range n {
		u := d.use()
		if d.bad {
			break
		}
		if d.gather == nil {
			a.Uses = append(a.Uses, u)
		}
	}
	return a
}

func (d *decoder) use() Use {
	u := Use{Action: Action{d.text(), d.text()}}
	flags := d.number()
	u.Trust, u.More = Trust(flags&1), flags&2 != 0
	u.First, u.Last, u.Count = Second(d.number()), Second(d.number()), d.number()
	u.Succeeded, u.LastDenied, u.Denied = Second(d.number()), Second(d.number()), d.number()
	n := d.count()
	if n > MaxResources {
		d.bad = true
	}
	if d.gather == nil && n > 0 && !d.bad {
		u.Resources = make([]string, 0, n)
	}
	for range n {
		if d.bad {
			break
		}
		if r := d.text(); d.gather == nil {
			u.Resources = append(u.Resources, r)
		}
	}
	return u
}

// MergeRuns merges runs of one part into one. Principals that were last seen
// before the cutoff are left out; 0 keeps all. The answer is nil for nothing.
func MergeRuns(runs [][]byte, cutoff Second) ([]byte, error) {
	list, err := mergeRuns(runs, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	if cutoff > 0 {
		list = retain(list, cutoff)
	}
	if len(list) == 0 {
		return nil, nil
	}
	return encodeRun(list), nil
}

// retain drops uses, and principals without any, that ended before the cutoff.
func retain(list []Activity, cutoff Second) []Activity {
	for i := range list {
		list[i].Uses = slices.DeleteFunc(list[i].Uses, func(u Use) bool { return max(u.Last, u.LastDenied) < cutoff })
	}
	return slices.DeleteFunc(list, func(a Activity) bool { return len(a.Uses) == 0 && a.SessionEnd < cutoff })
}

// mergeRuns returns the activities of the wanted principals, sorted by key.
func mergeRuns(runs [][]byte, want func(key string) bool) ([]Activity, error) {
	var all []Activity
	for _, run := range runs {
		list, err := decodeRun(run)
		if err != nil {
			return nil, err
		}
		all = append(all, slices.DeleteFunc(list, func(a Activity) bool { return !want(a.Key) })...)
	}
	slices.SortFunc(all, func(a, b Activity) int { return strings.Compare(a.Key, b.Key) })
	out := all[:0]
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].Key == all[0].Key {
			n++
		}
		out, all = append(out, union(all[:n])), all[n:]
	}
	return out, nil
}
