package store_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"dera.example/dera/store/storetest"
	"dera.example/dera/usage"
)

// TestMarkSize measures what the marks of as many log files as DERA_BENCH_MARKS
// says take in SQLite, and how fast they are written, whose hashes have no order.
func TestMarkSize(t *testing.T) {
	var files int
	if _, err := fmt.Sscan(os.Getenv("DERA_BENCH_MARKS"), &files); err != nil {
		t.Skip("DERA_BENCH_MARKS is not set: it is a number of log files")
	}
	const batch = 10_000
	db := storetest.SQLite(t)
	s := storetest.Open(t, db, storetest.NewClock())
	rnd := rand.New(rand.NewPCG(3, 4))
	begin := time.Now()
	for i := 0; i < files; i += batch {
		at := usage.SecondOf(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC).AddDate(0, i*12/files, 0))
		var b usage.Batch
		for range batch {
			var hash [16]byte
			binary.BigEndian.PutUint64(hash[:8], rnd.Uint64())
			binary.BigEndian.PutUint64(hash[8:], rnd.Uint64())
			b.Marks = append(b.Marks, usage.Mark{File: fmt.Sprintf("%x-1", hash), Done: true, At: at})
		}
		if err := s.CommitUsage(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	seconds := time.Since(begin).Seconds()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(strings.TrimPrefix(db.URL, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	size := float64(info.Size())
	fmt.Printf("{\"what\":\"marks\",\"files\":%d,\"database_MB\":%.0f,\"bytes/file\":%.1f,\"files/s\":%.0f}\n", files, size/1e6, size/float64(files), float64(files)/seconds)
}
