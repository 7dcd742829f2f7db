package evidence

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

func chain(t *testing.T, n int) []lifecycle.Entry {
	t.Helper()
	var out []lifecycle.Entry
	var last lifecycle.Entry
	for i := range n {
		e, err := seal(entry(fmt.Sprint(i)), last)
		require.NoError(t, err)
		out, last = append(out, e), e
	}
	return out
}

func TestTampering(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func([]lifecycle.Entry) []lifecycle.Entry
		want   string
	}{
		{"untouched", func(e []lifecycle.Entry) []lifecycle.Entry { return e }, ""},
		{"text", func(e []lifecycle.Entry) []lifecycle.Entry { e[3].Text = "all was well"; return e }, "entry 4 (model.alert) was changed"},
		{"data", func(e []lifecycle.Entry) []lifecycle.Entry { e[3].Data["share"] = 0.2; return e }, "entry 4 (model.alert) was changed"},
		{"actor of the last", func(e []lifecycle.Entry) []lifecycle.Entry { e[5].Actor = "eve"; return e }, "entry 6 (model.alert) was changed"},
		{"time", func(e []lifecycle.Entry) []lifecycle.Entry { e[0].At = e[0].At.Add(1); return e }, "entry 1 (model.alert) was changed"},
		{"digest", func(e []lifecycle.Entry) []lifecycle.Entry { e[2].Digest = e[1].Digest; return e }, "entry 3 (model.alert) was changed"},
		{"first dropped", func(e []lifecycle.Entry) []lifecycle.Entry { return e[1:] }, "entry 1 is missing"},
		{"middle dropped", func(e []lifecycle.Entry) []lifecycle.Entry { return append(e[:2], e[3:]...) }, "entry 3 is missing"},
		{"middle cut out", func(e []lifecycle.Entry) []lifecycle.Entry { return append(e[:1], e[5:]...) }, "entry 2 is missing"},
		{"reordered", func(e []lifecycle.Entry) []lifecycle.Entry { e[2], e[3] = e[3], e[2]; return e }, "entry 3 is missing: entry 4 stands"},
		{"repeated", func(e []lifecycle.Entry) []lifecycle.Entry { e[3] = e[2]; return e }, "entry 3 stands where entry 4 belongs"},
		{"renumbered", func(e []lifecycle.Entry) []lifecycle.Entry {
			e = append(e[:2], e[3:]...)
			for i := range e {
				e[i].Seq = int64(i + 1)
			}
			return e
		}, "entry 3 (model.alert) was changed"},
		{"edited and sealed again", func(e []lifecycle.Entry) []lifecycle.Entry {
			e[2].Text = "all was well"
			e[2].Digest, _ = digest(e[2])
			return e
		}, "entry 4 follows an entry with digest"},
		{"of another model", func(e []lifecycle.Entry) []lifecycle.Entry {
			e[4].Model = "churn"
			e[4].Digest, _ = digest(e[4])
			return e
		}, `entry 5 belongs to model "churn"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Verify(tt.change(chain(t, 6)))
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// A ledger that travelled as JSON, e.g. through the API, verifies as well.
func TestVerifyAfterJSON(t *testing.T) {
	raw, err := json.MarshalIndent(chain(t, 4), "", "  ")
	require.NoError(t, err)
	var entries []lifecycle.Entry
	require.NoError(t, json.Unmarshal(raw, &entries))
	require.NoError(t, Verify(entries))
}

func TestTamperingInTheStore(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*testing.T, *store, *Ledger)
		want   string
	}{
		{"last cut off", func(t *testing.T, s *store, l *Ledger) { s.delete(t, l.entryURI("fraud", 5)) }, "entry 5 is missing: the ledger was cut off"},
		{"two cut off", func(t *testing.T, s *store, l *Ledger) {
			s.delete(t, l.entryURI("fraud", 5))
			s.delete(t, l.entryURI("fraud", 4))
		}, "is missing: the ledger was cut off behind entry 3"},
		{"middle deleted", func(t *testing.T, s *store, l *Ledger) { s.delete(t, l.entryURI("fraud", 3)) }, "entry 3 is missing"},
		{"field added", func(t *testing.T, s *store, l *Ledger) {
			raw, err := s.Get(t.Context(), l.entryURI("fraud", 2))
			require.NoError(t, err)
			require.NoError(t, s.Put(t.Context(), l.entryURI("fraud", 2), append([]byte(`{"approvedBy":"eve",`), raw[1:]...)))
		}, "entry 2 (s3://steward/models/fraud/ledger/000000000002.json) was changed"},
		{"garbage", func(t *testing.T, s *store, l *Ledger) {
			require.NoError(t, s.Put(t.Context(), l.entryURI("fraud", 2), []byte("gone")))
		}, "entry 2 (s3://steward/models/fraud/ledger/000000000002.json) was changed"},
		{"foreign object", func(t *testing.T, s *store, l *Ledger) {
			require.NoError(t, s.Put(t.Context(), l.dir("fraud")+"ledger/2.json", []byte("{}")))
		}, "ledger/2.json is not the name of an entry"},
		{"last replaced by a sealed one", func(t *testing.T, s *store, l *Ledger) {
			entries, err := l.Read(t.Context(), "fraud")
			require.NoError(t, err)
			forged, err := seal(entry("forged"), entries[3])
			require.NoError(t, err)
			raw, err := json.Marshal(forged)
			require.NoError(t, err)
			require.NoError(t, s.Put(t.Context(), l.entryURI("fraud", 5), raw))
		}, "entry 5 was replaced"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStore(t)
			ledger := NewLedger(s.Objects, bucket)
			for i := range 5 {
				_, err := ledger.Append(t.Context(), entry(fmt.Sprint(i)))
				require.NoError(t, err)
			}
			_, err := ledger.Audit(t.Context(), "fraud")
			require.NoError(t, err)
			tt.change(t, s, ledger)
			_, err = ledger.Audit(t.Context(), "fraud")
			require.ErrorContains(t, err, tt.want)
		})
	}
}
