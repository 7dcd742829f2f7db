package evidence

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"steward/internal/lifecycle"
)

const (
	privateBlock = "PRIVATE KEY" // PKCS #8
	publicBlock  = "PUBLIC KEY"  // PKIX
)

// Signer signs decisions for the people whom the gateway has authenticated.
type Signer struct {
	key    crypto.Signer
	public ed25519.PublicKey
}

// NewSigner signs with a key that lives elsewhere, e.g. in a key management
// service. It refuses any key but Ed25519.
func NewSigner(key crypto.Signer) (*Signer, error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("signing key is a %T; decisions are signed with Ed25519", key.Public())
	}
	return &Signer{key: key, public: public}, nil
}

// OpenSigner reads the private key in a PEM file (PKCS #8, as `openssl genpkey
// -algorithm ed25519` writes it). A file that does not exist is made, with a new
// key and for its owner only; one that others may read is refused.
func OpenSigner(path string) (*Signer, error) {
	raw, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = makeKey(path)
		if err == nil || errors.Is(err, fs.ErrExist) { // another process may have been first
			raw, err = readPrivate(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	der, err := unwrap(raw, privateBlock)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", path, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", path, err)
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("signing key %s: a %T cannot sign", path, parsed)
	}
	signer, err := NewSigner(key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return signer, nil
}

func readPrivate(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read by others (mode %04o): run chmod 600 on it", path, mode)
	}
	return os.ReadFile(path)
}

// makeKey writes a whole new key under the path or nothing: the link fails when
// the path exists by then.
func makeKey(path string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	err = errors.Join(pem.Encode(tmp, &pem.Block{Type: privateBlock, Bytes: der}), tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	return os.Link(tmp.Name(), path)
}

// Public is the key that verifies what this signer signs.
func (s *Signer) Public() ed25519.PublicKey { return s.public }

// PublicPEM is the public key as a file for LoadKeyring.
func (s *Signer) PublicPEM() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(s.public)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: publicBlock, Bytes: der}), nil
}

// Sign returns the decision with the id of the key and the signature.
func (s *Signer) Sign(d lifecycle.Decision) (lifecycle.Decision, error) {
	d.Key, d.At = KeyID(s.public), d.At.UTC()
	text, err := d.SigningBytes()
	if err != nil {
		return d, err
	}
	d.Signature, err = s.key.Sign(rand.Reader, text, crypto.Hash(0))
	if err != nil {
		return d, fmt.Errorf("sign the decision of %s: %w", d.Subject, err)
	}
	return d, nil
}

// KeyID names a public key: the first 16 bytes of its SHA-256, in hex.
func KeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:16])
}

func unwrap(raw []byte, kind string) ([]byte, error) {
	block, _ := pem.Decode(raw)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("it holds no PEM block %q", kind)
	}
	return block.Bytes, nil
}
