package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/audit"
	"dera.example/dera/cloud"
	"dera.example/dera/store"
)

// keysConfig is where keys are made, for a data folder that has none yet. The folder says afterwards
// where they are.
type keysConfig struct {
	Signer kmsConfig `yaml:"signer,omitempty" json:"signer,omitempty" jsonschema_description:"Key that signs checkpoints of the audit log: an asymmetric key of AWS KMS, ECC_NIST_EDWARDS25519, for signing. Default: a file in the data folder."`
	Vault  kmsConfig `yaml:"vault,omitempty" json:"vault,omitempty" jsonschema_description:"Key that encrypts the vault's key: a symmetric key of AWS KMS. Default: the vault's key is a file in the data folder."`
}

type kmsConfig struct {
	KMS string `yaml:"kms,omitempty" json:"kms,omitempty" jsonschema_description:"ARN of the key; not of an alias, which can come to mean another key."`
}

// validate returns what is wrong with keys.
func (c keysConfig) validate() error {
	var errs []error
	for _, k := range []struct{ field, arn string }{{"keys.signer.kms", c.Signer.KMS}, {"keys.vault.kms", c.Vault.KMS}} {
		if k.arn == "" {
			continue
		}
		a, err := dera.ParseARN(k.arn)
		_, id, _ := strings.Cut(k.arn, ":key/")
		if err != nil || a.Service() != "kms" || a.Region() == "" || dera.ValidAccountID(a.Account()) != nil || id == "" || strings.ContainsAny(k.arn, "*? ") {
			errs = append(errs, fmt.Errorf("%s: %q is not the ARN of a key of AWS KMS, …:kms:REGION:ACCOUNT:key/ID", k.field, k.arn))
		}
	}
	return errors.Join(errs...)
}

// keysError is an error of a key, which no waiting for the database mends.
type keysError struct{ err error }

// Error implements error.
func (e *keysError) Error() string { return e.err.Error() }

// Unwrap returns what went wrong.
func (e *keysError) Unwrap() error { return e.err }

// databaseAway reports whether it is the database that did not answer, and not a key.
func databaseAway(err error) bool {
	var key *keysError
	return store.Away(err) && !errors.As(err, &key)
}

// vaultPurpose is the encryption context of the vault's key.
func vaultPurpose() map[string]string { return map[string]string{"dera": "vault"} }

// kms is a key of KMS as dera itself uses it. It calls nothing yet.
func (a *cli) kms(ctx context.Context, arn string) (*cloud.Key, error) {
	client, err := cloud.New(ctx, cloud.Config{Profile: a.flags.profile, Region: dera.ARN(arn).Region(), Now: a.now, Observe: a.meter.observing(calls(a.askedLog()))})
	if err != nil {
		return nil, orProfile(err)
	}
	return client.Key(arn, vaultPurpose()), nil
}

// vault opens the vault of the data folder, from a key in a file or one that KMS decrypts. A folder without
// one is fs.ErrNotExist. What KMS does not decrypt is an audit.ErrUnwrapped.
func (a *cli) vault(ctx context.Context) (*audit.Vault, error) {
	dir := filepath.Join(a.flags.data, "keys")
	wrapped, err := audit.LoadWrappedKey(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return audit.LoadVault(dir, nil)
	}
	if err != nil {
		return nil, err
	}
	key, err := a.kms(ctx, wrapped.Key)
	if err != nil {
		return nil, err
	}
	return wrapped.Vault(ctx, key, nil)
}

