package evidence

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

var (
	of   = lifecycle.Of{Model: "fraud", Release: 4}
	pack = lifecycle.Evidence{URI: "s3://steward/x", Digest: "sha256:1234"}
	rule = lifecycle.Approval{NotAuthor: true, Require: []lifecycle.Requirement{
		{Role: lifecycle.DataScientist}, {Role: lifecycle.ProductManager, Count: 2}}}
)

func signer(t *testing.T) *Signer {
	t.Helper()
	s, err := OpenSigner(filepath.Join(t.TempDir(), "keys", "signing.pem"))
	require.NoError(t, err)
	return s
}

func decision(subject string, roles ...lifecycle.Role) lifecycle.Decision {
	return lifecycle.Decision{Model: of.Model, Release: of.Release, Digest: pack.Digest, Subject: subject, Roles: roles,
		Approve: true, Comment: "read it", At: time.Date(2026, 5, 6, 7, 8, 9, 10, time.FixedZone("x", 7200))}
}

func TestSignatures(t *testing.T) {
	ours, theirs := signer(t), signer(t)
	ring := NewKeyring(ours.Public())
	for _, tt := range []struct {
		name   string
		by     *Signer
		change func(*lifecycle.Decision)
		want   string
	}{
		{"as signed", ours, func(*lifecycle.Decision) {}, ""},
		{"counted by the workflow", ours, func(d *lifecycle.Decision) { d.Counted, d.Note = true, "noted" }, ""},
		{"same instant elsewhere", ours, func(d *lifecycle.Decision) { d.At = d.At.Local() }, ""},
		{"not signed", ours, func(d *lifecycle.Decision) { d.Signature = nil }, "not signed"},
		{"unknown key", theirs, func(*lifecycle.Decision) {}, "not trusted"},
		{"foreign key under our name", theirs, func(d *lifecycle.Decision) { d.Key = KeyID(ours.Public()) }, "does not fit"},
		{"other evidence", ours, func(d *lifecycle.Decision) { d.Digest = "sha256:5678" }, "does not fit"},
		{"other release", ours, func(d *lifecycle.Decision) { d.Release++ }, "does not fit"},
		{"other model", ours, func(d *lifecycle.Decision) { d.Model = "churn" }, "does not fit"},
		{"other person", ours, func(d *lifecycle.Decision) { d.Subject = "eve" }, "does not fit"},
		{"more roles", ours, func(d *lifecycle.Decision) { d.Roles = append(d.Roles, lifecycle.ProductManager) }, "does not fit"},
		{"other answer", ours, func(d *lifecycle.Decision) { d.Approve = false }, "does not fit"},
		{"other comment", ours, func(d *lifecycle.Decision) { d.Comment = "" }, "does not fit"},
		{"other time", ours, func(d *lifecycle.Decision) { d.At = d.At.Add(1) }, "does not fit"},
		{"cut signature", ours, func(d *lifecycle.Decision) { d.Signature = d.Signature[:10] }, "does not fit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := tt.by.Sign(decision("ada", lifecycle.DataScientist))
			require.NoError(t, err)
			tt.change(&d)
			v := ring.Verify(d)
			require.Equal(t, tt.want == "", v.OK)
			require.Contains(t, v.Why, tt.want)
		})
	}
}

func TestApprovals(t *testing.T) {
	s, alien := signer(t), signer(t)
	ring := NewKeyring(s.Public())
	ds := decision("ada", lifecycle.DataScientist)
	pm1, pm2 := decision("bob", lifecycle.ProductManager), decision("cy", lifecycle.ProductManager)
	both := decision("bob", lifecycle.DataScientist, lifecycle.ProductManager)
	old := ds
	old.Digest = "sha256:old"
	elsewhere := ds
	elsewhere.Release = 3
	no := pm2
	no.Approve = false
	for _, tt := range []struct {
		name   string
		by     *Signer
		rule   lifecycle.Approval
		author string
		given  []lifecycle.Decision
		want   string
	}{
		{"all of them", s, rule, "dan", []lifecycle.Decision{ds, pm1, pm2}, ""},
		{"nobody", s, rule, "dan", nil, "still wanted: 1 data-scientist, 2 product-manager"},
		{"one too few", s, rule, "dan", []lifecycle.Decision{ds, pm1}, "still wanted: 1 product-manager"},
		{"one person twice", s, rule, "dan", []lifecycle.Decision{ds, pm1, pm1}, "still wanted: 1 product-manager"},
		{"two roles in one person", s, rule, "dan", []lifecycle.Decision{both, pm2}, "still wanted"},
		{"the author", s, rule, "ada", []lifecycle.Decision{ds, pm1, pm2}, "still wanted: 1 data-scientist"},
		{"a rejection", s, rule, "dan", []lifecycle.Decision{ds, pm1, no}, "was rejected by cy"},
		{"not trusted", alien, rule, "dan", []lifecycle.Decision{ds, pm1, pm2}, "the decision of ada does not count"},
		{"older evidence", s, rule, "dan", []lifecycle.Decision{old, pm1, pm2}, "about the evidence sha256:old, not sha256:1234"},
		{"other release", s, rule, "dan", []lifecycle.Decision{elsewhere, pm1, pm2}, "about model/fraud/release/3"},
		{"a rule that asks nobody", s, lifecycle.Approval{}, "dan", []lifecycle.Decision{ds}, "asks nobody"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var signed []lifecycle.Decision
			for _, d := range tt.given {
				d, err := tt.by.Sign(d)
				require.NoError(t, err)
				signed = append(signed, d)
			}
			err := VerifyApprovals(of, pack, tt.rule, tt.author, signed, ring)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, lifecycle.NotApproved, lifecycle.ErrorType(err))
		})
	}
	t.Run("changed on the way", func(t *testing.T) {
		signed, err := s.Sign(pm2)
		require.NoError(t, err)
		signed.Roles = []lifecycle.Role{lifecycle.DataScientist}
		require.ErrorContains(t, VerifyApprovals(of, pack, rule, "dan", []lifecycle.Decision{signed}, ring), "changed after it was signed")
	})
}

func TestKeyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "signing.pem")
	var group sync.WaitGroup
	opened := make([]*Signer, 8)
	for i := range opened {
		group.Go(func() { opened[i], _ = OpenSigner(path) })
	}
	group.Wait()
	for _, s := range opened {
		require.NotNil(t, s)
		require.Equal(t, opened[0].Public(), s.Public(), "all processes use the one key")
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	public := filepath.Join(t.TempDir(), "public.pem")
	raw, err := opened[0].PublicPEM()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(public, raw, 0o644))
	ring, err := LoadKeyring(public)
	require.NoError(t, err)
	signed, err := opened[0].Sign(decision("ada"))
	require.NoError(t, err)
	require.True(t, ring.Verify(signed).OK)

	require.NoError(t, os.Chmod(path, 0o640))
	_, err = OpenSigner(path)
	require.ErrorContains(t, err, "run chmod 600")
	_, err = LoadKeyring(path)
	require.ErrorContains(t, err, `no PEM block "PUBLIC KEY"`)
	_, err = LoadKeyring(public, public+"x")
	require.ErrorIs(t, err, os.ErrNotExist)

	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, err = NewSigner(other)
	require.ErrorContains(t, err, "Ed25519")
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	_, err = NewSigner(key)
	require.NoError(t, err)
}
