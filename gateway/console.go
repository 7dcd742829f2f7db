package gateway

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"steward/internal/lifecycle"
	"steward/internal/plot"
)

// registerConsole adds the pages for people, and the forms on them.
func (s *Server) registerConsole(e *echo.Echo) {
	e.GET("/assets/*", echo.WrapHandler(assets()))
	e.GET("/login", s.loginPage)
	e.POST("/login", s.login)
	e.POST("/logout", s.logout)
	e.GET("/", s.modelsPage)
	e.GET("/models/:name", s.modelPage)
	e.POST("/models/:name/order", s.orderForm)
	e.POST("/models/:name/releases/:n/decision", s.decisionForm)
	e.POST("/models/:name/releases/:n/rollout", s.rolloutForm)
	e.POST("/models/:name/releases/:n/cancel", s.cancelForm)
}

// assets are the same for everybody and change with the program only.
func assets() http.Handler {
	sub, err := fs.Sub(files, "assets")
	if err != nil {
		panic(err) // embedded: the name is right or the program never ran
	}
	server := http.StripPrefix("/assets/", http.FileServerFS(sub))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=300")
		if r.URL.Path == "/assets/plot.css" {
			w.Header().Set("Content-Type", "text/css; charset=utf-8")
			_, _ = io.WriteString(w, plot.Style)
			return
		}
		server.ServeHTTP(w, r)
	})
}

func (s *Server) modelsPage(c echo.Context) error {
	lines, err := s.models(c.Request().Context())
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "models", modelsView{s.page(c, "Models"), lines})
}

func (s *Server) modelPage(c echo.Context) error {
	return s.showModel(c, http.StatusOK, "", "")
}

// showModel renders one model. notice and comment are what is wrong with a form
// that was just sent, and what was written in it.
func (s *Server) showModel(c echo.Context, status int, notice, comment string) error {
	name := c.Param("name")
	if !modelName.MatchString(name) {
		return refuse(lifecycle.NotFound, "%s", modelRun(firstRunes(name, 40)).missing)
	}
	chosen, err := chosenRelease(c.QueryParam("release"))
	if err != nil {
		return err
	}
	view, err := s.modelView(c.Request().Context(), name, chosen)
	if err != nil {
		return err
	}
	view.pageView = s.page(c, name)
	view.pageView.Poll = "/models/" + name
	if chosen > 0 {
		view.pageView.Poll += "?release=" + strconv.Itoa(chosen)
	}
	view.Notice, view.Comment = notice, comment
	return s.render(c, status, "model", view)
}

func chosenRelease(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, refuse(lifecycle.Invalid, "release %q is not a number from 1 on", firstRunes(text, 20))
	}
	return n, nil
}

// decisionForm takes an approval or a rejection.
func (s *Server) decisionForm(c echo.Context) error {
	verdict := c.FormValue("verdict")
	return s.releaseForm(c, func(ctx context.Context, model string, n int) error {
		if verdict != "approve" && verdict != "reject" {
			return refuse(lifecycle.Invalid, "verdict %q is neither approve nor reject", firstRunes(verdict, 20))
		}
		comment, err := commentIn(c)
		if err != nil {
			return err
		}
		_, err = s.decide(ctx, model, n, lifecycle.Decision{
			Approve: verdict == "approve", Digest: c.FormValue("digest"), Comment: comment,
		}, "")
		return err
	})
}

// rolloutForm takes an answer at a rollout's pause.
func (s *Server) rolloutForm(c echo.Context) error {
	verdict := c.FormValue("verdict")
	return s.releaseForm(c, func(ctx context.Context, model string, n int) error {
		if verdict != "promote" && verdict != "abort" {
			return refuse(lifecycle.Invalid, "verdict %q is neither promote nor abort", firstRunes(verdict, 20))
		}
		comment, err := commentIn(c)
		if err != nil {
			return err
		}
		_, err = s.steer(ctx, model, n, verdict == "promote", comment, "")
		return err
	})
}

func (s *Server) cancelForm(c echo.Context) error {
	return s.releaseForm(c, func(ctx context.Context, model string, n int) error {
		reason, err := reasonIn(c)
		if err != nil {
			return err
		}
		_, err = s.cancel(ctx, model, n, reason, "")
		return err
	})
}

// orderForm takes an order to a model.
func (s *Server) orderForm(c echo.Context) error {
	return s.form(c, func(ctx context.Context, model string) error {
		reason, err := reasonIn(c)
		if err != nil {
			return err
		}
		order := lifecycle.Order{Reason: reason}
		switch verb := c.FormValue("order"); verb {
		case lifecycle.ReleaseUpdate:
			_, err = give[lifecycle.Ordered](ctx, s, startRelease, model, "", order)
		case lifecycle.RollbackUpdate:
			_, err = give[lifecycle.Ordered](ctx, s, rollback, model, "", order)
		case lifecycle.PauseUpdate:
			_, err = give[lifecycle.ModelState](ctx, s, pause, model, "", order)
		case lifecycle.ResumeUpdate:
			_, err = give[lifecycle.ModelState](ctx, s, resume, model, "", order)
		default:
			err = refuse(lifecycle.Invalid, "order %q is not one of release, rollback, pause, resume", firstRunes(verb, 20))
		}
		return err
	})
}

func reasonIn(c echo.Context) (string, error) {
	reason := written(c, "reason")
	if reason == "" || utf8.RuneCountInString(reason) > 1000 {
		return "", refuse(lifecycle.Invalid, "say why, in at most 1000 characters: the reason goes into the ledger")
	}
	return reason, nil
}

func commentIn(c echo.Context) (string, error) {
	comment := written(c, "comment")
	if n := utf8.RuneCountInString(comment); n > 4000 {
		return "", refuse(lifecycle.Invalid, "the comment has %d characters: shorten it to 4000", n)
	}
	return comment, nil
}

// written is what was typed into a field: browsers send line ends as CR LF.
func written(c echo.Context, field string) string {
	return strings.ReplaceAll(c.FormValue(field), "\r\n", "\n")
}

// releaseForm handles a form about one release.
func (s *Server) releaseForm(c echo.Context, do func(ctx context.Context, model string, n int) error) error {
	return s.form(c, func(ctx context.Context, model string) error {
		n, err := chosenRelease(c.Param("n"))
		if err != nil {
			return err
		}
		return do(ctx, model, n)
	})
}

// form carries out what a form asks and goes back to the model's page. What was
// refused is said there, with the person's words kept.
func (s *Server) form(c echo.Context, do func(ctx context.Context, model string) error) error {
	ctx, name := c.Request().Context(), c.Param("name")
	if !modelName.MatchString(name) {
		return refuse(lifecycle.NotFound, "%s", modelRun(firstRunes(name, 40)).missing)
	}
	err := do(ctx, name)
	if err == nil {
		s.ledgers.forget(name) // people look for what they just did
		return c.Redirect(http.StatusSeeOther, "/models/"+name)
	}
	refusal := s.explain(ctx, err)
	if err := s.showModel(c, refusal.status, refusal.Message, c.FormValue("comment")); err != nil {
		return errors.Join(refusal, err) // the first refusal is the one that counts
	}
	return nil
}

// loginFor is the login page that leads back to a page of ours.
func loginFor(next string) string { return "/login?next=" + url.QueryEscape(next) }
