package activities

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/evidence"
	"steward/internal/lifecycle"
	"steward/internal/notify"
)

func TestRecords(t *testing.T) {
	w := newWorld(t)
	records := &Records{Ledger: evidence.NewLedger(w.objects, testBucket), Packs: w.deployment.Packs, Keys: w.deployment.Keys}
	head, err := ask(w, records.OpenLedger, testModel)
	require.NoError(t, err)
	require.Zero(t, head)
	e := lifecycle.Entry{ID: "model/fraud/1", Model: testModel, Release: 4, Kind: lifecycle.EntryOpened, Actor: "ada", At: time.Now()}
	for range 2 {
		require.NoError(t, tell(w, records.Record, e))
	}
	head, err = ask(w, records.OpenLedger, testModel)
	require.NoError(t, err)
	require.Equal(t, int64(1), head.Seq)
	require.Equal(t, 4, head.LastRelease)
	e.ID = ""
	require.Equal(t, lifecycle.Invalid, lifecycle.ErrorType(tell(w, records.Record, e)))

	pack, err := ask(w, records.Seal, w.manifest(4, "good"))
	require.NoError(t, err)
	again, err := ask(w, records.Seal, w.manifest(4, "good"))
	require.NoError(t, err)
	require.Equal(t, pack, again)

	d := w.approved(w.manifest(4, "good")).Approved[0]
	v, err := ask(w, records.VerifyDecision, d)
	require.NoError(t, err)
	require.Equal(t, lifecycle.Verified{OK: true}, v)
	d.Approve = false
	v, err = ask(w, records.VerifyDecision, d)
	require.NoError(t, err)
	require.False(t, v.OK)
	require.Contains(t, v.Why, "changed after it was signed")
}

func TestTellPeople(t *testing.T) {
	status := http.StatusTeapot
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(receiver.Close)
	people := &People{Notifier: notify.New(slog.New(slog.DiscardHandler), receiver.URL)}
	w := &world{T: t}
	require.ErrorContains(t, tell(w, people.Tell, lifecycle.Notice{Kind: lifecycle.NoticeReleased}), "418")
	status = http.StatusOK
	require.NoError(t, tell(w, people.Tell, lifecycle.Notice{Kind: lifecycle.NoticeReleased}))
}
