package gateway

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"steward/internal/lifecycle"
)

func TestDecisionForm(t *testing.T) {
	for _, tt := range []struct {
		name, form string
		refusal    error
		status     int
		says       string
	}{
		{"approve", "verdict=approve&comment=fine&digest=" + digestOf("e"), nil, http.StatusSeeOther, ""},
		{"too long", "verdict=approve&comment=" + strings.Repeat("é", 4001), nil, http.StatusUnprocessableEntity, "The comment has 4001 characters: shorten it to 4000"},
		{"neither", "verdict=maybe&comment=fine", nil, http.StatusUnprocessableEntity, "neither approve nor reject"},
		{"too late", "verdict=reject&comment=fine", lifecycle.Fail(lifecycle.Conflict, "release 2 is over"), http.StatusConflict, "Release 2 is over"},
		{"denied", "verdict=reject&comment=fine", lifecycle.Fail(lifecycle.Denied, "pat holds no role"), http.StatusForbidden, "Pat holds no role"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			s.sample(sampleModel(), sampleRelease())
			s.updates(sampleRelease(), nil, tt.refusal)
			rec, ids := s.page(t, "pat", "POST", "/models/flight-delay/releases/2/decision", tt.form)
			require.Equal(t, tt.status, rec.Code)
			if tt.status != http.StatusSeeOther {
				require.Contains(t, text(ids["notice"]), tt.says)
				kept, err := url.ParseQuery(tt.form)
				require.NoError(t, err)
				require.Equal(t, kept.Get("comment"), text(ids["comment"]), "what was written is kept")
				if tt.refusal == nil {
					s.temporal.AssertNotCalled(t, "UpdateWorkflow", mock.Anything, mock.Anything)
				}
				return
			}
			require.Equal(t, "/models/flight-delay", rec.Header().Get("Location"))
			s.temporal.AssertCalled(t, "UpdateWorkflow", mock.Anything, mock.MatchedBy(func(o client.UpdateWorkflowOptions) bool {
				d := o.Args[0].(lifecycle.Decision)
				return o.WorkflowID == "model/flight-delay/release/2" && o.UpdateName == lifecycle.DecideUpdate && d.Approve &&
					d.Comment == "fine" && d.Digest == digestOf("e") && d.Subject == "pat" && string(d.Signature) == "pat"
			}))
		})
	}
}

func TestOrderForms(t *testing.T) {
	for _, tt := range []struct {
		who, path, form, update string
		status                  int
	}{
		{"oli", "order", "order=release&reason=new+data", lifecycle.ReleaseUpdate, 303},
		{"oli", "order", "order=rollback&reason=worse", lifecycle.RollbackUpdate, 303},
		{"oli", "order", "order=pause&reason=holidays", lifecycle.PauseUpdate, 303},
		{"oli", "order", "order=resume&reason=over", lifecycle.ResumeUpdate, 303},
		{"oli", "order", "order=retire&reason=over", "", 422},
		{"oli", "order", "order=pause", "", 422},
		{"pat", "order", "order=pause&reason=x", "", 403},
		{"oli", "releases/2/cancel", "reason=wrong+data", lifecycle.CancelUpdate, 303},
		{"oli", "releases/2/rollout", "verdict=promote", lifecycle.PromoteUpdate, 303},
		{"oli", "releases/2/rollout", "verdict=abort", lifecycle.AbortUpdate, 303},
		{"oli", "releases/2/rollout", "verdict=", "", 422},
		{"oli", "releases/2/rollout", "verdict=Promote", "", 422},
		{"oli", "releases/2/rollout", "verdict=promote&comment=" + strings.Repeat("x", 4001), "", 422},
		{"oli", "releases/2/rollout", "verdict=promote&comment=" + strings.Repeat("%C3%A9", 4000), lifecycle.PromoteUpdate, 303},
		{"oli", "order", "order=pause&reason=" + strings.Repeat("%C3%A9", 1000), lifecycle.PauseUpdate, 303},
		{"oli", "order", "order=pause&reason=" + strings.Repeat("%0D%0A", 1000), lifecycle.PauseUpdate, 303},
		{"oli", "order", "order=pause&reason=" + strings.Repeat("x", 1001), "", 422},
		{"rita", "releases/2/rollout", "verdict=promote", "", 403},
		{"oli", "releases/zero/rollout", "verdict=promote", "", 422},
	} {
		t.Run(tt.who+" "+tt.path+" "+firstRunes(tt.form, 40), func(t *testing.T) {
			s := newSite(t)
			s.sample(sampleModel(), sampleRelease())
			s.updates(struct{}{}, nil, nil)
			rec, _ := s.page(t, tt.who, "POST", "/models/flight-delay/"+tt.path, tt.form)
			require.Equal(t, tt.status, rec.Code, rec.Body.String())
			if tt.update == "" {
				s.temporal.AssertNotCalled(t, "UpdateWorkflow", mock.Anything, mock.Anything)
				return
			}
			s.temporal.AssertCalled(t, "UpdateWorkflow", mock.Anything, mock.MatchedBy(func(o client.UpdateWorkflowOptions) bool {
				return o.UpdateName == tt.update
			}))
		})
	}
}

