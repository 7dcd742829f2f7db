package gateway

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
	"steward/internal/report"
	"steward/internal/stats"
)

// judged is a document about a few scored rows.
func judged(t *testing.T, scores ...float64) string {
	t.Helper()
	s := stats.Scored{Score: scores}
	for i := range scores {
		s.Label = append(s.Label, float64(i%2))
	}
	j, err := report.Judge(s, 0.5)
	require.NoError(t, err)
	raw, err := json.Marshal(j)
	require.NoError(t, err)
	return string(raw)
}

func TestReleaseShowsWhatItWasJudgedBy(t *testing.T) {
	s := newSite(t)
	r := sampleRelease()
	r.Test.Curves = &lifecycle.Evidence{URI: "s3://demo/2/curves.json", Digest: digestOf("c")}
	r.Champion = &lifecycle.Evaluation{Curves: &lifecycle.Evidence{URI: "s3://demo/1/curves.json", Digest: digestOf("d")}}
	s.archive.packs = map[string]string{
		r.Test.Curves.URI:     judged(t, 0.1, 0.9, 0.4, 0.6),
		r.Champion.Curves.URI: judged(t, 0.3, 0.4, 0.6, 0.5),
	}
	s.sample(sampleModel(), r)
	body := s.ask("ana", "GET", "/models/flight-delay?release=2", "").Body.String()
	for _, want := range []string{`aria-label="ROC curve"`, `aria-label="reliability"`, `aria-label="scores by class"`, `aria-label="confusion matrix"`, ">champion<"} {
		require.Contains(t, body, want)
	}

	s.archive.packs = nil
	require.Contains(t, s.ask("ana", "GET", "/models/flight-delay?release=2", "").Body.String(), `aria-label="ROC curve"`, "what never changes is read once")
}

func TestReleaseWhoseDiagramsCannotBeRead(t *testing.T) {
	for name, document := range map[string]string{"no JSON": "{", "another format": `{"format":"steward/judged/v9"}`} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			r := sampleRelease()
			r.Test.Curves = &lifecycle.Evidence{URI: "s3://demo/2/curves.json", Digest: digestOf("c")}
			s.archive.packs = map[string]string{r.Test.Curves.URI: document}
			s.sample(sampleModel(), r)
			answer := s.ask("ana", "GET", "/models/flight-delay?release=2", "")
			require.Equal(t, http.StatusOK, answer.Code, "the rest of the page matters more")
			require.Contains(t, answer.Body.String(), "The diagrams cannot be read at the moment")
			require.Contains(t, s.log.String(), "s3://demo/2/curves.json")
		})
	}
}
