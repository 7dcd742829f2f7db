package sns

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // SignatureVersion 1 is SHA1
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	bolt "go.etcd.io/bbolt"
)

// certificateLife is long, for the certificate of a cloud is not renewed.
const certificateLife = 20 * 365 * 24 * time.Hour

// signer signs messages. Its certificate is in a file named after its contents.
type signer struct {
	key  *rsa.PrivateKey
	pem  []byte
	file string
}

var (
	privateKey  = []byte("private-key")
	certificate = []byte("certificate")
)

// ensureSigner reads the key of this cloud or, the first time, makes it.
func (s *Service) ensureSigner() (*signer, error) {
	s.signing.Lock()
	defer s.signing.Unlock()
	if s.signer != nil {
		return s.signer, nil
	}
	var key, cert []byte
	err := s.db.Update(func(tx *bolt.Tx) (err error) {
		b := tx.Bucket(keyBucket)
		if stored := b.Get(privateKey); stored != nil {
			key, cert = append(key, stored...), append(cert, b.Get(certificate)...)
			return nil
		}
		if key, cert, err = newKey(time.Now()); err != nil {
			return err
		}
		if err := b.Put(privateKey, key); err != nil {
			return err
		}
		return b.Put(certificate, cert)
	})
	if err != nil {
		return nil, fmt.Errorf("the key that signs messages: %w", err)
	}
	parsed, err := x509.ParsePKCS1PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("the key that signs messages is damaged: %w", err)
	}
	sum := sha256.Sum256(cert)
	s.signer = &signer{parsed, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), "SimpleNotificationService-" + hex.EncodeToString(sum[:16]) + ".pem"}
	return s.signer, nil
}

// newKey makes a key and its certificate, in DER.
func newKey(now time.Time) (key, cert []byte, err error) {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	c := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "sns.amazonaws.com", Organization: []string{"Steward local cloud"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife), KeyUsage: x509.KeyUsageDigitalSignature}
	cert, err = x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	return x509.MarshalPKCS1PrivateKey(k), cert, err
}

// sign gives the signature of a text, base64, by a SignatureVersion.
func (s *signer) sign(text, version string) (string, error) {
	hash, sum := crypto.SHA256, sha256.New()
	if version == "1" {
		hash, sum = crypto.SHA1, sha1.New() //nolint:gosec // as above
	}
	sum.Write([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, s.key, hash, sum.Sum(nil))
	return base64.StdEncoding.EncodeToString(signature), err
}
