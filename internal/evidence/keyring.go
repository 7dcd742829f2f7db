package evidence

import (
	"crypto/ed25519"
	"crypto/x509"
	"fmt"
	"os"

	"steward/internal/lifecycle"
)

// Keyring holds the public keys whose signatures count. Keep a retired key in
// it for as long as decisions signed with it must be believed.
type Keyring struct{ keys map[string]ed25519.PublicKey }

// NewKeyring trusts the given keys.
func NewKeyring(keys ...ed25519.PublicKey) *Keyring {
	k := &Keyring{keys: make(map[string]ed25519.PublicKey, len(keys))}
	for _, key := range keys {
		k.keys[KeyID(key)] = key
	}
	return k
}

// LoadKeyring trusts the Ed25519 public keys in PEM files (PKIX).
func LoadKeyring(paths ...string) (*Keyring, error) {
	var keys []ed25519.PublicKey
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("trusted key: %w", err)
		}
		der, err := unwrap(raw, publicBlock)
		if err != nil {
			return nil, fmt.Errorf("trusted key %s: %w", path, err)
		}
		parsed, err := x509.ParsePKIXPublicKey(der)
		if err != nil {
			return nil, fmt.Errorf("trusted key %s: %w", path, err)
		}
		key, ok := parsed.(ed25519.PublicKey)
		if !ok {
			return nil, fmt.Errorf("trusted key %s: it is a %T; decisions are signed with Ed25519", path, parsed)
		}
		keys = append(keys, key)
	}
	return NewKeyring(keys...), nil
}

// Verify says whether a decision was signed by a trusted key and is as it was
// signed. It does not say whether it counts: that depends on the release.
func (k *Keyring) Verify(d lifecycle.Decision) lifecycle.Verified {
	if len(d.Signature) == 0 {
		return refuse("it is not signed: decisions count only when given through the gateway")
	}
	key, ok := k.keys[d.Key]
	if !ok {
		return refuse("it is signed by key %q, which is not trusted here", d.Key)
	}
	text, err := d.SigningBytes()
	if err != nil {
		return refuse("%v", err)
	}
	if !ed25519.Verify(key, text, d.Signature) {
		return refuse("its signature does not fit: it was changed after it was signed")
	}
	if d.Subject == "" {
		return refuse("it names no person")
	}
	return lifecycle.Verified{OK: true}
}

func refuse(format string, args ...any) lifecycle.Verified {
	return lifecycle.Verified{Why: fmt.Sprintf(format, args...)}
}
