package store

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/bits"
	"slices"

	"dera/usage"
)

// A mark set is what many marks of files shrink to: a fingerprint of each, sorted,
// as differences in Rice's code. A fingerprint is 68 bits of the hash of the file
// and its trust: 14 are the prefix, under which the set lies, 54 stand in the
// set. A file that was never read is taken for one that was with a probability of
// the number of marks in 2^68: for 300 million files one in 10^12.
const (
	prefixBits = 14
	markBits   = 54
)

// fingerprint takes a mark's name apart; false for one that is not the name of a
// file by its hash (package usage): such a mark stays as it is.
func fingerprint(file string) (prefix int, mark uint64, ok bool) {
	if len(file) != 34 || file[32] != '-' || file[33] != '0'+byte(usage.Unverified) && file[33] != '0'+byte(usage.Verified) {
		return 0, 0, false
	}
	var hash [16]byte
	if _, err := hex.Decode(hash[:], []byte(file[:32])); err != nil || file != hex.EncodeToString(hash[:])+file[32:] {
		return 0, 0, false
	}
	first, second := binary.BigEndian.Uint64(hash[:8]), binary.BigEndian.Uint64(hash[8:])
	prefix = int(first >> (64 - prefixBits))
	mark = first<<prefixBits>>prefixBits<<(markBits-1-(64-prefixBits)) | second>>(64-(markBits-1-(64-prefixBits)))
	return prefix, mark<<1 | uint64(file[33]-'0'), true
}

var errMarkSet = errors.New("a set of marks of the usage ledger is damaged")

// packMarks packs marks, which are sorted, each once.
func packMarks(marks []uint64) []byte {
	n := uint64(len(marks))
	// The mean difference decides how many bits of each stand as they are.
	low := max(bits.Len64((1<<markBits)/max(n, 1))-1, 0)
	w := bitWriter{out: append(binary.AppendUvarint(nil, n), byte(low))}
	var last uint64
	for _, m := range marks {
		d := m - last
		last = m
		for range d >> low {
			w.bit(1)
		}
		w.bit(0)
		for i := range low {
			w.bit(byte(d >> i & 1))
		}
	}
	return w.out
}

// unpackMarks appends the marks of a set to dst.
func unpackMarks(dst []uint64, body []byte) ([]uint64, error) {
	n, size := binary.Uvarint(body)
	if size <= 0 || size >= len(body) || n > 8*uint64(len(body)) || body[size] > markBits {
		return dst, errMarkSet
	}
	low := int(body[size])
	r := bitReader{in: body[size+1:]}
	var last uint64
	for range n {
		var d uint64
		for r.bit() == 1 {
			d++
		}
		d <<= low
		for i := range low {
			d |= uint64(r.bit()) << i
		}
		if last += d; r.bad || last >= 1<<markBits {
			return dst, errMarkSet
		}
		dst = append(dst, last)
	}
	return dst, nil
}

// mergeMarks packs the marks of several sets into one.
func mergeMarks(bodies [][]byte) ([]byte, error) {
	var all []uint64
	var err error
	for _, b := range bodies {
		if all, err = unpackMarks(all, b); err != nil {
			return nil, err
		}
	}
	slices.Sort(all)
	return packMarks(slices.Compact(all)), nil
}

type bitWriter struct {
	out []byte
	n   int // bits in the last byte
}

func (w *bitWriter) bit(b byte) {
	if w.n == 0 {
		w.out = append(w.out, 0)
	}
	w.out[len(w.out)-1] |= b << w.n
	w.n = (w.n + 1) & 7
}

type bitReader struct {
	in  []byte
	n   int
	bad bool
}

// bit returns 0 behind the end, and says that it is bad.
func (r *bitReader) bit() byte {
	if r.n>>3 >= len(r.in) {
		r.bad = true
		return 0
	}
	b := r.in[r.n>>3] >> (r.n & 7) & 1
	r.n++
	return b
}
