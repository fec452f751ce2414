package audit

import (
	"crypto/sha256"

	"golang.org/x/mod/sumdb/tlog"
)

// frontier is the right edge of a growing tree: the roots of its complete
// subtrees, the largest first. It recomputes a tree from its leaves in memory
// of log2(size) hashes, and shares no code with what stored the hashes.
type frontier struct {
	size  int64
	nodes []tlog.Hash
}

// add appends a leaf by its hash.
func (f *frontier) add(leaf tlog.Hash) {
	f.nodes = append(f.nodes, leaf)
	// Each trailing 1 bit of the size is a complete subtree that the new one joins.
	for n := f.size; n&1 == 1; n >>= 1 {
		last := len(f.nodes) - 1
		f.nodes[last-1] = tlog.NodeHash(f.nodes[last-1], f.nodes[last])
		f.nodes = f.nodes[:last]
	}
	f.size++
}

// root is the Merkle tree hash of what was added.
func (f *frontier) root() tlog.Hash { return fold(f.nodes) }

// fold is the root over adjacent complete subtrees, the largest first.
func fold(nodes []tlog.Hash) tlog.Hash {
	if len(nodes) == 0 {
		return sha256.Sum256(nil) // RFC 6962 section 2.1
	}
	h := nodes[len(nodes)-1]
	for i := len(nodes) - 2; i >= 0; i-- {
		h = tlog.NodeHash(nodes[i], h)
	}
	return h
}

// subtrees is the frontier of the hashes, taken as leaves.
func subtrees(hashes []tlog.Hash) []tlog.Hash {
	var f frontier
	for _, h := range hashes {
		f.add(h)
	}
	return f.nodes
}
