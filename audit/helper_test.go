package audit_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"dera.example/dera/audit"
	"dera.example/dera/audit/audittest"
)

const origin = "example.com/dera"

// signedAt is when the checkpoints of the tests are made.
var signedAt = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

func later() time.Time { return signedAt.Add(90 * time.Minute) }

// newKey makes a key from a seed of one repeated byte, without writing a file
// that is kept.
func newKey(t testing.TB, seed byte) *audit.FileKey {
	t.Helper()
	key, err := audit.NewFileKey(t.TempDir(), origin, bytes.NewReader(bytes.Repeat([]byte{seed}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// newLog is a log of n records of different lengths.
func newLog(t testing.TB, n int) *audittest.Memory {
	t.Helper()
	log := &audittest.Memory{}
	grow(t, log, 0, n)
	return log
}

func grow(t testing.TB, log *audittest.Memory, from, to int) {
	t.Helper()
	var texts []string
	for i := from; i < to; i++ {
		texts = append(texts, fmt.Sprintf(`{"record":%d,"pad":"%0*d"}`, i, 1+i%7, 0))
	}
	if err := log.Append(t.Context(), texts...); err != nil {
		t.Fatal(err)
	}
}

// head signs the whole log.
func head(t testing.TB, log audit.Source, key *audit.FileKey) (audit.Checkpoint, []byte) {
	t.Helper()
	c, err := audit.Head(t.Context(), log, origin, nil, signedAt)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := c.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	return c, signed
}

func exportTo(t testing.TB, dir string, log audit.Source, key *audit.FileKey) audit.Checkpoint {
	t.Helper()
	c, signed := head(t, log, key)
	got, err := audit.Export(t.Context(), log, audit.ExportConfig{Dir: dir, Checkpoint: signed, PublicKey: key.PublicKey()})
	if err != nil {
		t.Fatal(err)
	}
	if got != c {
		t.Fatalf("exported checkpoint: got %+v, want %+v", got, c)
	}
	return c
}

// inMemory reads a folder into memory, to be tampered with.
func inMemory(t testing.TB, dir string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(name)] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// exported is the folder of a log of n records, made once for each n.
func exported(t testing.TB, n int) fstest.MapFS {
	t.Helper()
	exportedOnce.Lock()
	defer exportedOnce.Unlock()
	if exportedOnce.folders[n] == nil {
		dir := t.TempDir()
		exportTo(t, dir, newLog(t, n), newKey(t, 1))
		exportedOnce.folders[n] = inMemory(t, dir)
	}
	return clone(exportedOnce.folders[n])
}

var exportedOnce = struct {
	sync.Mutex
	folders map[int]fstest.MapFS
}{folders: map[int]fstest.MapFS{}}

func clone(folder fstest.MapFS) fstest.MapFS {
	out := fstest.MapFS{}
	for name, f := range folder {
		out[name] = &fstest.MapFile{Data: bytes.Clone(f.Data)}
	}
	return out
}

func verify(t testing.TB, folder fs.FS, since *audit.Checkpoint) audit.Report {
	t.Helper()
	r, err := audit.Verify(t.Context(), folder, audit.VerifyConfig{
		PublicKey: newKey(t, 1).PublicKey(), Since: since, Now: later,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// entries and bundle read and write entry bundles without the code under test.
func entries(data []byte) (out [][]byte) {
	for len(data) > 0 {
		n := int(binary.BigEndian.Uint16(data))
		out = append(out, data[2:2+n])
		data = data[2+n:]
	}
	return out
}

func bundle(entries [][]byte) (out []byte) {
	for _, e := range entries {
		out = binary.BigEndian.AppendUint16(out, uint16(len(e)))
		out = append(out, e...)
	}
	return out
}

// hashTile is the tile over hashes or, for one level more, over the roots of
// full tiles.
func hashTile(hashes ...tlog.Hash) (out []byte) {
	for _, h := range hashes {
		out = append(out, h[:]...)
	}
	return out
}

func leafHashes(entries [][]byte) (out []tlog.Hash) {
	for _, e := range entries {
		out = append(out, tlog.RecordHash(e))
	}
	return out
}

// root is the Merkle tree hash by the definition of RFC 6962 section 2.1.
func root(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	k := 1
	for 2*k < len(hashes) {
		k *= 2
	}
	return tlog.NodeHash(root(hashes[:k]), root(hashes[k:]))
}
