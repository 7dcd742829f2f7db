package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"

	"steward/internal/auth"
	"steward/internal/lifecycle"
)

func TestWhoMayDoWhat(t *testing.T) {
	order := `{"reason": "x"}`
	for _, tt := range []struct{ path, body, may string }{
		{"/v1/models/m/releases", order, "ana deniz oli"},
		{"/v1/models/m/pause", order, "ana deniz oli"},
		{"/v1/models/m/resume", order, "ana deniz oli"},
		{"/v1/models/m/rollback", order, "ana deniz oli"},
		{"/v1/models/m/retire", order, "oli pat"},
		{"/v1/models/m/releases/1/cancel", order, "ana deniz oli"},
		{"/v1/models/m/releases/1/rollout", `{"promote": true}`, "ana deniz oli"},
		{"/v1/models/m/kpi", `{"id": "k", "value": 1, "at": "2026-03-01T00:00:00Z"}`, "ana deniz oli pat bell"},
		{alertsRoute, webhook, "ana deniz oli bell"},
		{"/v1/models/m/releases/1/decision", `{"approve": true, "digest": "` + digestOf("e") + `"}`, "ana deniz oli pat aud rita"},
	} {
		for _, p := range people {
			s := newSite(t)
			s.state("model/m", lifecycle.ModelState{Spec: sampleSpec()})
			s.runs("model/flight-delay")
			s.runs("model/churn")
			s.updates(struct{}{}, nil, nil)
			s.temporal.On("SignalWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(nil)
			rec := s.ask(p.Subject, "POST", tt.path, tt.body)
			if strings.Contains(tt.may, p.Subject) {
				require.Less(t, rec.Code, 300, "%s %s: %s", p.Subject, tt.path, rec.Body)
				continue
			}
			require.Equal(t, 403, rec.Code, "%s %s", p.Subject, tt.path)
			r := refusalIn(t, rec)
			require.Equal(t, lifecycle.Denied, r.Type)
			if p.Subject != "bell" {
				require.Contains(t, r.Message, "it takes one of the roles")
			}
			require.Empty(t, s.temporal.Calls, "Temporal hears nothing of it")
		}
	}
}

func TestNobody(t *testing.T) {
	for _, path := range []string{"/", "/models/m", "/v1/models", "/v1/models/m", "/metrics", "/openapi.json", "/nowhere", "/healthz/x", "/login/x"} {
		s := newSite(t)
		rec := s.ask("", "GET", path, "")
		require.Equal(t, 401, rec.Code, path)
		require.Equal(t, Unauthorized, refusalIn(t, rec).Type)
		require.Contains(t, rec.Header().Get("WWW-Authenticate"), "Bearer")
	}
	s := newSite(t)
	for _, path := range []string{"/healthz", "/login", "/assets/console.css"} {
		require.Equal(t, 200, s.ask("", "GET", path, "").Code, path)
	}
}

func TestCredentials(t *testing.T) {
	s := newSite(t)
	s.list()
	cookie, err := s.sessions.Start("ana", t0)
	require.NoError(t, err)
	for _, tt := range []struct {
		name, header, value string
		status              int
	}{
		{"token", "Authorization", "Bearer ana", 200},
		{"token, any case", "Authorization", "bearer  ana", 200},
		{"wrong token", "Authorization", "Bearer eve", 401},
		{"no token", "Authorization", "Bearer ", 401},
		{"other scheme", "Authorization", "Basic ana", 401},
		{"a session that is over", "Cookie", cookie.String(), 401},
		{"no session", "Cookie", auth.CookieName + "=x.y.z", 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.status, s.ask("", "GET", "/v1/models", "", tt.header, tt.value).Code)
		})
	}
}

// cookieOf is the session that an answer began.
func cookieOf(t *testing.T, rec *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	cookies := rec.Result().Cookies()
	require.Len(t, cookies, 1)
	require.True(t, cookies[0].HttpOnly)
	require.Equal(t, http.SameSiteStrictMode, cookies[0].SameSite)
	return cookies[0]
}