// vaultThere returns fs.ErrNotExist where the data folder has no key of a vault.
func (a *cli) vaultThere() error {
	dir := filepath.Join(a.flags.data, "keys")
	if _, err := audit.LoadWrappedKey(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, err := audit.LoadVault(dir, nil)
	return err
}

// made makes or loads a key; where another process made one at the same time, that one counts.
func made[K any](ctx context.Context, key func(context.Context) (K, error)) (K, error) {
	k, err := key(ctx)
	if errors.Is(err, fs.ErrExist) {
		return key(ctx)
	}
	return k, err
}

// sealer is the vault of the session, made if need be. A command that only stops goes on with a vault that
// KMS does not open: what it writes is not sealed.
func (s *session) sealer(ctx context.Context) (store.Sealer, error) { return made(ctx, s.vaultKey) }

func (s *session) vaultKey(ctx context.Context) (store.Sealer, error) {
	arn := s.config.Keys.Vault.KMS
	v, err := s.app.vault(ctx)
	switch {
	case err == nil:
		if wrapped, err := audit.LoadWrappedKey(s.keys); arn != "" && (err != nil || wrapped.Key != arn) {
			return nil, usage("keys.vault.kms: the database was made with another vault key, that of %s: take the field out, or name the key that is there", s.keys)
		}
		return v, nil
	case errors.Is(err, audit.ErrUnwrapped) && s.app.stopping:
		s.app.alert("dera: warning: %v\n", plainError(ctx, err))
		return audit.Closed{Err: err}, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case s.app.localThere():
		// Another process may have made both meanwhile, the key before the database.
		if v, err = s.app.vault(ctx); errors.Is(err, fs.ErrNotExist) {
			return nil, s.app.noKeys()
		}
		return v, err
	case arn == "":
		return audit.CreateVault(s.keys, nil)
	}
	key, err := s.app.kms(ctx, arn)
	if err != nil {
		return nil, err
	}
	return audit.CreateWrappedVault(ctx, s.keys, key, nil)
}

// signingKey is what signs checkpoints, and says how to verify them.
type signingKey interface {
	audit.Signer
	PublicKey() string
}

// signer is the signing key of the session, made if need be.
func (s *session) signer(ctx context.Context) (signingKey, error) {
	key, err := made(ctx, s.signingKey)
	if err != nil && s.app.stopping { // must work without: what it records is signed by the next who can
		if lost, no := audit.LoadLostKey(s.keys, err); no == nil {
			return lost, nil
		}
	}
	return key, err
}

func (s *session) signingKey(ctx context.Context) (signingKey, error) {
	arn := s.config.Keys.Signer.KMS
	where, err := audit.RemoteKeyOf(s.keys)
	if errors.Is(err, fs.ErrNotExist) {
		file, err := audit.LoadFileKey(s.keys)
		switch {
		case err == nil && arn != "":
			return nil, usage("keys.signer.kms: the log is signed with the key in %s, and keeps it: take the field out", s.keys)
		case err == nil:
			return file, nil
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		case arn == "":
			return audit.NewFileKey(s.keys, logOrigin, nil)
		}
		key, err := s.app.kms(ctx, arn)
		if err != nil {
			return nil, err
		}
		public, err := key.PublicKey(ctx)
		if err != nil {
			return nil, fmt.Errorf("keys.signer.kms: %w", err)
		}
		if err := audit.CreateRemoteKey(s.keys, logOrigin, arn, public); err != nil {
			return nil, err
		}
		where = arn
	} else if err != nil {
		return nil, err
	}
	if arn != "" && where != arn {
		return nil, usage("keys.signer.kms: the log is signed with %s, and keeps that key: take the field out, or name that one", where)
	}
	key, err := s.app.kms(ctx, where)
	if err != nil {
		return nil, err
	}
	return audit.LoadRemoteKey(s.keys, func(message []byte) ([]byte, error) { return key.Sign(context.WithoutCancel(ctx), message) })
}

// keyChecks says where the keys are, and whether those of KMS answer. That the vault's key does, shows
// that the data open.
func (s *session) keyChecks(ctx context.Context) []app.Check {
	const fix = "whoever can read the folder has them: keep it to one user, or begin a new data folder with keys in the configuration (docs/operations.md)"
	signer := app.Check{Check: "keys", About: "signer", Health: app.NotTested, Says: "it is a file in " + s.keys, Fix: fix}
	if arn, err := audit.RemoteKeyOf(s.keys); err == nil {
		signer.Health, signer.Says, signer.Fix = app.Healthy, "it is "+arn+", and belongs to audit.pub", ""
		if err := s.signerAnswers(ctx, arn); err != nil {
			signer.Health, signer.Says, signer.Fix = app.Broken, plainError(ctx, err), "dera itself needs kms:GetPublicKey and kms:Sign on it; what is recorded meanwhile is signed later"
		}
	}
	vault := app.Check{Check: "keys", About: "vault", Health: app.NotTested, Says: "its key is a file in " + s.keys, Fix: fix}
	if wrapped, err := audit.LoadWrappedKey(s.keys); err == nil {
		vault.Health, vault.Says, vault.Fix = app.Healthy, wrapped.Key+" encrypts it", ""
	}
	return []app.Check{signer, vault}
}

// signerAnswers asks KMS whether its key is the one of audit.pub.
func (s *session) signerAnswers(ctx context.Context, arn string) error {
	key, err := s.app.kms(ctx, arn)
	if err != nil {
		return err
	}
	public, err := key.PublicKey(ctx)
	if err != nil {
		return err
	}
	return audit.SameKey(s.log.PublicKey, public)
}
