//go:build !demo

package cloud

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"dera.example/dera"
)

// Key is a key of AWS KMS that dera itself uses, with its own credentials, in the region of the key.
type Key struct {
	api *kms.Client
	arn string
	// purpose binds what is encrypted to what it is for: the encryption context.
	purpose map[string]string
}

// keyWithin bounds one call, with its retries: who waits for a signature holds up others.
const keyWithin = 15 * time.Second

// Key returns the key with the ARN. purpose is the encryption context of what it encrypts.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
func (c *Client) Key(arn string, purpose map[string]string) *Key {
	region := dera.ARN(arn).Region()
	return &Key{arn: arn, purpose: purpose, api: kms.NewFromConfig(c.base, func(o *kms.Options) {
		o.Region = region
		o.APIOptions = append(o.APIOptions, c.observe("", region, false))
	})}
}

// Key is the ARN.
func (k *Key) Key() string { return k.arn }

func (k *Key) wrap(call string, err error) error {
	return wrap("", dera.ARN(k.arn).Region(), call, err)
}

// PublicKey returns the public half of a key for signatures by Ed25519 (key spec ECC_NIST_EDWARDS25519);
// a key of another kind is an error.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html
func (k *Key) PublicKey(ctx context.Context) (ed25519.PublicKey, error) {
	ctx, cancel := context.WithTimeout(ctx, keyWithin)
	defer cancel()
	out, err := k.api.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: aws.String(k.arn)})
	if err != nil {
		return nil, k.wrap("kms:GetPublicKey", err)
	}
	if out.KeySpec != types.KeySpecEccNistEdwards25519 || out.KeyUsage != types.KeyUsageTypeSignVerify || !slices.Contains(out.SigningAlgorithms, types.SigningAlgorithmSpecEd25519Sha512) {
		return nil, fmt.Errorf("the key %s is %s for %s: it must be %s for %s", k.arn, out.KeySpec, out.KeyUsage, types.KeySpecEccNistEdwards25519, types.KeyUsageTypeSignVerify)
	}
	parsed, err := x509.ParsePKIXPublicKey(out.PublicKey)
	public, ok := parsed.(ed25519.PublicKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("the public key of %s is no Ed25519 key", k.arn)
	}
	return public, nil
}

// Sign signs a message of at most 4,096 bytes by Ed25519 (RFC 8032), unhashed: signing algorithm
// ED25519_SHA_512, which takes messages of the type RAW alone.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
func (k *Key) Sign(ctx context.Context, message []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, keyWithin)
	defer cancel()
	out, err := k.api.Sign(ctx, &kms.SignInput{
		KeyId: aws.String(k.arn), Message: message, MessageType: types.MessageTypeRaw, SigningAlgorithm: types.SigningAlgorithmSpecEd25519Sha512,
	})
	if err != nil {
		return nil, k.wrap("kms:Sign", err)
	}
	return out.Signature, nil
}

// Generate makes a data key of 256 bits, in clear and encrypted.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html
func (k *Key) Generate(ctx context.Context) (plain, wrapped []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, keyWithin)
	defer cancel()
	out, err := k.api.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: aws.String(k.arn), KeySpec: types.DataKeySpecAes256, EncryptionContext: k.purpose})
	if err != nil {
		return nil, nil, k.wrap("kms:GenerateDataKey", err)
	}
	return out.Plaintext, out.CiphertextBlob, nil
}

// Unwrap decrypts a data key.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html
func (k *Key) Unwrap(ctx context.Context, wrapped []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, keyWithin)
	defer cancel()
	out, err := k.api.Decrypt(ctx, &kms.DecryptInput{KeyId: aws.String(k.arn), CiphertextBlob: wrapped, EncryptionContext: k.purpose})
	if err != nil {
		return nil, k.wrap("kms:Decrypt", err)
	}
	return out.Plaintext, nil
}