func TestLogin(t *testing.T) {
	s := newSite(t)
	s.list()
	rec := s.ask("", "GET", "/models/flight-delay?release=2", "", "Accept", "text/html")
	require.Equal(t, 303, rec.Code)
	require.Equal(t, "/login?next=%2Fmodels%2Fflight-delay%3Frelease%3D2", rec.Header().Get("Location"))

	rec, ids := s.page(t, "", "GET", rec.Header().Get("Location"), "")
	require.Equal(t, 200, rec.Code)
	require.Contains(t, ids, "token")
	require.Contains(t, rec.Body.String(), `name="next" value="/models/flight-delay?release=2"`)

	rec, _ = s.page(t, "", "POST", "/login", "token=+oli%0A&next=/models/flight-delay?release=2")
	require.Equal(t, 303, rec.Code)
	require.Equal(t, "/models/flight-delay?release=2", rec.Header().Get("Location"))
	c := cookieOf(t, rec)
	require.Equal(t, 200, s.ask("", "GET", "/v1/models", "", "Cookie", c.Name+"="+c.Value).Code)

	rec = s.ask("", "POST", "/logout", "", "Cookie", c.Name+"="+c.Value)
	require.Equal(t, 303, rec.Code)
	require.Negative(t, cookieOf(t, rec).MaxAge)
}

func TestLoginLink(t *testing.T) {
	s := newSite(t)
	rec := s.ask("", "GET", "/login?token=oli", "", "Accept", "text/html", "Sec-Fetch-Site", "none")
	require.Equal(t, 303, rec.Code)
	require.Equal(t, "/", rec.Header().Get("Location"))
	cookieOf(t, rec)
	require.NotContains(t, s.log.String(), "token=oli", "the token stays out of the log")

	rec = s.ask("", "GET", "/login?token=oli", "", "Accept", "text/html", "Sec-Fetch-Site", "cross-site")
	require.Equal(t, 403, rec.Code)
	require.Empty(t, rec.Result().Cookies())

	rec = s.ask("", "GET", "/login?token=eve", "", "Accept", "text/html")
	require.Equal(t, 401, rec.Code)
	require.Contains(t, rec.Body.String(), "belongs to nobody")
	require.NotContains(t, rec.Body.String(), "eve")
	require.Equal(t, "no-referrer", rec.Header().Get("Referrer-Policy"), "its address holds a token")
	require.NotContains(t, rec.Body.String(), "<form", "without a referrer, browsers do not say that a form is ours")
	require.NotContains(t, s.log.String(), "token=eve")
}

// A machine that reports can do nothing else: not read, not log in.
func TestReporter(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/", "/models/m", "/v1/models", "/v1/models/m", "/v1/models/m/kpi", "/metrics", "/openapi.json", "/v1/elsewhere"} {
		rec := s.ask("bell", "GET", path, "")
		require.Equal(t, 403, rec.Code, path)
		require.Contains(t, refusalIn(t, rec).Message, "bell has the role reporter, which may send alerts and business figures and nothing else")
	}
	rec, _ := s.page(t, "", "POST", "/login", "token=bell")
	require.Equal(t, 403, rec.Code)
	require.Empty(t, rec.Result().Cookies())
	require.Contains(t, rec.Body.String(), "This token is a machine")
	require.Empty(t, s.temporal.Calls)
}

func TestLocal(t *testing.T) {
	for next, want := range map[string]string{
		"": "/", "/": "/", "/models/m?release=2": "/models/m?release=2",
		"/login": "/", "/login?token=eve": "/", "/./login?token=eve": "/", "/%6cogin?token=eve": "/", "/models/%2e%2e/login?token=eve": "/", "/%zz": "/",
		"//evil.example": "/", "https://evil.example": "/", `/\evil.example`: "/", "/\t/evil.example": "/", "models": "/",
	} {
		require.Equal(t, want, local(next), next)
	}
}

func TestOtherSites(t *testing.T) {
	for _, tt := range []struct {
		name    string
		headers []string
		status  int
	}{
		{"same origin", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"program", nil, 200},
		{"old browser, same origin", []string{"Origin", "http://example.com"}, 200},
		{"cross site", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"same site, other origin", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"old browser, other origin", []string{"Origin", "https://evil.example"}, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			s.updates(lifecycle.ModelState{}, nil, nil)
			rec := s.ask("oli", "POST", "/v1/models/m/pause", `{"reason": "x"}`, tt.headers...)
			require.Equal(t, tt.status, rec.Code)
			if tt.status == 403 {
				require.Equal(t, lifecycle.Denied, refusalIn(t, rec).Type)
				require.Empty(t, s.temporal.Calls)
			}
		})
	}
}

func TestSecurityHeaders(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/login", "/v1/models", "/assets/console.js"} {
		h := s.ask("", "GET", path, "").Header()
		require.Contains(t, h.Get("Content-Security-Policy"), "script-src 'self'; style-src 'self'")
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		require.Equal(t, "DENY", h.Get("X-Frame-Options"))
	}
}
