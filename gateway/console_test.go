package gateway

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"steward/internal/lifecycle"
)

// page asks for a page as a browser does and returns its elements by id.
func (s *site) page(t *testing.T, who, method, path, form string) (*httptest.ResponseRecorder, map[string]*html.Node) {
	t.Helper()
	rec := s.ask(who, method, path, form, "Accept", "text/html", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	return rec, parsed(t, rec.Body.String())
}

func parsed(t *testing.T, text string) map[string]*html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(text))
	require.NoError(t, err)
	ids := map[string]*html.Node{}
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			require.NotEqual(t, "style", a.Key, "the content security policy forbids inline styles")
			require.False(t, strings.HasPrefix(a.Key, "on"), "and inline scripts: %s", a.Key)
			if a.Key == "id" {
				require.NotContains(t, ids, a.Val, "ids are unique")
				ids[a.Val] = n
			}
		}
	}
	return ids
}

// text is what a reader sees of an element, with single blanks.
func text(n *html.Node) string {
	if n == nil {
		return ""
	}
	var words []string
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			words = append(words, strings.Fields(d.Data)...)
		}
	}
	return strings.Join(words, " ")
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func TestModelsPage(t *testing.T) {
	s := newSite(t)
	s.list()
	rec, ids := s.page(t, "rita", "GET", "/", "")
	require.Equal(t, http.StatusOK, rec.Code)
	got := text(ids["models"])
	require.Contains(t, got, "card-fraud unknown nothing yet – nobody")
	require.Contains(t, got, "churn retention good release 14 serving nobody")
	require.Contains(t, got, "flight-delay rebooking degraded release 1 approval product-manager")
	require.Contains(t, got, "parcel-eta logistics watch release 7 rollout go on after the first hour?")
}

func TestModelPageWhileAwaiting(t *testing.T) {
	s := newSite(t)
	s.sample(sampleModel(), sampleRelease())
	rec, ids := s.page(t, "pat", "GET", "/models/flight-delay", "")
	require.Equal(t, http.StatusOK, rec.Code, s.log.String())
	release := text(ids["release"])
	for _, want := range []string{
		"Release 2 approval", "auc was below 0.68 in 2 windows in a row", "Waiting for product-manager",
		"trees winner steward/trees trained 0.7361 0.1281 0.4102", "auc at least 0.65 pass", "auc 0.6633 0.7322 +0.0689 95 %: +0.0641 to +0.0736",
		"ana approves data-scientist", "slices look sound", digestOf("e"),
	} {
		require.Contains(t, release, want)
	}
	for _, id := range []string{"approve", "reject", "comment"} {
		require.Contains(t, ids, id)
	}
	require.Contains(t, rec.Body.String(), `name="digest" value="`+digestOf("e")+`"`)
	require.Contains(t, rec.Body.String(), `href="/v1/models/flight-delay/releases/2/evidence"`)
	require.Contains(t, rec.Body.String(), `href="http://127.0.0.1:8233/namespaces/default/workflows/model%2Fflight-delay%2Frelease%2F2"`)
	require.Contains(t, text(ids["windows"]), "16 measured")
	require.Equal(t, 2, strings.Count(rec.Body.String(), `<svg class="chart"`))
	require.Contains(t, text(ids["history"]), "1 released manual by deniz first version")
	require.Contains(t, text(ids["ledger"]), "approves release 2: slices look sound")
	require.Contains(t, text(ids["doubts"]), "quality: auc ")
	require.NotContains(t, ids, "retired")
	require.NotContains(t, ids, "orders", "a product manager gives no orders")
}

func TestRetiredModelPage(t *testing.T) {
	s, m := newSite(t), sampleModel()
	m.Champion, m.InFlight = nil, nil
	m.Retired = &lifecycle.Trigger{Author: "oli", Reason: "replaced", At: t0}
	s.sample(m, sampleRelease())
	_, ids := s.page(t, "pat", "GET", "/models/flight-delay", "")
	require.Equal(t, "Being retired, asked for by oli: replaced", text(ids["retired"]))
	s = newSite(t)
	m.Gone = t0
	s.sample(m, sampleRelease())
	_, ids = s.page(t, "pat", "GET", "/models/flight-delay", "")
	require.Contains(t, text(ids["retired"]), "asked for by oli: replaced")
	require.Contains(t, text(ids["retired"]), "Nothing of it serves any more")
	require.NotContains(t, ids, "doubts")
}

