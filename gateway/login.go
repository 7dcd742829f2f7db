package gateway

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"steward/internal/auth"
)

// loginView is the login page.
type loginView struct {
	pageView
	Next    string
	Problem string
	Link    bool // it was a link that failed
}

// loginPage shows the form or, with ?token=, logs in. Such a link must not come
// from another site, which could log people in as somebody else.
func (s *Server) loginPage(c echo.Context) error {
	token := c.QueryParam("token")
	if token == "" {
		return s.showLogin(c, http.StatusOK, c.QueryParam("next"), "")
	}
	c.Response().Header().Set("Referrer-Policy", "no-referrer") // the address holds a token
	if site := c.Request().Header.Get("Sec-Fetch-Site"); site == "cross-site" {
		return s.showLogin(c, http.StatusForbidden, "", "A login link works when opened from the terminal or the address bar, not from another site.")
	}
	return s.startSession(c, token, c.QueryParam("next"))
}

// login takes the form.
func (s *Server) login(c echo.Context) error {
	return s.startSession(c, c.FormValue("token"), c.FormValue("next"))
}

func (s *Server) startSession(c echo.Context, token, next string) error {
	who, err := s.cfg.Users.Authenticate(strings.TrimSpace(token))
	if err != nil {
		return s.showLogin(c, http.StatusUnauthorized, next, "This token belongs to nobody. Copy the whole token, or ask for a new one.")
	}
	if who.Has(auth.Reporter) {
		return s.showLogin(c, http.StatusForbidden, next, "This token is a machine's, for alerts and business figures only.")
	}
	cookie, err := s.sessions.Start(who.Subject, time.Now())
	if err != nil {
		return err
	}
	c.SetCookie(cookie)
	return c.Redirect(http.StatusSeeOther, local(next))
}

func (s *Server) logout(c echo.Context) error {
	c.SetCookie(s.sessions.End())
	return c.Redirect(http.StatusSeeOther, "/login")
}

func (s *Server) showLogin(c echo.Context, status int, next, problem string) error {
	return s.render(c, status, "login", loginView{pageView{Title: "Log in"}, next, problem, c.QueryParam("token") != ""})
}

// local is next if it is a page here, else the first page: a login must not
// lead to other sites, nor on to a link that logs in as somebody else.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") ||
		strings.HasPrefix(path.Clean(u.Path), "/login") {
		return "/"
	}
	return next
}
