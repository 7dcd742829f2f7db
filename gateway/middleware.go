package gateway

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"steward/internal/lifecycle"
)

// policy lets pages load from the gateway alone, and nobody frame them.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// protect wraps everything: requests that other sites make browsers send are
// refused, bodies and time are bounded, and answers carry security headers.
func (s *Server) protect(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeRefusal(w, refuse(lifecycle.Denied, "the request was made by another site"))
	}))
	bounded := http.MaxBytesHandler(origin.Handler(next), maxBody)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if s.cfg.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
		defer cancel()
		bounded.ServeHTTP(w, r.WithContext(ctx))
	})
}

func writeRefusal(w http.ResponseWriter, r *Refusal) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(r) // the other side may be gone
}

type requestKey struct{}

// requestID is the id that a request has in the log and in X-Request-Id.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// observe gives each request an id, and counts, times and logs it. The query
// is not logged: it may hold a login token.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start, id := time.Now(), rand.Text()[:16]
		r := c.Request()
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), requestKey{}, id)))
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		if err := next(c); err != nil {
			c.Error(err)
		}
		took, status := time.Since(start), c.Response().Status
		tagged := s.cfg.Scope.Tagged(map[string]string{"method": methodTag(r.Method), "route": c.Path(), "status": strconv.Itoa(status)})
		tagged.Counter("http_requests").Inc(1)
		tagged.Timer("http_request_latency").Record(took)
		s.cfg.Logger.Log(r.Context(), levelOf(r, status), "request", "method", r.Method, "path", r.URL.Path,
			"status", status, "took", took, "subject", whoAsks(c.Request().Context()).Subject, "from", c.RealIP(), "request", id)
		return nil
	}
}

// methodTag keeps made-up methods out of the metrics: each would stay for ever.
func methodTag(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return method
	}
	return "other"
}

// levelOf keeps reading out of the log: it would be most of it.
func levelOf(r *http.Request, status int) slog.Level {
	if status < 400 && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// recover turns a panic into an internal error with its stack in the log.
func (s *Server) recover(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if p := recover(); p != nil {
				if gone, ok := p.(error); ok && errors.Is(gone, http.ErrAbortHandler) {
					panic(p)
				}
				err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		return next(c)
	}
}

// fail answers a request that ended in err: a page in the browser, JSON else.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	ctx := c.Request().Context()
	r := s.explain(ctx, err)
	if wantsPage(c.Request()) && !strings.HasPrefix(c.Request().URL.Path, "/v1/") {
		s.renderFailure(c, r)
		return
	}
	writeRefusal(c.Response(), r)
}
