package audit

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// verification walks a log from the first record to the last.
//
// Tiles are trusted from the top: the partial tiles at the right edge give the
// signed root, and a full tile hashes to what its trusted parent says. A tile
// that does not is made again from the records below it; if that one fits, the
// tile was bad and the records are good. A record that does not hash to its
// place in a trusted tile is bad, whatever else is.
type verification struct {
	report Report
	folder folder
	held   *Checkpoint
	each   func(index int64, leaf []byte)
	seen   frontier
	edge   map[int][]tlog.Hash // the trusted partial tile of a level
	last   map[int]loadedTile  // the last trusted full tile of a level; the walk goes in order
	// badTile is the first tile found that is not what was signed.
	badTile string
}

type loadedTile struct {
	n      int64
	hashes []tlog.Hash
}

func (v *verification) run(ctx context.Context) (Report, error) {
	if bad, err := v.trustEdge(ctx); bad != nil || err != nil {
		return deref(bad), err
	}
	v.compare() // the checkpoint that is held may be of the empty log
	for n := int64(0); n*tileWidth < v.folder.size; n++ {
		if err := ctx.Err(); err != nil {
			return Report{}, err
		}
		leaves, bad, err := v.trusted(ctx, 0, n)
		if bad == nil && err == nil {
			bad = v.bundle(n, leaves)
		}
		if bad != nil || err != nil {
			return deref(bad), err
		}
	}
	return v.conclude(), nil
}

// conclude is the report when every record has been seen.
func (v *verification) conclude() Report {
	r := v.sofar()
	switch {
	case v.seen.root() != r.Checkpoint.Root:
		// No record differs from its trusted hash, so this cannot be, as long as
		// tiles are trusted as they should. The answer does not depend on that.
		return r.found(BadRoot, "the records have the root %v, signed is %v", v.seen.root(), r.Checkpoint.Root)
	case r.Verdict == Fork:
		return r
	case v.badTile != "":
		return r.found(BadTile, "the records are as they were signed, but %s", v.badTile)
	}
	return r.found(OK, "")
}

// sofar is the report with what has been seen.
func (v *verification) sofar() Report {
	r := v.report
	r.Good = v.seen.size
	return r
}

// bundle holds the records of the n-th bundle against their trusted hashes.
func (v *verification) bundle(n int64, leaves []tlog.Hash) *Report {
	entries, err := v.folder.entries(n)
	for i, entry := range entries {
		h := tlog.RecordHash(entry)
		if h != leaves[i] {
			r := v.sofar().badRecord(v.seen.size, "%s", describe(h, leaves, n*tileWidth))
			return &r
		}
		if v.each != nil {
			v.each(v.seen.size, entry)
		}
		v.seen.add(h)
		v.compare()
	}
	if err != nil {
		return v.unreadable(n, len(entries), err)
	}
	return nil
}

// unreadable is the report on a bundle of which so many entries could be read.
func (v *verification) unreadable(n int64, entries int, err error) *Report {
	name := entryBundle(n, tileSpan(v.folder.size, 0, n))
	r := v.sofar().badRecord(n*tileWidth+int64(entries), "%s: %v", name, err)
	return &r
}

// describe tells what stands in the place of a record.
func describe(h tlog.Hash, leaves []tlog.Hash, first int64) string {
	for i, leaf := range leaves {
		if h == leaf {
			return fmt.Sprintf("in its place stands record %d", first+int64(i))
		}
	}
	return "it is not what was signed"
}

// compare holds the log against the checkpoint that the verifier holds, when it
// has got there.
func (v *verification) compare() {
	if v.held == nil || v.held.Size != v.seen.size || v.held.Root == v.seen.root() {
		return
	}
	v.report = v.report.found(Fork, "at %d records the root is %v; on %s it was %v",
		v.held.Size, v.seen.root(), v.held.Time.Format(time.RFC3339), v.held.Root)
}

// trustEdge holds the partial tiles at the right edge against the signed root,
// which is made of them.
func (v *verification) trustEdge(ctx context.Context) (*Report, error) {
	stored, err := v.readEdge(func(level int, n int64) ([]tlog.Hash, error) { return v.folder.hashes(level, n) })
	why := "the partial tiles do not have the signed root"
	if err != nil {
		why = err.Error()
	} else if stored {
		return nil, nil
	}
	rebuilt, err := v.readEdge(func(level int, n int64) ([]tlog.Hash, error) { return v.rebuild(ctx, level, n) })
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err == nil && rebuilt {
		v.badTile = why
		return nil, nil
	}
	return v.locate(ctx, 0, v.folder.size-1, why)
}

