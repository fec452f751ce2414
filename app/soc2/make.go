package soc2

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/audit"
	"dera.example/dera/control"
)

// Dir is the folder of a pack, in that of an exported log.
const Dir = "soc2"

// The names of files in it.
const (
	indexName      = "pack.json"
	sumsName       = "SHA256SUMS"
	checkpointName = "checkpoint"
	tableName      = "criteria.json"
	controlsName   = "controls.json"
	pageName       = "index.html"
	verifyName     = "VERIFY.md"
)

// Source is the log that a pack is made from.
type Source interface {
	audit.Source
	Evidence(ctx context.Context, hash string) ([]byte, error)
}

// Config is what a pack is made of. All fields but Seed are required.
type Config struct {
	Period     app.Period
	Checkpoint []byte // signed, of the log that it is made from
	PublicKey  string
	Controls   []control.Control
	Sample     int
	Seed       string // of the auditor
	Version    string // of dera
}

// Pack is a pack that is not written yet.
type Pack struct {
	Index
	files map[string][]byte
}

// Make makes a pack from the records of a log.
func Make(ctx context.Context, src Source, cfg Config) (Pack, error) {
	c, err := audit.OpenCheckpoint(cfg.Checkpoint, cfg.PublicKey)
	if err != nil {
		return Pack{}, err
	}
	people := newPopulation(cfg.Period.Since, cfg.Period.Until)
	err = app.EachRecord(ctx, src, c.Size, func(i int64, r dera.AuditRecord) error { people.add(i, r); return nil })
	if err != nil {
		return Pack{}, err
	}
	t := Criteria()
	controls := t.controlsOf(cfg.Controls)
	p := Pack{Index: Index{Version: 1, Since: cfg.Period.Since.UTC(), Until: cfg.Period.Until.UTC(), Records: c.Size, Root: c.Root.String(), Sample: cfg.Sample, Seed: cfg.Seed}}
	var sampled []int64
	if p.files, sampled, err = derived(&p.Index, people, t, controls); err != nil {
		return Pack{}, err
	}
	hashes := src.Hashes(ctx)
	for _, n := range sampled {
		leaves, err := src.Leaves(ctx, n, 1)
		if err != nil {
			return Pack{}, err
		}
		if len(leaves) != 1 {
			return Pack{}, fmt.Errorf("read record %d: it is not there", n)
		}
		proof, err := audit.ProveInclusion(hashes, c.Size, n)
		if err != nil {
			return Pack{}, err
		}
		if p.files[proofName(n)], err = text(proof); err != nil {
			return Pack{}, err
		}
		p.files[recordName(n)] = leaves[0]
	}
	if p.files[tableName], err = text(t); err != nil {
		return Pack{}, err
	}
	if p.files[controlsName], err = text(controls); err != nil {
		return Pack{}, err
	}
	p.files[checkpointName], p.files[pageName], p.files[verifyName] = cfg.Checkpoint, page(p.Index, t, controls, c, cfg.Version), []byte(readme)
	p.files[sumsName] = sums(p.files)
	return p, nil
}

// Named is what the log records of a pack.
func (p Pack) Named() dera.EvidencePack {
	return dera.EvidencePack{Since: p.Since, Until: p.Until, Records: p.Records, Root: p.Root, Sample: p.Sample, Seed: p.Seed, Sums: hashOf(p.files[sumsName])}
}

// Free reports an error where an exported log has a pack already: one is never replaced.
func Free(dir string) error {
	path := filepath.Join(dir, Dir)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already: each evidence pack gets a folder of its own", path)
	}
	return nil
}

// Write writes the files below the folder of an exported log; the list of hashes comes last.
func (p Pack) Write(dir string) error {
	for _, name := range slices.Sorted(maps.Keys(p.files)) {
		if name == sumsName {
			continue
		}
		if err := write(filepath.Join(dir, Dir, filepath.FromSlash(name)), p.files[name]); err != nil {
			return err
		}
	}
	return write(filepath.Join(dir, Dir, sumsName), p.files[sumsName])
}

func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// sums are the hashes of files, as sha256sum writes and reads them.
func sums(files map[string][]byte) []byte {
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&out, "%s  %s\n", hashOf(files[name]), name)
	}
	return []byte(out.String())
}
