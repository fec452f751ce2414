package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/proof"
	"dera.example/dera/resource/evidence"
	storage "dera.example/dera/store"
	"github.com/aymanbagabas/go-udiff"
)

// evidenceDir holds the evidence of an export: HASH.json is the piece that the
// log names, and the folder HASH the same in files that people and solvers read.
const evidenceDir = "evidence"

// Pack is the evidence of an exported audit log. Kinds are those that it can hold.
type Pack struct{ Kinds []evidence.Kind }

// PackStore is what an export reads.
type PackStore interface {
	Leaves(ctx context.Context, from, n int64) ([][]byte, error)
	Evidence(ctx context.Context, hash string) ([]byte, error)
}

// EachRecord calls f with the first size records of the log, in order, until it
// returns an error.
func EachRecord(ctx context.Context, store PackStore, size int64, f func(i int64, r dera.AuditRecord) error) error {
	const page = 500
	for at := int64(0); at < size; at += page {
		leaves, err := store.Leaves(ctx, at, page)
		if err != nil {
			return err
		}
		for i, leaf := range leaves {
			var r dera.AuditRecord
			if err := json.Unmarshal(leaf, &r); err != nil {
				return fmt.Errorf("read audit record %d: %w", at+int64(i), err)
			}
			if err := f(at+int64(i), r); err != nil {
				return err
			}
		}
	}
	return nil
}

