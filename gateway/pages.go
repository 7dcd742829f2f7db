package gateway

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"steward/internal/auth"
	"steward/internal/lifecycle"
)

//go:embed templates assets
var files embed.FS

// pages are the parsed templates by name; each includes the layout.
type pages map[string]*template.Template

// pageView is what every page shows.
type pageView struct {
	Title string
	Who   auth.Identity
	Poll  string // address that refreshes the page
}

func (s *Server) page(c echo.Context, title string) pageView {
	return pageView{Title: title, Who: whoAsks(c.Request().Context()), Poll: c.Request().URL.RequestURI()}
}

func loadPages() (pages, error) {
	all := pages{}
	for name, parts := range map[string][]string{"models": {"models"}, "model": {"model", "release"}, "login": {"login"}, "failure": {"failure"}} {
		paths := []string{"templates/layout.html"}
		for _, p := range parts {
			paths = append(paths, "templates/"+p+".html")
		}
		t, err := template.New("layout.html").Funcs(words).ParseFS(files, paths...)
		if err != nil {
			return nil, fmt.Errorf("page %s: %w", name, err)
		}
		all[name] = t
	}
	return all, nil
}

// render writes a page, or nothing at all when its template fails.
func (s *Server) render(c echo.Context, status int, name string, view any) error {
	var page bytes.Buffer
	if err := s.pages[name].Execute(&page, view); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	return c.HTMLBlob(status, page.Bytes())
}

// failureView is a page that says what went wrong.
type failureView struct {
	pageView
	Heading string
	Message string
	ID      string
}

func (s *Server) renderFailure(c echo.Context, r *Refusal) {
	view := failureView{s.page(c, r.Type), http.StatusText(r.status), r.Message, requestID(c.Request().Context())}
	view.Poll = ""
	if err := s.render(c, r.status, "failure", view); err != nil {
		s.cfg.Logger.ErrorContext(c.Request().Context(), "failure page", "error", err)
		writeRefusal(c.Response(), r)
	}
}

// words are the functions that templates write values with.
var words = template.FuncMap{
	"when":    func(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04:05") + " UTC" },
	"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"since":   func(t time.Time) string { return span(time.Since(t)) },
	"seconds": func(s float64) string { return span(time.Duration(s * float64(time.Second))) },
	"date":    func(t time.Time) string { return t.UTC().Format("2 Jan 2006") },
	"reversed": func(r []lifecycle.ReleaseSummary) []lifecycle.ReleaseSummary {
		r = slices.Clone(r)
		slices.Reverse(r)
		return r
	},
	"figure":  figure,
	"signed":  signed,
	"percent": func(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) },
	"money":   lifecycle.Money,
	"count":   count,
	"digest":  shortDigest,
	"roles":   auth.Names,
	"capital": capital,
	"join":    strings.Join,
	"icon":    icon,
	"badge":   badge,
	"reading": reading,
}

func firstRunes(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	return string(runes[:n]) + "…"
}
