package awssim

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
)

// idSource makes identifiers that look like AWS's and follow from the seed alone. It is guarded by Cloud.mu.
type idSource struct {
	random *rand.ChaCha8
}

func newIDSource(seed uint64) *idSource {
	var key [32]byte
	copy(key[:], fmt.Sprintf("awssim %024x", seed))
	return &idSource{random: rand.NewChaCha8(key)}
}

// resource returns prefix, a hyphen and 17 hex digits, the first of which is 0 as in AWS's own.
func (s *idSource) resource(prefix string) string {
	return prefix + "-0" + s.hex(8)
}

// uuid returns a version 4 UUID.
func (s *idSource) uuid() string {
	var b [16]byte
	s.fill(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// key returns prefix and n upper-case characters of the alphabet that AWS uses for access keys and principal IDs.
func (s *idSource) key(prefix string, n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	b := make([]byte, n)
	s.fill(b)
	for i := range b {
		b[i] = alphabet[b[i]%32]
	}
	return prefix + string(b)
}

// hex returns 2n hex digits.
func (s *idSource) hex(n int) string {
	b := make([]byte, n)
	s.fill(b)
	return hex.EncodeToString(b)
}

// fill fills b with random bytes.
func (s *idSource) fill(b []byte) {
	for i := 0; i < len(b); i += 8 {
		word := s.random.Uint64()
		for j := i; j < len(b) && j < i+8; j++ {
			b[j] = byte(word)
			word >>= 8
		}
	}
}