// Export writes every piece of evidence that one of the first size records names
// under dir, and returns how many these are. What a record says was removed for its age is left out.
func (p Pack) Export(ctx context.Context, store PackStore, dir string, size int64) (int, error) {
	hashes, lapsed := map[string]bool{}, map[string]bool{}
	err := EachRecord(ctx, store, size, func(_ int64, r dera.AuditRecord) error {
		if r.Evidence != "" {
			hashes[r.Evidence] = true
		}
		if r.Retention != nil {
			for _, h := range r.Retention.Evidence {
				lapsed[h] = true
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(filepath.Join(dir, evidenceDir), 0o755); err != nil {
		return 0, err
	}
	written := 0
	for _, h := range slices.Sorted(maps.Keys(hashes)) {
		blob, err := store.Evidence(ctx, h)
		if lapsed[h] && errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if written++; err != nil {
			return 0, err
		}
		if err := os.WriteFile(filepath.Join(dir, evidenceDir, h+".json"), blob, 0o644); err != nil {
			return 0, err
		}
		if err := p.unfold(filepath.Join(dir, evidenceDir, h), h, blob); err != nil {
			return 0, err
		}
	}
	return written, nil
}

// unfold writes the files of a piece of evidence.
func (p Pack) unfold(dir, hash string, blob []byte) error {
	files, err := p.unfolded(hash, blob)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// unfolded makes the files that people and solvers read from a piece of evidence.
func (p Pack) unfolded(hash string, blob []byte) (map[string][]byte, error) {
	var ev dera.Evidence
	if err := json.Unmarshal(blob, &ev); err != nil {
		return nil, fmt.Errorf("read evidence %s: %w", hash, err)
	}
	files := map[string][]byte{}
	var b strings.Builder
	fmt.Fprintf(&b, "Evidence %s (%s) for a plan of the control %s\n\n", hash, ev.Kind, ev.Control)
	for _, c := range ev.Claims {
		fmt.Fprintf(&b, "%-8s %s\n", c.Verdict, c.Says)
		if c.Witness != "" {
			fmt.Fprintf(&b, "         %s\n", c.Witness)
		}
	}
	for _, line := range ev.Compared {
		fmt.Fprintf(&b, "\nFor comparison, %s.\n", line)
	}
	if ev.Denied != "" {
		fmt.Fprintf(&b, "\nPossible before and not after: %s\n", ev.Denied)
	}
	x, err := evidence.PoliciesOf(ev, p.Kinds...)
	if err != nil {
		return nil, err
	}
	if err := unfoldPolicies(x, files, &b); err != nil {
		return nil, fmt.Errorf("evidence %s: %w", hash, err)
	}
	fmt.Fprintf(&b, "\nAll of this folder is made from %s.json, which the log names. \"dera audit verify\" recomputes every claim and\ncompares these files.\n", hash)
	files["README.txt"] = []byte(b.String())
	return files, nil
}

// unfoldPolicies adds the policies, the certificates and the questions for a solver.
func unfoldPolicies(x evidence.Policies, files map[string][]byte, b *strings.Builder) error {
	if diff := PolicyDiff(x); diff != "" {
		fmt.Fprintf(b, "\nThe policy before and after; values that can be secret have stand-ins, the same in both:\n\n%s", diff)
		files["policy-before.json"] = []byte(x.Before)
		if x.After != "" {
			files["policy-after.json"] = []byte(x.After)
		}
	}
	for _, c := range x.Certificates {
		cert, err := proof.Check([]byte(c.Text))
		if err != nil {
			return fmt.Errorf("certificate %s: %w", c.Name, err)
		}
		files[c.Name+".certificate.json"] = []byte(c.Text)
		fmt.Fprintf(b, "\n%s.certificate.json: %s.\n  Check it with: dera policy check-certificate %s.certificate.json\n", c.Name, c.Says, c.Name)
		if cert.Unwritten != "" {
			fmt.Fprintf(b, "  There is no question for a solver: %s\n", cert.Unwritten)
			continue
		}
		for _, claim := range cert.Claims {
			if script, ok := proof.Script(cert, claim.Claim); ok {
				files[c.Name+".smt2"] = []byte(script)
				fmt.Fprintf(b, "  Or ask a solver; unsat means that it holds: cvc5 --lang=smt2 --strings-exp %s.smt2\n", c.Name)
			}
		}
	}
	return nil
}

// PolicyDiff is the change of the policy for people; none is empty.
func PolicyDiff(x evidence.Policies) string {
	if x.Before == x.After {
		return ""
	}
	line := func(s string) string {
		if s == "" || strings.HasSuffix(s, "\n") {
			return s
		}
		return s + "\n"
	}
	return udiff.Unified("before", "after", line(x.Before), line(x.After))
}

// Check wants every piece of evidence that a record names, as it was, computes
// each proof again, and compares the files made from it. named holds the hashes of
// the evidence with the first record that names each. It returns what is wrong, or
// "".
func (p Pack) Check(dir string, named map[string]int64) string {
	for _, hash := range slices.Sorted(maps.Keys(named)) {
		blob, err := os.ReadFile(filepath.Join(dir, evidenceDir, hash+".json"))
		if err != nil {
			return fmt.Sprintf("evidence %s of record %d is not there: %v", hash, named[hash], err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(blob)); got != hash {
			return fmt.Sprintf("evidence %s of record %d has the hash %s: it was changed", hash, named[hash], got)
		}
		if err := evidence.Check(blob, p.Kinds...); err != nil {
			return fmt.Sprintf("evidence %s of record %d: %v", hash, named[hash], err)
		}
		if why := p.checkUnfolded(filepath.Join(dir, evidenceDir, hash), hash, blob); why != "" {
			return fmt.Sprintf("evidence %s of record %d: %s", hash, named[hash], why)
		}
	}
	return ""
}

// Has reports whether the export in a folder has a piece of evidence.
func (Pack) Has(dir, hash string) bool {
	_, err := os.Stat(filepath.Join(dir, evidenceDir, hash+".json"))
	return err == nil
}

// checkUnfolded compares the files of a piece of evidence with those that it
// makes. An export without them is as good.
func (p Pack) checkUnfolded(dir, hash string, blob []byte) string {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		return err.Error()
	}
	want, err := p.unfolded(hash, blob)
	if err != nil {
		return err.Error()
	}
	for _, e := range list {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		made, known := want[e.Name()]
		if err != nil || !known || !bytes.Equal(text, made) {
			return "the file " + e.Name() + " is not what the evidence makes"
		}
		delete(want, e.Name())
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		return "the file " + name + " is not there"
	}
	return ""
}
