package soc2

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/audit"
)

// Verification holds a pack against the log beside it. It is given each record of the log, in order,
// and believes nothing of the pack.
type Verification struct {
	fsys   fs.FS // of the exported log
	files  map[string][]byte
	index  Index
	people *population
	hashes []string // of the records, by index
	named  map[string]dera.EvidencePack
	broken string
}

// Present reports whether an exported log has a pack.
func Present(fsys fs.FS) bool {
	_, err := fs.Stat(fsys, Dir)
	return !errors.Is(err, fs.ErrNotExist)
}

// NewVerification reads the pack of an exported log.
func NewVerification(fsys fs.FS) *Verification {
	v := &Verification{fsys: fsys, files: map[string][]byte{}, named: map[string]dera.EvidencePack{}}
	err := fs.WalkDir(fsys, Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		v.files[strings.TrimPrefix(path, Dir+"/")], err = fs.ReadFile(fsys, path)
		return err
	})
	if err != nil {
		v.broken = err.Error()
	} else if err := json.Unmarshal(v.files[indexName], &v.index); err != nil {
		v.broken = fmt.Sprintf("%s cannot be read: %v", indexName, err)
	}
	v.people = newPopulation(v.index.Since, v.index.Until)
	return v
}

// Record takes a record that was found as it was signed.
func (v *Verification) Record(index int64, leaf []byte) {
	v.hashes = append(v.hashes, hashOf(leaf))
	var r dera.AuditRecord
	if json.Unmarshal(leaf, &r) != nil {
		return
	}
	if index < v.index.Records {
		v.people.add(index, r)
	} else if r.Kind == dera.RecordExport && r.Pack != nil {
		v.named[r.Pack.Sums] = *r.Pack
	}
}

// Conclude says what is wrong with the pack, or "". The error is that there is no answer.
func (v *Verification) Conclude(ctx context.Context, publicKey string) (string, error) {
	if v.broken != "" {
		return v.broken, nil
	}
	if why := v.sums(); why != "" {
		return why, nil
	}
	c, err := audit.OpenCheckpoint(v.files[checkpointName], publicKey)
	if err != nil {
		return "its checkpoint: " + err.Error(), nil
	}
	if c.Size != v.index.Records || c.Root.String() != v.index.Root {
		return fmt.Sprintf("%s is about %d records with the root %s, the checkpoint about %d with %v", indexName, v.index.Records, v.index.Root, c.Size, c.Root), nil
	}
	report, err := audit.Verify(ctx, v.fsys, audit.VerifyConfig{PublicKey: publicKey, Since: &c})
	if err != nil {
		return "", err
	}
	if !report.OK() {
		return "the log does not contain its checkpoint: " + report.Detail, nil
	}
	return v.again(c), nil
}

// sums holds each file against the list of hashes, and the list against the log.
func (v *Verification) sums() string {
	list := v.files[sumsName]
	n, ok := v.named[hashOf(list)]
	if !ok {
		return "no record of the log names its " + sumsName
	}
	i := v.index
	if !n.Since.Equal(i.Since) || !n.Until.Equal(i.Until) || n.Records != i.Records || n.Root != i.Root || n.Sample != i.Sample || n.Seed != i.Seed {
		return indexName + " is not about what the log records of it"
	}
	want := map[string]string{}
	for line := range strings.Lines(string(list)) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		want[name] = sum
	}
	for _, name := range slices.Sorted(maps.Keys(v.files)) {
		if name != sumsName && hashOf(v.files[name]) != want[name] {
			return name + " was changed, or is not of the pack"
		}
		delete(want, name)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		return name + " is not there"
	}
	return ""
}

// again makes what comes from the records again, and compares.
func (v *Verification) again(c audit.Checkpoint) string {
	var t Table
	var controls []Control
	if err := errors.Join(json.Unmarshal(v.files[tableName], &t), json.Unmarshal(v.files[controlsName], &controls)); err != nil {
		return err.Error()
	}
	i := Index{Version: v.index.Version, Since: v.index.Since, Until: v.index.Until, Records: v.index.Records, Root: v.index.Root, Sample: v.index.Sample, Seed: v.index.Seed}
	files, sampled, err := derived(&i, v.people, t, controls)
	if err != nil {
		return err.Error()
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !bytes.Equal(files[name], v.files[name]) {
			return name + " is not what the records of the log make"
		}
	}
	for _, n := range sampled {
		leaf := v.files[recordName(n)]
		if n >= int64(len(v.hashes)) || hashOf(leaf) != v.hashes[n] {
			return recordName(n) + " is not the record of the log"
		}
		var proof audit.Inclusion
		if err := json.Unmarshal(v.files[proofName(n)], &proof); err != nil {
			return proofName(n) + " cannot be read: " + err.Error()
		}
		if proof.Index != n {
			return proofName(n) + " is of another record"
		}
		if err := audit.CheckInclusion(proof, c, leaf); err != nil {
			return proofName(n) + ": " + err.Error()
		}
	}
	return ""
}