func TestWhoIsAskedToDecide(t *testing.T) {
	for _, tt := range []struct {
		who, author string
		form        bool
		says        string
	}{
		{"pat", "deniz", true, ""},
		{"ana", "deniz", true, ""},
		{"ana", "ana", false, "You started this release"},
		{"oli", "deniz", false, "None of your roles is asked."},
		{"rita", "deniz", false, "None of your roles is asked."},
	} {
		t.Run(tt.who+" asked by "+tt.author, func(t *testing.T) {
			s, r := newSite(t), sampleRelease()
			r.Trigger.Author = tt.author
			s.sample(sampleModel(), r)
			_, ids := s.page(t, tt.who, "GET", "/models/flight-delay", "")
			require.Equal(t, tt.form, ids["approve"] != nil)
			require.Contains(t, text(ids["decide"]), tt.says)
		})
	}
}

func TestModelPageInOtherStates(t *testing.T) {
	t.Run("training", func(t *testing.T) {
		s, r := newSite(t), sampleRelease()
		r.Stage, r.Awaiting, r.Winner = lifecycle.StageTrain, nil, ""
		r.Candidates[1].Model, r.Candidates[1].Validation = nil, nil
		s.sample(sampleModel(), r, lifecycle.Progress{Job: r.Candidates[1].Job, Status: "InProgress", Done: 0.42})
		rec, ids := s.page(t, "oli", "GET", "/models/flight-delay", "")
		require.Equal(t, http.StatusOK, rec.Code, s.log.String())
		require.Contains(t, text(ids["release"]), "InProgress 42 %")
		require.NotContains(t, ids, "approve")
		require.Contains(t, text(ids["orders"]), "Stop release 2")
	})
	t.Run("rollout waits", func(t *testing.T) {
		s, r := newSite(t), sampleRelease()
		r.Stage, r.Awaiting = lifecycle.StageRollout, nil
		r.Times = append(r.Times, lifecycle.StageTime{Stage: lifecycle.StageRollout, Start: after(160)})
		s.sample(sampleModel(), r)
		s.state(lifecycle.RolloutID("flight-delay", 2), sampleRollout())
		rec, ids := s.page(t, "oli", "GET", "/models/flight-delay", "")
		require.Equal(t, http.StatusOK, rec.Code, s.log.String())
		require.Contains(t, text(ids["release"]), "r1 90 %")
		require.Contains(t, text(ids["release"]), "p99 41 ms ≤ 200ms")
		require.Contains(t, ids, "promote")
		require.Contains(t, ids, "abort")
	})
	t.Run("failed", func(t *testing.T) {
		s, r := newSite(t), sampleRelease()
		r.Stage, r.Awaiting, r.Problem = lifecycle.StageFailed, nil, &lifecycle.Problem{Type: lifecycle.GatesFailed, Message: "auc <b>0.6</b> is below 0.65"}
		s.sample(sampleModel(), r)
		rec, ids := s.page(t, "oli", "GET", "/models/flight-delay", "")
		require.Contains(t, text(ids["release"]), "GatesFailed auc <b>0.6</b> is below 0.65")
		require.NotContains(t, rec.Body.String(), "<b>0.6</b>", "escaped")
		require.Contains(t, rec.Body.String(), `<li class="failed">`)
	})
	t.Run("declared only", func(t *testing.T) {
		s := newSite(t)
		s.state(lifecycle.ModelID("new"), lifecycle.ModelState{Model: lifecycle.Metadata{Name: "new"}, Spec: sampleSpec(), Health: lifecycle.HealthUnknown})
		rec, ids := s.page(t, "oli", "GET", "/models/new", "")
		require.Equal(t, http.StatusOK, rec.Code, s.log.String())
		require.Contains(t, text(ids["release"]), "Nothing has been released yet.")
		require.Contains(t, text(ids["windows"]), "No window has closed yet")
		require.Contains(t, text(ids["ledger"]), "Nothing was recorded yet.")
	})
	t.Run("history is gone", func(t *testing.T) {
		s := newSite(t)
		s.sample(sampleModel(), sampleRelease())
		s.absent()
		rec, ids := s.page(t, "oli", "GET", "/models/flight-delay?release=1", "")
		require.Equal(t, http.StatusOK, rec.Code, s.log.String())
		require.Contains(t, text(ids["release"]), "Temporal keeps this release's history no longer")
		require.Contains(t, rec.Body.String(), `data-poll="/models/flight-delay?release=1"`)
		rec, _ = s.page(t, "oli", "GET", "/models/flight-delay?release=7", "")
		require.Equal(t, http.StatusNotFound, rec.Code)
	})
	t.Run("rollback under way", func(t *testing.T) {
		s, m := newSite(t), sampleModel()
		id := lifecycle.RollbackID("flight-delay", 2, 1)
		m.InFlight = &lifecycle.InFlight{Release: 2, Rollback: true, Workflow: id, Started: after(200)}
		s.sample(m, sampleRelease())
		s.state(id, sampleRollout())
		rec, _ := s.page(t, "oli", "GET", "/models/flight-delay", "")
		require.Equal(t, http.StatusOK, rec.Code, s.log.String())
		require.Contains(t, rec.Body.String(), "Rollback to release 2")
	})
	t.Run("the ledger cannot be read", func(t *testing.T) {
		s := newSite(t)
		s.sample(sampleModel(), sampleRelease())
		s.archive.err = errors.New("s3 is down at 10.0.0.1")
		rec, ids := s.page(t, "oli", "GET", "/models/flight-delay", "")
		require.Equal(t, http.StatusOK, rec.Code)
		require.Contains(t, text(ids["ledger"]), "cannot be read at the moment")
		require.Contains(t, s.log.String(), "s3 is down")
		_, ids = s.page(t, "oli", "GET", "/models/flight-delay", "")
		require.Contains(t, text(ids["ledger"]), "cannot be read at the moment")
		require.Equal(t, 1, s.archive.reads, "a store in trouble is left alone for a while")
	})
}

