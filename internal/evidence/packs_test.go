package evidence

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

func manifest() lifecycle.Manifest {
	return lifecycle.Manifest{Model: lifecycle.Metadata{Name: "fraud"}, Release: 4, Winner: "trees",
		Sealed: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Verdicts: []lifecycle.Verdict{{Gate: "auc at least 0.6", Outcome: lifecycle.Pass}}}
}

func TestSealAndLoad(t *testing.T) {
	s := newStore(t)
	packs := NewPacks(s.Objects, bucket)
	sealed, err := packs.Seal(t.Context(), manifest())
	require.NoError(t, err)
	require.Equal(t, "s3://steward/models/fraud/evidence/4/manifest.json", sealed.URI)
	again, err := packs.Seal(t.Context(), manifest())
	require.NoError(t, err)
	require.Equal(t, sealed, again, "sealing twice changes nothing")

	changed := manifest()
	changed.Winner = "linear"
	other, err := packs.Seal(t.Context(), changed)
	require.NoError(t, err)
	require.NotEqual(t, sealed.Digest, other.Digest)
	require.Equal(t, "s3://steward/models/fraud/evidence/4/manifest-"+other.Digest[7:15]+".json", other.URI)

	for want, pack := range map[string]lifecycle.Evidence{"trees": sealed, "linear": other} {
		m, err := packs.Load(t.Context(), pack)
		require.NoError(t, err)
		require.Equal(t, want, m.Winner)
		require.Equal(t, lifecycle.ManifestFormat, m.Format)
	}
}

func TestLoadRefuses(t *testing.T) {
	s := newStore(t)
	packs := NewPacks(s.Objects, bucket)
	sealed, err := packs.Seal(t.Context(), manifest())
	require.NoError(t, err)
	raw, err := packs.Bytes(t.Context(), sealed)
	require.NoError(t, err)
	alien := []byte(`{"format":"steward/evidence/v9"}`)

	for _, tt := range []struct {
		name   string
		stored []byte
		digest string
		want   string
	}{
		{"one byte more", append(raw, '\n'), sealed.Digest, "was changed: it has digest " + digestOf(append(raw, '\n'))},
		{"another pack", raw, digestOf(alien), "the decisions rest on " + digestOf(alien)},
		{"unknown format", alien, digestOf(alien), `format "steward/evidence/v9" is not known`},
		{"not json", []byte("x"), digestOf([]byte("x")), "invalid character"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, s.Put(t.Context(), sealed.URI, tt.stored))
			_, err := packs.Load(t.Context(), lifecycle.Evidence{URI: sealed.URI, Digest: tt.digest})
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, lifecycle.Invalid, lifecycle.ErrorType(err))
		})
	}
	_, err = packs.Load(t.Context(), lifecycle.Evidence{URI: sealed.URI + "x", Digest: sealed.Digest})
	require.ErrorIs(t, err, cloud.ErrNotFound)
}
