package gateway

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"steward/internal/auth"
	"steward/internal/lifecycle"
)

// Who may do what. Everybody who is known may read. Who may decide on a release
// is said by its model file and checked by its workflow.
var (
	changers = []lifecycle.Role{lifecycle.DataScientist, lifecycle.DataEngineer, lifecycle.Operator}
	retirers = []lifecycle.Role{lifecycle.Operator, lifecycle.ProductManager}
	alerters = append([]lifecycle.Role{auth.Reporter}, changers...)
	tellers  = append([]lifecycle.Role{auth.Reporter, lifecycle.ProductManager}, changers...)
)

// reports are the routes for machines with the role reporter, which may use
// nothing else.
var reports = []string{alertsRoute, "/v1/models/:name/kpi"}

type identityKey struct{}

// whoAsks is the person behind a request that passed authenticate.
func whoAsks(ctx context.Context) auth.Identity {
	who, _ := ctx.Value(identityKey{}).(auth.Identity)
	return who
}

// permit returns who asks, or Denied when they play none of roles.
func permit(ctx context.Context, act string, roles []lifecycle.Role) (auth.Identity, error) {
	who := whoAsks(ctx)
	if !who.Has(roles...) {
		return who, refuse(lifecycle.Denied, "%s may not %s: it takes one of the roles %s", who.Subject, act, auth.Names(roles))
	}
	return who, nil
}

// open tells whether a path answers without a login.
func open(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == "/login" || strings.HasPrefix(path, "/assets/")
}

// authenticate lets only known people and machines pass. A browser is sent to
// the login page; everybody else gets 401.
func (s *Server) authenticate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if open(r.URL.Path) {
			return next(c)
		}
		who, err := s.identify(r)
		if err == nil {
			c.SetRequest(r.WithContext(context.WithValue(r.Context(), identityKey{}, who)))
			if who.Has(auth.Reporter) && (r.Method != http.MethodPost || !slices.Contains(reports, c.Path())) {
				return refuse(lifecycle.Denied, "%s has the role %s, which may send alerts and business figures and nothing else", who.Subject, auth.Reporter)
			}
			return next(c)
		}
		if r.Method == http.MethodGet && wantsPage(r) {
			return c.Redirect(http.StatusSeeOther, loginFor(r.URL.RequestURI()))
		}
		c.Response().Header().Set("WWW-Authenticate", `Bearer realm="steward"`)
		return refuse(Unauthorized, "%v: send a token of the users file as Authorization: Bearer", err)
	}
}

// identify returns who sent r: by the bearer token if there is one, else by
// the session cookie.
func (s *Server) identify(r *http.Request) (auth.Identity, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, token, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return auth.Identity{}, auth.ErrUnknown
		}
		return s.cfg.Users.Authenticate(strings.TrimSpace(token))
	}
	cookie, err := r.Cookie(auth.CookieName)
	if err != nil {
		return auth.Identity{}, auth.ErrUnknown
	}
	return s.sessions.Check(cookie.Value, time.Now())
}

// wantsPage tells a browser from a program.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