func TestLedgerIsReadOnceInAWhile(t *testing.T) {
	s := newSite(t)
	s.sample(sampleModel(), sampleRelease())
	for range 3 {
		s.page(t, "oli", "GET", "/models/flight-delay", "")
	}
	require.Equal(t, 1, s.archive.reads)
}

func TestUnknownModelPage(t *testing.T) {
	s := newSite(t)
	s.absent()
	rec, _ := s.page(t, "oli", "GET", "/models/nobody", "")
	require.Equal(t, http.StatusNotFound, rec.Code)
	require.Contains(t, rec.Body.String(), "Model nobody is not known; `steward status` lists the models")
	require.NotContains(t, rec.Body.String(), "data-poll")
	rec, _ = s.page(t, "oli", "GET", "/models/No_Body", "")
	require.Equal(t, http.StatusNotFound, rec.Code)
}

func TestTimeline(t *testing.T) {
	states := func(r lifecycle.ReleaseState) string {
		var s []string
		for _, v := range timeline(r) {
			s = append(s, string(v.Name)+"="+v.State)
		}
		return strings.Join(s, " ")
	}
	r := sampleRelease()
	require.Equal(t, "snapshot=done check=done prepare=done train=done evaluate=done gates=done register=done evidence=done approval=waiting rollout= released=", states(r))
	r.Stage = lifecycle.StageRejected
	require.Contains(t, states(r), "approval=failed rollout= released=")
	r.Times = append(r.Times, lifecycle.StageTime{Stage: lifecycle.StageUndo, Start: after(158)})
	r.Stage = lifecycle.StageUndo
	require.Contains(t, states(r), "approval=failed", "while it is undone too")
	r.Times[9].Stage, r.Stage, r.Awaiting = lifecycle.StageRollout, lifecycle.StageReleased, nil
	require.Contains(t, states(r), "approval=done rollout=done released=done")
}

func TestAssets(t *testing.T) {
	s := newSite(t)
	for path, kind := range map[string]string{"/assets/console.css": "text/css", "/assets/plot.css": "text/css", "/assets/console.js": "text/javascript", "/assets/icon.svg": "image/svg+xml"} {
		rec := s.ask("", "GET", path, "")
		require.Equal(t, http.StatusOK, rec.Code)
		require.Contains(t, rec.Header().Get("Content-Type"), kind)
		body, err := io.ReadAll(rec.Body)
		require.NoError(t, err)
		require.NotEmpty(t, body)
	}
	require.Equal(t, http.StatusNotFound, s.ask("", "GET", "/assets/console.go", "").Code)
}
