package gateway

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"steward/internal/lifecycle"
)

// A key stands for what one person asked once: Temporal would drop what others
// ask with the same key, and answer as if it were done.
func TestKeysDoNotCollide(t *testing.T) {
	good, bad := `{"approve": true, "digest": "`+digestOf("e")+`"}`, `{"approve": false, "digest": "`+digestOf("e")+`"}`
	other := `{"approve": true, "digest": "` + digestOf("f") + `"}`
	seen := map[string]string{}
	for _, r := range []struct{ who, path, body string }{
		{"oli", "pause", `{"reason": "x"}`}, {"ana", "pause", `{"reason": "x"}`}, {"oli", "resume", `{"reason": "x"}`},
		{"oli", "releases/1/cancel", `{"reason": "x"}`}, {"oli", "releases/1/rollout", `{"promote": true}`}, {"oli", "releases/1/rollout", `{"promote": false}`},
		{"oli", "releases/1/decision", good}, {"ana", "releases/1/decision", good}, {"oli", "releases/1/decision", bad}, {"oli", "releases/1/decision", other},
	} {
		var ids []string
		for _, key := range []string{"k1", "k1", "k2", ""} {
			s := newSite(t)
			s.state("model/m", lifecycle.ModelState{})
			s.updates(struct{}{}, nil, nil)
			rec := s.ask(r.who, "POST", "/v1/models/m/"+r.path, r.body, "Idempotency-Key", key)
			require.Equal(t, 200, rec.Code, rec.Body.String())
			sent := s.temporal.Calls[len(s.temporal.Calls)-1].Arguments.Get(1).(client.UpdateWorkflowOptions)
			ids = append(ids, sent.UpdateID)
		}
		what := r.who + " " + r.path + " " + r.body
		require.Len(t, ids[0], 64)
		require.Equal(t, ids[0], ids[1], "a repeat: %s", what)
		require.NotEqual(t, ids[0], ids[2])
		require.Empty(t, ids[3], "no key, no id")
		require.NotContains(t, seen, ids[0], what)
		seen[ids[0]] = what
	}
	require.NotEqual(t, once("a", "b", "k", "file"), once("a", "b", "k", "file, changed"))
}
