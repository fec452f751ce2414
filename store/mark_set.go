package store

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/bits"
	"slices"

	"dera.example/dera/usage"
)

// A mark set is what many marks of files shrink to: a fingerprint of each, sorted,
// as differences in Rice's code. A fingerprint is 68 bits of the hash of the file
// and its trust: 12 are the prefix, under which the set lies, 56 stand in the
// set, by their first 5 bits in blocks of their own, so that who looks for one
// need not read all. A file that was never read is taken for one that was with a probability of
// the number of marks in 2^68: for 300 million files one in 10^12.
const (
	prefixBits = 12
	markBits   = 56
	blocks     = 32
	blockBits  = markBits - 5 // of a mark in its block
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
	var out []byte
	for b := range uint64(blocks) {
		n := 0
		for n < len(marks) && marks[n]>>blockBits == b {
			n++
		}
		body := packBlock(marks[:n])
		out, marks = append(binary.AppendUvarint(out, uint64(len(body))), body...), marks[n:]
	}
	return out
}

// packBlock packs the marks of one block.
func packBlock(marks []uint64) []byte {
	if len(marks) == 0 {
		return nil
	}
	n := uint64(len(marks))
	// The mean difference decides how many bits of each stand as they are.
	low := max(bits.Len64((1<<blockBits)/n)-1, 0)
	w := bitWriter{out: append(binary.AppendUvarint(nil, n), byte(low))}
	var last uint64
	for _, m := range marks {
		m &= 1<<blockBits - 1
		d := m - last
		last = m
		for range d >> low {
			w.bits(1, 1)
		}
		w.bits(0, 1)
		w.bits(d&(1<<low-1), low)
	}
	return w.end()
}

// unpackMarks appends the marks of a set to dst.
func unpackMarks(dst []uint64, body []byte) ([]uint64, error) {
	for b := range uint64(blocks) {
		block, rest, err := nextBlock(body)
		if err == nil {
			dst, err = unpackBlock(dst, block, b<<blockBits)
		}
		if err != nil {
			return dst, err
		}
		body = rest
	}
	if len(body) > 0 {
		return dst, errMarkSet
	}
	return dst, nil
}

// hasMark looks for a mark in a set.
func hasMark(body []byte, mark uint64) (bool, error) {
	var block []byte
	var err error
	for range mark>>blockBits + 1 {
		if block, body, err = nextBlock(body); err != nil {
			return false, err
		}
	}
	marks, err := unpackBlock(nil, block, mark>>blockBits<<blockBits)
	_, found := slices.BinarySearch(marks, mark)
	return found, err
}

func nextBlock(body []byte) (block, rest []byte, err error) {
	n, size := binary.Uvarint(body)
	if size <= 0 || n > uint64(len(body)-size) {
		return nil, nil, errMarkSet
	}
	return body[size : size+int(n)], body[size+int(n):], nil
}

// unpackBlock appends the marks of a block, which begin at base.
func unpackBlock(dst []uint64, body []byte, base uint64) ([]uint64, error) {
	if len(body) == 0 {
		return dst, nil
	}
	n, size := binary.Uvarint(body)
	if size <= 0 || size >= len(body) || n > 8*uint64(len(body)) || body[size] > blockBits {
		return dst, errMarkSet
	}
	low := int(body[size])
	r := bitReader{in: body[size+1:]}
	var last uint64
	for range n {
		var d uint64
		for r.bits(1) == 1 {
			d++
		}
		if last += d<<low | r.bits(low); r.bad || last >= 1<<blockBits {
			return dst, errMarkSet
		}
		dst = append(dst, base|last)
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

// bitWriter writes numbers of up to 56 bits, the lowest first.
type bitWriter struct {
	out  []byte
	held uint64
	n    int // bits held, fewer than eight between two calls
}

func (w *bitWriter) bits(b uint64, n int) {
	w.held |= b << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.out = append(w.out, byte(w.held))
		w.held >>= 8
	}
}

func (w *bitWriter) end() []byte {
	if w.n > 0 {
		w.out = append(w.out, byte(w.held))
	}
	return w.out
}

// bitReader reads what bitWriter wrote.
type bitReader struct {
	in   []byte
	held uint64
	n    int // bits held
	bad  bool
}

// bits returns 0 behind the end, and says that it is bad.
func (r *bitReader) bits(n int) uint64 {
	for r.n < n {
		if len(r.in) == 0 {
			r.bad = true
			return 0
		}
		r.held |= uint64(r.in[0]) << r.n
		r.in = r.in[1:]
		r.n += 8
	}
	b := r.held & (1<<n - 1)
	r.held >>= n
	r.n -= n
	return b
}
