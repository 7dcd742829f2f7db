package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.temporal.io/sdk/client"

	"steward/internal/auth"
)

const (
	// drainFor is how long requests may take to end once the gateway stops.
	drainFor = 20 * time.Second
	// answerWithin is how long an answer may take to make. writeWithin leaves
	// time to send it, so that whoever asks too much is told so.
	answerWithin = 45 * time.Second
	writeWithin  = 60 * time.Second
)

// Server is a gateway that listens.
type Server struct {
	cfg      Config
	sessions *auth.Sessions
	known    memory
	ledgers  ledgerCache
	curves   judgedCache
	pages    pages
	listener net.Listener
	handler  http.Handler
}

// New returns a gateway that listens already; Serve answers.
func New(cfg Config) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	key := cfg.SessionKey
	if key == nil {
		key = make([]byte, 32)
		rand.Read(key) // never fails: the program ends instead
	}
	sessions, err := auth.NewSessions(cfg.Users, key, cfg.Secure)
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	s := &Server{cfg: cfg, sessions: sessions, known: memory{until: map[string]time.Time{}}, ledgers: ledgerCache{of: map[string]ledgerTail{}}}
	if s.pages, err = loadPages(); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	s.handler = s.protect(s.routes())
	if s.listener = cfg.Listener; s.listener == nil {
		if s.listener, err = net.Listen("tcp", cfg.Addr); err != nil {
			return nil, fmt.Errorf("gateway: %w; choose another address", err)
		}
	}
	return s, nil
}

// URL is where the gateway is reached from this machine.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Close gives the address up without serving. After Serve it does nothing.
func (s *Server) Close() error {
	if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Serve answers requests until ctx ends, then lets those under way finish.
func (s *Server) Serve(ctx context.Context) error {
	server := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      writeWithin,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(s.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("gateway: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return fmt.Errorf("gateway: requests were still under way after %s: %w", drainFor, errors.Join(err, server.Close()))
	}
	return nil
}

// routes returns everything that is answered.
func (s *Server) routes() *echo.Echo {
	e := echo.New()
	e.IPExtractor = echo.ExtractIPDirect() // whoever connects: X-Forwarded-For may be made up
	e.HTTPErrorHandler = s.fail
	e.Use(s.observe, s.recover, s.authenticate)

	e.GET("/healthz", func(c echo.Context) error { return c.JSON(http.StatusOK, map[string]string{"status": "ok"}) })
	e.GET("/readyz", s.ready)
	e.GET("/metrics", echo.WrapHandler(s.cfg.Metrics))
	e.POST(alertsRoute, s.alerts)
	s.registerAPI(e)
	s.registerConsole(e)
	return e
}

// ready tells whether requests can be served: Temporal answers.
func (s *Server) ready(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 2*time.Second)
	defer cancel()
	if _, err := s.cfg.Temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return refuse(Unavailable, "Temporal does not answer")
	}
	return c.JSON(http.StatusOK, map[string]string{"status": "ready"})
}
