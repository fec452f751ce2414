package audit

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// The layout of https://c2sp.org/tlog-tiles.
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight

	checkpointName = "checkpoint"
	publicKeyName  = "audit.pub"
	readmeName     = "README.txt"
)

// hashTile is the name of a tile of w hashes, the n-th of a level.
func hashTile(level int, n int64, w int) string {
	return fmt.Sprintf("tile/%d/%s", level, tileIndex(n, w))
}

// entryBundle is the name of the n-th bundle, of w entries.
func entryBundle(n int64, w int) string { return "tile/entries/" + tileIndex(n, w) }

// tileIndex writes n in groups of three digits, all but the last with an x, and
// the width if it is partial: 1234067 is x001/x234/067.
func tileIndex(n int64, w int) string {
	s := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		s = fmt.Sprintf("x%03d/%s", n%1000, s)
	}
	if w < tileWidth {
		s += fmt.Sprintf(".p/%d", w)
	}
	return s
}

// tileSpan is how many of a log's hashes of that level the n-th tile holds.
func tileSpan(size int64, level int, n int64) int {
	return int(min(size>>(tileHeight*level)-n*tileWidth, tileWidth))
}

// appendEntry adds one entry to a bundle: its length in two bytes, and itself.
func appendEntry(bundle, leaf []byte) []byte {
	bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(leaf)))
	return append(bundle, leaf...)
}

// What can be wrong with a bundle after the entries that were read.
var (
	errShortBundle = errors.New("the entry bundle ends before it")
	errLongBundle  = errors.New("the entry bundle holds more than its records")
)

// parseBundle splits the entries of a bundle, which share memory with it. When
// it cannot go on it returns those before.
func parseBundle(bundle []byte) ([][]byte, error) {
	entries := make([][]byte, 0, tileWidth)
	for len(bundle) > 0 {
		if len(entries) == tileWidth {
			return entries, errLongBundle
		}
		if len(bundle) < 2 {
			return entries, errShortBundle
		}
		n := int(binary.BigEndian.Uint16(bundle))
		if len(bundle)-2 < n {
			return entries, errShortBundle
		}
		entries = append(entries, bundle[2:2+n:2+n])
		bundle = bundle[2+n:]
	}
	return entries, nil
}

// parseTile splits a tile into its hashes.
func parseTile(data []byte) ([]tlog.Hash, error) {
	if len(data)%tlog.HashSize != 0 {
		return nil, fmt.Errorf("%d bytes are no list of hashes", len(data))
	}
	hashes := make([]tlog.Hash, len(data)/tlog.HashSize)
	for i := range hashes {
		copy(hashes[i][:], data[i*tlog.HashSize:])
	}
	return hashes, nil
}
