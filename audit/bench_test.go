package audit_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"dera.example/dera/audit"
	"dera.example/dera/audit/audittest"
)

// twentyThousand is a log of records of 1 KB.
func twentyThousand(b *testing.B) *audittest.Memory {
	b.Helper()
	log := &audittest.Memory{}
	texts := make([]string, 20_000)
	for i := range texts {
		texts[i] = strings.Repeat(string(rune('a'+i%26)), 1024)
	}
	if err := log.Append(context.Background(), texts...); err != nil {
		b.Fatal(err)
	}
	return log
}

func BenchmarkExport20000(b *testing.B) {
	key, log := newKey(b, 1), twentyThousand(b)
	b.ReportAllocs()
	for b.Loop() {
		exportTo(b, b.TempDir(), log, key)
	}
}

func BenchmarkVerify20000(b *testing.B) {
	key, log := newKey(b, 1), twentyThousand(b)
	dir := b.TempDir()
	exportTo(b, dir, log, key)
	b.ReportAllocs()
	for b.Loop() {
		r, err := audit.Verify(b.Context(), os.DirFS(dir), audit.VerifyConfig{PublicKey: key.PublicKey()})
		if err != nil || !r.OK() {
			b.Fatal(r, err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	log := twentyThousand(b)
	leaf := []byte(strings.Repeat("x", 1024))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := audit.Append(log.Hashes(b.Context()), 19_999, leaf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInclusion(b *testing.B) {
	log := twentyThousand(b)
	c, err := audit.Head(b.Context(), log, origin, nil, signedAt)
	if err != nil {
		b.Fatal(err)
	}
	leaves, err := log.Leaves(b.Context(), 12_345, 1)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		p, err := audit.ProveInclusion(log.Hashes(b.Context()), c.Size, 12_345)
		if err != nil {
			b.Fatal(err)
		}
		if err := audit.CheckInclusion(p, c, leaves[0]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	v := newVault(b, 1)
	payload := []byte(strings.Repeat("x", 4096))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Seal("remediation/1", payload); err != nil {
			b.Fatal(err)
		}
		v.Commit(payload)
	}
}
