package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestMarkSet(t *testing.T) {
	t.Parallel()
	const last = 1<<markBits - 1
	rnd := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []uint64 {
		out := make([]uint64, n)
		for i := range out {
			out[i] = rnd.Uint64N(last + 1)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	for name, marks := range map[string][]uint64{
		"none": {}, "zero": {0}, "last": {last}, "both_ends": {0, last}, "neighbours": {7, 8, 9, 10}, "few": random(5), "many": random(5000),
	} {
		got, err := unpackMarks(nil, packMarks(marks))
		if err != nil || !slices.Equal(got, marks) {
			t.Errorf("%s: got %d marks, %v, want %d", name, len(got), err, len(marks))
		}
		body := packMarks(marks)
		for _, m := range append(random(50), marks...) {
			if got, err := hasMark(body, m); err != nil || got != slices.Contains(marks, m) {
				t.Errorf("%s: mark %d: got %t, %v", name, m, got, err)
			}
		}
	}
	a, b := random(300), random(200)
	both := slices.Concat(a, b, a[:10])
	slices.Sort(both)
	body, err := mergeMarks([][]byte{packMarks(a), packMarks(b), packMarks(a[:10])})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := unpackMarks(nil, body); err != nil || !slices.Equal(got, slices.Compact(both)) {
		t.Errorf("merged: got %d marks, %v, want %d", len(got), err, len(slices.Compact(both)))
	}
}

// TestFingerprint: different files have different ones, and so have the two
// trusts of one file.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	type whole struct {
		prefix int
		mark   uint64
	}
	seen := map[whole]string{}
	// A change in any of the first 67 bits tells; the bits behind do not stand in it.
	for bit := range prefixBits + markBits - 1 {
		for trust := range 2 {
			var hash [16]byte
			hash[bit/8] = 0x80 >> (bit % 8)
			file := fmt.Sprintf("%x-%d", hash, trust)
			prefix, mark, ok := fingerprint(file)
			if !ok || prefix >= 1<<prefixBits || mark >= 1<<markBits {
				t.Fatalf("%s: got prefix %d, mark %d, %t", file, prefix, mark, ok)
			}
			if other, twice := seen[whole{prefix, mark}]; twice {
				t.Errorf("%s and %s have one fingerprint", file, other)
			}
			seen[whole{prefix, mark}] = file
		}
	}
	for _, file := range []string{"", "f", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef-2", "0123456789ABCDEF0123456789abcdef-0", "x123456789abcdef0123456789abcdef-0"} {
		if _, _, ok := fingerprint(file); ok {
			t.Errorf("%q: got a fingerprint, want none", file)
		}
	}
}

func FuzzMarkSet(f *testing.F) {
	f.Add(packMarks([]uint64{1, 2, 1 << 40}))
	f.Add([]byte{0x80, 0x80, 0x04, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		marks, err := unpackMarks(nil, body)
		if err != nil {
			return
		}
		marks = slices.Compact(marks)
		again, err := unpackMarks(nil, packMarks(marks))
		if err != nil || !slices.Equal(again, marks) {
			t.Fatalf("got %v, %v, want %v", again, err, marks)
		}
	})
}
