//go:build demo

package cloud

import (
	"context"
	"crypto/ed25519"
	"errors"
)

// errNoKeys: the SDK of KMS would take longer to compile than the demo runs.
var errNoKeys = errors.New("keys in KMS are not part of a dera that was built with the tag demo")

// Key is none.
type Key struct{ arn string }

// Key returns one that answers nothing.
func (c *Client) Key(arn string, _ map[string]string) *Key { return &Key{arn} }

// Key is the ARN.
func (k *Key) Key() string { return k.arn }

// PublicKey is not there.
func (k *Key) PublicKey(context.Context) (ed25519.PublicKey, error) { return nil, errNoKeys }

// Sign signs nothing.
func (k *Key) Sign(context.Context, []byte) ([]byte, error) { return nil, errNoKeys }

// Generate makes nothing.
func (k *Key) Generate(context.Context) (plain, wrapped []byte, err error) {
	return nil, nil, errNoKeys
}

// Unwrap decrypts nothing.
func (k *Key) Unwrap(context.Context, []byte) ([]byte, error) { return nil, errNoKeys }