// Enter in a one-line field would press the first button of its form.
func TestEnterPressesNothing(t *testing.T) {
	s, r := newSite(t), sampleRelease()
	r.Times = append(r.Times, lifecycle.StageTime{Stage: lifecycle.StageRollout, Start: after(160)})
	s.sample(sampleModel(), r)
	s.state(lifecycle.RolloutID("flight-delay", 2), sampleRollout())
	_, ids := s.page(t, "ana", "GET", "/models/flight-delay", "")
	for _, id := range []string{"comment", "steer-comment", "reason", "cancel-reason"} {
		require.Contains(t, ids, id)
		require.Equal(t, "textarea", ids[id].Data, id)
	}
}

// The page is refreshed in place. A form about something else has another id,
// so that it is replaced: nobody answers for what they did not see.
func TestFormsAreAboutOneThing(t *testing.T) {
	forms := func(number int, digest string, step, previous int) map[string]string {
		s, m, r, rollout := newSite(t), sampleModel(), sampleRelease(), sampleRollout()
		m.InFlight.Release, m.Last = number, number
		m.Previous = &lifecycle.Champion{Release: previous}
		r.Number, r.Evidence.Digest, rollout.Release, rollout.Step = number, digest, number, step
		r.Times = append(r.Times, lifecycle.StageTime{Stage: lifecycle.StageRollout, Start: after(160)})
		s.state(lifecycle.ModelID("flight-delay"), m)
		s.state(lifecycle.ReleaseID("flight-delay", number), r)
		s.state(lifecycle.RolloutID("flight-delay", number), rollout)
		s.runs(lifecycle.ReleaseID("flight-delay", number))
		_, ids := s.page(t, "ana", "GET", "/models/flight-delay", "")
		of := map[string]string{}
		for _, button := range []string{"approve", "promote", "rollback", "cancel-reason"} {
			require.Contains(t, ids, button)
			for n := ids[button]; n != nil; n = n.Parent {
				if n.Data == "form" {
					of[button] = attr(n, "id")
				}
			}
			require.NotEmpty(t, of[button])
		}
		return of
	}
	first := forms(2, digestOf("e"), 3, 1)
	require.Equal(t, first, forms(2, digestOf("e"), 3, 1))
	for button, others := range map[string][]map[string]string{
		"approve":       {forms(3, digestOf("e"), 3, 1), forms(2, digestOf("f"), 3, 1)},
		"promote":       {forms(3, digestOf("e"), 3, 1), forms(2, digestOf("e"), 5, 1)},
		"rollback":      {forms(2, digestOf("e"), 3, 7)},
		"cancel-reason": {forms(3, digestOf("e"), 3, 1)},
	} {
		for _, other := range others {
			require.NotEqual(t, first[button], other[button], button)
		}
	}
}