// readEdge reads the partial tile of each level into v.edge and tells whether
// they have the signed root.
func (v *verification) readEdge(read func(level int, n int64) ([]tlog.Hash, error)) (bool, error) {
	top := 0
	for v.folder.size>>(tileHeight*(top+1)) > 0 {
		top++
	}
	var nodes []tlog.Hash
	for level := top; level >= 0; level-- {
		count := v.folder.size >> (tileHeight * level)
		if count%tileWidth == 0 {
			continue
		}
		hashes, err := read(level, count/tileWidth)
		if err != nil {
			return false, err
		}
		v.edge[level] = hashes
		nodes = append(nodes, subtrees(hashes)...)
	}
	return fold(nodes) == v.report.Checkpoint.Root, nil
}

// trusted is the hashes of a tile as they were signed, or else the report on the
// records below it.
func (v *verification) trusted(ctx context.Context, level int, n int64) ([]tlog.Hash, *Report, error) {
	if tileSpan(v.folder.size, level, n) < tileWidth {
		return v.edge[level], nil, nil
	}
	if t, ok := v.last[level]; ok && t.n == n {
		return t.hashes, nil, nil
	}
	parent, bad, err := v.trusted(ctx, level+1, n/tileWidth)
	if bad != nil || err != nil {
		return nil, bad, err
	}
	want := parent[n%tileWidth]
	hashes, err := v.folder.hashes(level, n)
	if err != nil || fold(subtrees(hashes)) != want {
		why := hashTile(level, n, tileWidth) + " is not what was signed"
		if err != nil {
			why = err.Error()
		}
		hashes, err = v.rebuild(ctx, level, n)
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if err != nil || fold(subtrees(hashes)) != want {
			below := int64(1) << (tileHeight * (level + 1)) // records under the tile
			bad, err := v.locate(ctx, n*below, (n+1)*below-1, why)
			return nil, bad, err
		}
		if v.badTile == "" {
			v.badTile = why
		}
	}
	v.last[level] = loadedTile{n, hashes}
	return hashes, nil, nil
}

// rebuild makes a tile from the records below it.
func (v *verification) rebuild(ctx context.Context, level int, n int64) ([]tlog.Hash, error) {
	below := int64(1) << (tileHeight * level) // records under one hash
	var hashes []tlog.Hash
	var one frontier
	first := n * tileWidth * below
	last := first + int64(tileSpan(v.folder.size, level, n))*below
	for b := first / tileWidth; b*tileWidth < last; b++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		entries, err := v.folder.entries(b)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if one.add(tlog.RecordHash(entry)); one.size == below {
				hashes = append(hashes, one.root())
				one = frontier{nodes: one.nodes[:0]}
			}
		}
	}
	return hashes, nil
}

// locate names the bad record among the records from first to last, of which at
// least one is bad. The hashes of the records are no longer trusted there: a
// record that contradicts its own hash is named, and where all records agree
// with their hashes, the forger has made these again.
func (v *verification) locate(ctx context.Context, first, last int64, why string) (*Report, error) {
	for n := first / tileWidth; n*tileWidth <= last; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		entries, err := v.folder.entries(n)
		leaves, _ := v.folder.hashes(0, n)
		for i, entry := range entries {
			if i < len(leaves) && leaves[i] != tlog.RecordHash(entry) {
				r := v.sofar().badRecord(n*tileWidth+int64(i), "it does not have its hash (%s)", why)
				return &r, nil
			}
		}
		if err != nil {
			return v.unreadable(n, len(entries), err), nil
		}
	}
	if first == 0 && last == v.folder.size-1 {
		r := v.sofar().found(BadRoot, "records and hashes agree, and not with the signed root: the log was rebuilt without the key (%s)", why)
		return &r, nil
	}
	r := v.sofar().badRecord(first, "hashes were recomputed to match it (%s)", why)
	r.Last = last
	return &r, nil
}

func deref(r *Report) Report {
	if r == nil {
		return Report{}
	}
	return *r
}
